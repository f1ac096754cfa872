//! How a command fails: one sentence that says what to do, and the exit code.

use std::fmt;
use std::process::ExitCode;

use shardkeep::config::ConfigError;
use shardkeep::ops::OpsError;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line, the environment or the configuration is wrong: exit code 2.
    Usage(String),
    /// Something went wrong on the way: exit code 1.
    Failed(String),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::FAILURE,
        }
    }

    /// Standard output is gone, as when it is piped into `head`.
    pub(crate) fn output(error: &std::io::Error) -> Self {
        Self::Failed(format!("cannot write to standard output: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<shardkeep::Error> for Failure {
    fn from(error: shardkeep::Error) -> Self {
        match error {
            shardkeep::Error::Ops(OpsError::Remote(_)) => Self::Usage(error.to_string()),
            error => Self::Failed(error.to_string()),
        }
    }
}
