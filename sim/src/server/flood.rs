//! Events made beforehand, sent as fast as sockets take them.
use crate::World;
use serde::Deserialize;
use serde_json::{Value, json};
use shardkeep_core::Instant;
/// A flood.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloodRequest {
    /// n
    pub events: u64,
    /// t
    pub then: String,
    /// b
    #[serde(default)]
    pub bytes: usize,
}
#[derive(Default)]
pub(super) struct Flood;
impl Flood {
    pub(super) fn is_running(&self) -> bool {
        false
    }
    pub(super) fn start(&mut self, _f: FloodRequest, _w: &mut World) -> Value {
        json!({})
    }
    pub(super) fn step(
        &mut self,
        _n: Instant,
        _w: &mut World,
        _room: impl Fn(u64) -> Option<usize>,
    ) -> bool {
        false
    }
}
