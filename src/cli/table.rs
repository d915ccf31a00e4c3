pub struct Verb {
    pub name: &'static str,
}
