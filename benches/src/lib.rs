//! What the benches share: the stream they all read, ways to read it, counters of time and memory, plots.

pub mod child;
pub mod consume;
pub mod document;
pub mod feeder;
pub mod holders;
pub mod lines;
pub mod meter;
pub mod payloads;
pub mod plot;
pub mod recording;
pub mod texts;
pub mod traffic;
pub mod usage;
