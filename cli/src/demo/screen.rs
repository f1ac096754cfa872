//! What the demo shows: progress bars and a live view on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, Write, stdout};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What the live view shows at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    pub(super) ready: u64,
    pub(super) guilds: u64,
    pub(super) dispatched: u64,
    pub(super) per_s: f64,
    pub(super) replayed: u64,
    pub(super) recent: Vec<String>,
}

/// Where the demo is shown.
pub(super) enum Screen {
    Plain,
    Live(Live),
}

/// Bars below, lines above.
pub(super) struct Live {
    all: MultiProgress,
    shards: ProgressBar,
    guilds: ProgressBar,
    traffic: ProgressBar,
    recent: Vec<ProgressBar>,
}

/// How many recent events are shown.
const RECENT: usize = 5;

impl Screen {
    /// A live view if standard output is a terminal.
    pub(super) fn open(shards: u64, guilds: u64) -> Self {
        if !stdout().is_terminal() {
            return Self::Plain;
        }
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stdout());
        let bar = |length, what: &'static str| {
            let style =
                ProgressStyle::with_template("  {prefix:>8} [{bar:40.cyan/dim}] {pos}/{len}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar())
                    .progress_chars("=> ");
            all.add(ProgressBar::new(length).with_style(style).with_prefix(what))
        };
        let shards = bar(shards, "shards");
        let guilds = bar(guilds, "guilds");
        let line = |template: &str| {
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            all.add(ProgressBar::new_spinner().with_style(style))
        };
        let traffic = line("  {spinner:.cyan} {msg}");
        traffic.enable_steady_tick(Duration::from_millis(100));
        let recent = (0..RECENT).map(|_| line("    {msg:.dim}")).collect();
        Self::Live(Live {
            all,
            shards,
            guilds,
            traffic,
            recent,
        })
    }

    /// A line that stays.
    pub(super) fn say(&self, line: &str) {
        let shown = match self {
            Self::Plain => writeln!(stdout(), "{line}"),
            Self::Live(live) => live.all.println(line),
        };
        // A demo whose output is closed goes on to its exit code.
        let _ = shown;
    }

    /// The state of this moment. Nothing on plain output.
    pub(super) fn show(&self, view: &View) {
        let Self::Live(live) = self else { return };
        live.shards.set_position(view.ready);
        live.guilds.set_position(view.guilds);
        live.traffic.set_message(format!(
            "{} events, {:.0} per second, {} of them replayed",
            view.dispatched, view.per_s, view.replayed
        ));
        for (line, text) in live.recent.iter().zip(&view.recent) {
            line.set_message(text.clone());
        }
    }

    /// Takes the live view away; lines that were said stay.
    pub(super) fn close(&self) {
        if let Self::Live(live) = self {
            let lines = [&live.shards, &live.guilds, &live.traffic];
            lines
                .into_iter()
                .chain(&live.recent)
                .for_each(ProgressBar::finish_and_clear);
        }
    }
}
