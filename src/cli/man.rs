pub fn page() -> String {
    "stub\n".into()
}
