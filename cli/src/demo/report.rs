//! How the demo ends: the simulator's count beside the bot's.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use shardkeep_sim::Control;
use shardkeep_sim::server::Server;

use super::Log;
use super::story::{Sessions, Story, ask};
use super::tally::{Comparison, Ledger};
use crate::failure::Failure;

/// What the simulator counted.
#[derive(Debug, Deserialize)]
struct Counters {
    identifies: u64,
    dispatches: u64,
    dispatches_replayed: u64,
    resumes: u64,
    resumes_failed: u64,
    sessions_open: u64,
    closed_final: u64,
    violations: u64,
}

/// The end of the demo in numbers.
#[derive(Debug)]
pub(super) struct Report {
    shards: u32,
    guilds: u64,
    dispatched: u64,
    replayed: u64,
    resumed: u64,
    zombies: u64,
    caught_up: bool,
    found: Comparison,
    sim: Counters,
    took: Duration,
}

/// Compares the simulator's ledger with the bot's log.
pub(super) async fn make(
    server: &Server,
    log: &Log,
    story: &Story<'_>,
    shards: u32,
    took: Duration,
) -> Result<Report, Failure> {
    let sim: Counters = ask(server, Control::Counters).await?;
    let listed: Sessions = ask(server, Control::Sessions).await?;
    let mut ledgers: Vec<Ledger> = Vec::new();
    for session in listed.sessions {
        ledgers.push(
            ask(
                server,
                Control::Ledger {
                    session: session.session,
                },
            )
            .await?,
        );
    }
    let tally = log.read();
    Ok(Report {
        shards,
        guilds: tally.guilds,
        dispatched: tally.dispatched,
        replayed: tally.replayed,
        resumed: tally.resumed,
        zombies: story.zombies,
        caught_up: story.caught_up,
        found: tally.compare(&ledgers),
        sim,
        took,
    })
}

/// Two numbers a line, under a heading.
pub(super) fn rows(heading: &str, rows: &[(&str, u64, &str, u64)]) -> String {
    let mut text = format!("{heading}\n");
    for (left, number, right, other) in rows {
        text.push_str(&format!(
            "  {left:<20}{number:>8}    {right:<20}{other:>8}\n"
        ));
    }
    text
}

impl Report {
    /// The table for people.
    pub(super) fn table(&self) -> String {
        let rows = [
            (
                "shards",
                u64::from(self.shards),
                "identified",
                self.sim.identifies,
            ),
            ("guilds", self.guilds, "resumed", self.resumed),
            (
                "sent by Discord",
                self.found.sent,
                "silent and found",
                self.zombies,
            ),
            (
                "handed to the bot",
                self.dispatched,
                "replayed",
                self.replayed,
            ),
            ("lost", self.found.lost, "duplicated", self.found.duplicated),
            (
                "altered",
                self.found.altered,
                "rules broken",
                self.sim.violations,
            ),
        ];
        let mut text = self::rows("", &rows);
        text.push_str(&format!(
            "\n  {:.1} s; \"sent\" is the simulator's own ledger, compared event by event with the bot's log.\n\n",
            self.took.as_secs_f64()
        ));
        text
    }

    /// The same as one JSON object.
    pub(super) fn json(&self) -> Value {
        json!({
            "shards": self.shards,
            "guilds": self.guilds,
            "sent": self.found.sent,
            "dispatched": self.dispatched,
            "lost": self.found.lost,
            "duplicated": self.found.duplicated,
            "altered": self.found.altered,
            "unknown": self.found.unknown,
            "resumed": self.resumed,
            "identified": self.sim.identifies,
            "replayed": self.replayed,
            "replays_sent": self.sim.dispatches_replayed,
            "zombies": self.zombies,
            "violations": self.sim.violations,
            "seconds": self.took.as_secs_f64(),
        })
    }

    /// Whether everything happened as told and nothing was lost.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let sim = &self.sim;
        let wrong = [
            (
                self.found.truncated,
                "the simulator's ledger is incomplete, so nothing can be said",
            ),
            (self.found.lost > 0, "events were lost"),
            (self.found.duplicated > 0, "events were handed on twice"),
            (self.found.altered > 0, "events were altered"),
            (
                self.found.unknown > 0,
                "events were handed on that were never sent",
            ),
            (
                self.found.sent != sim.dispatches,
                "the simulator's ledger and its counters disagree",
            ),
            (
                self.dispatched != self.found.sent,
                "the bot's count is not the simulator's",
            ),
            (
                !self.caught_up,
                "the bot did not catch up with the simulator",
            ),
            (self.replayed == 0, "nothing was replayed"),
            (self.zombies == 0, "no silent connection was found"),
            // The answer to a resume may be on its way when the connection is cut: Discord counts it, the bot cannot.
            (
                sim.resumes - sim.resumes_failed < self.resumed,
                "the bot saw more resumes than the simulator",
            ),
            (
                sim.identifies != u64::from(self.shards),
                "shards had to identify more than once",
            ),
            (
                sim.sessions_open != u64::from(self.shards),
                "sessions ended that should have stayed resumable",
            ),
            (sim.closed_final > 0, "connections were closed for good"),
            (sim.violations > 0, "Discord's rules were broken"),
        ];
        let wrong: Vec<_> = wrong
            .iter()
            .filter(|(is, _)| *is)
            .map(|&(_, what)| what)
            .collect();
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Failure::Failed(format!(
            "the demo did not end well: {}",
            wrong.join("; ")
        )))
    }
}
