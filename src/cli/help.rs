use super::table::Verb;
pub fn overview() -> String {
    "stub\n".into()
}
pub fn verb(_: &Verb) -> String {
    "stub\n".into()
}
