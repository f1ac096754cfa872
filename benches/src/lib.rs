//! What the benches share: the stream they all read, ways to read it in memory, counters of time and memory, plots.

pub mod consume;
pub mod recording;
pub mod usage;
