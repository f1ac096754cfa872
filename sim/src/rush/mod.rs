//! A REST scheduler under pressure: mixed workloads in virtual time against the strict model, one for each seed.
//!
//! The seed draws the limits (fixed, leaking and logged windows, hidden limits, hashes that change or alternate), the
//! network (latency, answers that overtake each other, failures, lost connections) and the workload (crowds, trickles,
//! a hot channel, interactions in between). [`run`] drives the scheduler through it and compares: no request over a
//! limit that had been announced, every request ended once, interactions that never waited, and how close the finish
//! came to the best possible one.

mod check;
pub mod crew;
mod draw;
mod drive;

use core::time::Duration;

pub use check::Report;

use crate::rest::RestConfig;

/// What a seed is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Everything at once: failures, hash changes, hidden limits, deadlines, cancellations.
    Storm,
    /// No failures and no surprises, after each route was called once: how fast can it be?
    Race,
}

/// What to run. Everything random follows from the seed.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Names the run: the same seed gives the same run.
    pub seed: u64,
    /// What the seed is about.
    pub theme: Theme,
}

impl Plan {
    /// Two seeds in three are storms, the third is a race.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        let theme = if seed.is_multiple_of(3) {
            Theme::Race
        } else {
            Theme::Storm
        };
        Self { seed, theme }
    }
}

/// One request of a workload.
#[derive(Clone, Debug)]
struct Wanted {
    at: Duration,
    method: &'static str,
    path: String,
    body: &'static [u8],
    class: u8,
    priority: shardkeep_core::rest::Priority,
    deadline: Option<Duration>,
    cancel_after: Option<Duration>,
}

/// The limits and the requests of one run.
#[derive(Clone, Debug)]
struct Scene {
    config: RestConfig,
    global: u32,
    /// Requests that find out the limits, before the others; empty in a storm.
    scouts: Vec<Wanted>,
    wanted: Vec<Wanted>,
}

/// Runs a plan and compares what the scheduler did with what the model saw.
///
/// ```
/// use shardkeep_sim::rush::{Plan, run};
///
/// let report = run(Plan::new(1));
/// assert_eq!(report.faults_found, Vec::<String>::new());
/// ```
#[must_use]
pub fn run(plan: Plan) -> Report {
    let scene = draw::scene(plan);
    drive::Drive::new(&scene, plan).finish()
}
