//! A strict model of Discord's REST limits, in virtual time: who may pass, what the headers say, and whose fault a 429
//! was.
//!
//! It shares no code with `shardkeep_core`'s scheduler: a mistake there shows here. Two ways in:
//!
//! * [`Limits`] is the limiter alone: a request arrives, and is let through or refused.
//! * [`Network`] puts latency, lost answers and failures around it: what tests of a client talk to.
//!
//! The server and the [`World`](crate::World) use the same limits, with real sockets and real objects behind them.

mod arrivals;
mod best;
mod bucket;
mod check;
mod config;
mod fate;
mod guard;
mod judge;
mod known;
mod limits;
mod network;
mod presets;
mod reply;
mod route;
mod rule;
mod rules;
mod window;

pub use self::arrivals::{Arrival, Outcome, Refusal, RestCounters};
pub use self::best::{Bound, SoFar};
pub use self::check::RestConfigError;
pub use self::config::{Denial, FaultRate, GlobalLimit, Guard, Latency, RestConfig, RestFault};
pub use self::fate::Fate;
pub use self::limits::{Limits, Permit, Request, Verdict};
pub use self::network::{Delivery, Network};
pub use self::reply::{Headers, Reply};
pub use self::rule::{Age, HashChange, Kind, Major, Rule, Scope, Sublimit};
