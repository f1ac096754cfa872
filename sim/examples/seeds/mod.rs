//! Runs of many seeds on all processors, with a bar that shows how far they are.

use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

/// Which seeds to run.
pub(crate) struct Seeds {
    from: u64,
    count: u64,
}

impl Seeds {
    /// The seeds that the program's arguments name; `None`, with the usage printed, if they make no sense.
    #[expect(clippy::print_stdout, reason = "this is what the program is for")]
    pub(crate) fn from_arguments(program: &str) -> Option<Self> {
        let seeds = Self::range(std::env::args().skip(1));
        if seeds.is_none() {
            println!("usage: {program} [--seeds N] [--from N] [--seed N]");
        }
        seeds
    }

    fn range(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let (mut from, mut count) = (1, 1_000);
        while let Some(word) = words.next() {
            let number = words.next()?.parse().ok()?;
            match word.as_str() {
                "--seeds" => count = number,
                "--from" => from = number,
                "--seed" => (from, count) = (number, 1),
                _ => return None,
            }
        }
        Some(Self { from, count })
    }

    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// Runs every seed, and hands on what each one showed.
    pub(crate) fn run<R: Send>(&self, run: impl Fn(u64) -> R + Sync, take: impl FnMut(R) + Send) {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new(self.count)
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {eta} left") {
            bar.set_style(style);
        }
        let next = AtomicU64::new(self.from);
        let take = Mutex::new(take);
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= self.from + self.count {
                            break;
                        }
                        let report = run(seed);
                        take.lock().expect("no thread panics while it holds this")(report);
                        bar.inc(1);
                    }
                });
            }
        });
        bar.finish_and_clear();
    }
}
