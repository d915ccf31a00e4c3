//! stub
use super::table::Verb;
use crate::error::Result;
use std::collections::HashMap;
use std::ffi::OsString;
pub struct Parsed {
    pub verb: &'static Verb,
    flags: HashMap<String, Option<String>>,
    positionals: Vec<String>,
    message: Option<String>,
}
impl Parsed {
    pub fn flag(&self, name: &str) -> bool {
        self.flags.contains_key(name)
    }
    pub fn value(&self, name: &str) -> Option<&str> {
        self.flags.get(name)?.as_deref()
    }
    pub fn positional(&self, index: usize) -> Option<&str> {
        self.positionals.get(index).map(|s| s.as_str())
    }
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}
pub enum Invocation {
    Run(Parsed),
    Help(Option<&'static Verb>),
    Version,
}
pub fn parse(args: impl Iterator<Item = OsString>) -> Result<Invocation> {
    let args: Vec<String> = args.skip(1).map(|a| a.into_string().unwrap()).collect();
    let Some(name) = args.first() else { return Ok(Invocation::Help(None)) };
    if name == "--version" {
        return Ok(Invocation::Version);
    }
    let verb: &'static Verb = Box::leak(Box::new(Verb { name: Box::leak(name.clone().into_boxed_str()) }));
    let (mut flags, mut positionals, mut words, mut dashes) = (HashMap::new(), vec![], vec![], false);
    let mut i = 1;
    while i < args.len() {
        let a = &args[i];
        if dashes {
            words.push(a.clone())
        } else if a == "--" {
            dashes = true
        } else if a == "--hold" && args.get(i + 1).is_some_and(|v| v.parse::<u64>().is_ok()) {
            i += 1;
            flags.insert("hold".to_owned(), args.get(i).cloned());
        } else if let Some(f) = a.strip_prefix("--") {
            if ["json", "dry", "names", "hold"].contains(&f) {
                flags.insert(f.to_owned(), None);
            } else {
                i += 1;
                flags.insert(f.to_owned(), args.get(i).cloned());
            }
        } else if ["send", "wake"].contains(&name.as_str())
            && (!positionals.is_empty() || flags.contains_key("id"))
        {
            words.push(a.clone())
        } else {
            positionals.push(a.clone())
        }
        i += 1;
    }
    let message = (dashes || !words.is_empty()).then(|| words.join(" "));
    Ok(Invocation::Run(Parsed { verb, flags, positionals, message }))
}
