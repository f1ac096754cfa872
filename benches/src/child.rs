//! A process of the bench's own that says something first, then serves until it is no longer needed.

use std::io::{self, BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// It ends with this value.
#[derive(Debug)]
pub struct Serving(Child);

impl Serving {
    /// Starts it and waits for its first line.
    ///
    /// # Errors
    ///
    /// If it cannot be started or says nothing.
    pub fn start(command: &mut Command) -> io::Result<(Self, String)> {
        let mut child = Self(command.stdout(Stdio::piped()).spawn()?);
        let output = child.0.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        if line.is_empty() {
            return Err(io::Error::other(format!(
                "{command:?} ended without a word"
            )));
        }
        Ok((child, line.trim().to_owned()))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.0.kill().and_then(|()| self.0.wait());
    }
}
