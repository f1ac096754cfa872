//! Log lines on standard error: readable, or one JSON object each. Never the token.

use std::fmt;
use std::io::{IsTerminal, stderr};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::config::{LogFormat, LogLevel};

/// The crates whose lines follow the configured level. Those of other crates are warnings at most: on `trace`,
/// WebSocket libraries log whole frames, and the frame that identifies holds the token.
const OWN: [&str; 3] = ["shardkeep", "shardkeep_core", "shardkeep_cli"];

/// Logging is set up already, by an earlier call or by the program itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogAlreadySet;

impl fmt::Display for LogAlreadySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("logging is set up already: call shardkeep::log::init once, or not at all")
    }
}

impl std::error::Error for LogAlreadySet {}

/// Sends log lines of this process to standard error. A program with a `tracing` subscriber of its own leaves this out.
///
/// ```
/// use shardkeep::config::{LogFormat, LogLevel};
///
/// shardkeep::log::init(LogFormat::Json, LogLevel::Info)?;
/// assert!(shardkeep::log::init(LogFormat::Human, LogLevel::Info).is_err());
/// # Ok::<(), shardkeep::log::LogAlreadySet>(())
/// ```
///
/// # Errors
///
/// [`LogAlreadySet`] if the process has a subscriber already.
pub fn init(format: LogFormat, level: LogLevel) -> Result<(), LogAlreadySet> {
    let lines = layer(format, level, stderr, stderr().is_terminal());
    tracing_subscriber::registry()
        .with(lines)
        .try_init()
        .map_err(|_| LogAlreadySet)
}

fn layer<W>(
    format: LogFormat,
    level: LogLevel,
    writer: W,
    colours: bool,
) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = filter(level);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(colours);
    match format {
        LogFormat::Human => lines.with_target(false).with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    }
}

fn filter(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_targets(OWN.map(|target| (target, level)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, level: LogLevel) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = layer(format, level, move || writer.clone(), false);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info!(target: "shardkeep", shard = 3, "resumed");
            tracing::trace!(target: "tungstenite", "frame with a secret");
            tracing::warn!(target: "rustls", "certificate expires");
        });
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_lines_are_objects_with_the_fields_of_the_event() {
        let text = logged(LogFormat::Json, LogLevel::Trace);
        let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(first["message"], "resumed");
        assert_eq!(first["shard"], 3);
        assert_eq!(first["level"], "INFO");
    }

    #[test]
    fn other_crates_may_warn_and_nothing_more() {
        for format in [LogFormat::Human, LogFormat::Json] {
            let text = logged(format, LogLevel::Trace);
            assert!(
                text.contains("resumed") && text.contains("certificate expires"),
                "{text}"
            );
            assert!(!text.contains("secret"), "{text}");
        }
        assert_eq!(logged(LogFormat::Human, LogLevel::Off), "");
        assert!(!logged(LogFormat::Human, LogLevel::Error).contains("certificate"));
    }
}
