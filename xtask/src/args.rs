//! The words after a chore's name.

use anyhow::{Result, bail};

/// Arguments that have not been claimed yet.
pub(crate) struct Args(Vec<String>);

impl Args {
    pub(crate) fn new(words: Vec<String>) -> Self {
        Self(words)
    }

    /// Whether `flag` was given; takes it away.
    pub(crate) fn flag(&mut self, flag: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|word| word != flag);
        self.0.len() < before
    }

    /// The word after `name`, if `name` was given; takes both away.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>> {
        let Some(at) = self.0.iter().position(|word| word == name) else {
            return Ok(None);
        };
        self.0.remove(at);
        if at == self.0.len() {
            bail!("{name} wants something after it");
        }
        Ok(Some(self.0.remove(at)))
    }

    /// The number after `name`, if `name` was given; takes both away.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>> {
        let Some(at) = self.0.iter().position(|word| word == name) else {
            return Ok(None);
        };
        self.0.remove(at);
        if at == self.0.len() {
            bail!("{name} wants a number after it");
        }
        let word = self.0.remove(at);
        match word.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => bail!("{name} wants a whole number, not `{word}`"),
        }
    }

    /// Everything that is left, options included: what is passed on to another program.
    pub(crate) fn rest(self) -> Vec<String> {
        self.0
    }

    /// Everything that is left, which must be names.
    pub(crate) fn names(self) -> Result<Vec<String>> {
        match self.0.iter().find(|word| word.starts_with('-')) {
            Some(word) => bail!("there is no option `{word}` here; `cargo xtask` lists them"),
            None => Ok(self.0),
        }
    }

    /// Fails if anything is left.
    pub(crate) fn finish(self) -> Result<()> {
        match self.0.first() {
            Some(word) => bail!("`{word}` is not expected here; `cargo xtask` lists what is"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Args {
        Args::new(text.split_whitespace().map(String::from).collect())
    }

    #[test]
    fn options_are_taken_and_the_rest_are_names() {
        let mut args = args("--list --seconds 5 envelope");
        assert!(args.flag("--list"));
        assert_eq!(args.number("--seconds").unwrap(), Some(5));
        assert_eq!(args.names().unwrap(), ["envelope"]);
    }

    #[test]
    fn a_misspelt_option_is_named() {
        let error = args("--verfy").names().unwrap_err().to_string();
        assert!(error.contains("--verfy"), "{error}");
        assert!(args("extra").finish().is_err());
        assert!(args("--seconds many").number("--seconds").is_err());
        assert!(args("--seconds").number("--seconds").is_err());
        assert!(args("--prefix").text("--prefix").is_err());
        assert_eq!(
            args("--prefix /x").text("--prefix").unwrap().as_deref(),
            Some("/x")
        );
    }
}
