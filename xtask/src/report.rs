//! How each suite went, the table of them all, and the one line that continuous integration reads.

use std::time::{Duration, Instant};

/// What a suite counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Tally {
    /// A suite that counts as one.
    pub(crate) const ONE: Self = Self {
        passed: 1,
        failed: 0,
        skipped: 0,
    };

    /// Adds the figures of a line like `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
    pub(crate) fn add_cargo_line(&mut self, line: &str) {
        let Some(figures) = line.trim_start().strip_prefix("test result: ") else {
            return;
        };
        for part in figures.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(count), Some(what)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(count) = count.parse::<u64>() else {
                continue;
            };
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.skipped += count,
                _ => {}
            }
        }
    }

    /// Counts a line of a script that prints `ok   …` or `FAIL …` for each of its checks.
    pub(crate) fn add_check_line(&mut self, line: &str) {
        match line.split_whitespace().next() {
            Some("ok") => self.passed += 1,
            Some("FAIL") => self.failed += 1,
            _ => {}
        }
    }
}

/// How a suite ended.
pub(crate) enum Outcome {
    /// It ran; some of what it counts may have failed.
    Ran(Tally),
    /// It could not run here, and why.
    Skipped(String),
}

/// A suite that is over.
struct Row {
    name: &'static str,
    tally: Tally,
    took: Duration,
    note: String,
}

/// Every suite that is over.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Runs a suite and keeps how it went.
    pub(crate) fn run(
        &mut self,
        name: &'static str,
        suite: impl FnOnce() -> anyhow::Result<Outcome>,
    ) {
        let started = now();
        let (tally, note) = match suite() {
            Ok(Outcome::Ran(tally)) => (tally, String::new()),
            Ok(Outcome::Skipped(why)) => {
                println!("skipped: {why}");
                (
                    Tally {
                        skipped: 1,
                        ..Tally::default()
                    },
                    why,
                )
            }
            Err(error) => {
                eprintln!("failed: {error:#}");
                (
                    Tally {
                        failed: 1,
                        ..Tally::default()
                    },
                    format!("{error:#}"),
                )
            }
        };
        self.rows.push(Row {
            name,
            tally,
            took: started.elapsed(),
            note,
        });
    }

    /// The sum over all suites.
    pub(crate) fn total(&self) -> Tally {
        self.rows
            .iter()
            .fold(Tally::default(), |sum, Row { tally, .. }| Tally {
                passed: sum.passed + tally.passed,
                failed: sum.failed + tally.failed,
                skipped: sum.skipped + tally.skipped,
            })
    }

    /// The suites in which something failed.
    pub(crate) fn failed(&self) -> Vec<&'static str> {
        self.rows
            .iter()
            .filter(|row| row.tally.failed > 0)
            .map(|row| row.name)
            .collect()
    }

    /// The table, then the total alone on its line.
    pub(crate) fn print(&self) {
        println!(
            "\n{:<16}{:>8}{:>8}{:>8}{:>10}",
            "suite", "passed", "failed", "skipped", "time"
        );
        for Row {
            name,
            tally,
            took,
            note,
        } in &self.rows
        {
            let Tally {
                passed,
                failed,
                skipped,
            } = tally;
            let took = format!("{:.1} s", took.as_secs_f64());
            println!(
                "{name:<16}{passed:>8}{failed:>8}{skipped:>8}{took:>10}  {}",
                first_line(note)
            );
        }
        println!("\n{}", summary(self.total()));
    }
}

/// `N passed, M failed, K skipped`
fn summary(
    Tally {
        passed,
        failed,
        skipped,
    }: Tally,
) -> String {
    format!("{passed} passed, {failed} failed, {skipped} skipped")
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The clock, for the durations that are printed.
#[expect(
    clippy::disallowed_methods,
    reason = "a chore reports how long it took"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_figures_are_read() {
        let mut tally = Tally::default();
        tally.add_cargo_line("running 3 tests");
        tally.add_cargo_line(
            "test result: FAILED. 12 passed; 2 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.05s",
        );
        tally.add_cargo_line("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured");
        assert_eq!(
            tally,
            Tally {
                passed: 15,
                failed: 2,
                skipped: 1
            }
        );
    }

    #[test]
    fn a_scripts_checks_are_counted() {
        let mut tally = Tally::default();
        for line in [
            "ok   one",
            "FAIL two: why",
            "okay, not a check",
            "",
            "ok three",
        ] {
            tally.add_check_line(line);
        }
        assert_eq!(
            tally,
            Tally {
                passed: 2,
                failed: 1,
                skipped: 0
            }
        );
    }

    #[test]
    fn a_suite_that_errs_counts_as_failed() {
        let mut report = Report::default();
        report.run("good", || Ok(Outcome::Ran(Tally::ONE)));
        report.run("absent", || {
            Ok(Outcome::Skipped(String::from("no such tool")))
        });
        report.run("bad", || anyhow::bail!("it broke"));
        assert_eq!(summary(report.total()), "1 passed, 1 failed, 1 skipped");
        assert_eq!(report.failed(), ["bad"]);
    }
}
