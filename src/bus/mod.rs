pub fn run(_: &crate::ops::Relay) -> crate::error::Result<i32> {
    Ok(0)
}
