//! The network between a bot and its world: every message takes a while, in order, and a broken connection loses what
//! was under way.

use core::time::Duration;
use std::collections::BTreeMap;

use shardkeep_core::wire::CloseCode;
use shardkeep_core::{Instant, Rng};

/// What arrives at one end.
#[derive(Clone, Debug)]
pub(crate) enum Parcel {
    /// For the world: a WebSocket opens.
    Open(String),
    /// For the world: a text message.
    ToWorld(Vec<u8>),
    /// For the world: the client closed, or broke off.
    Closed(Option<u16>),
    /// For the bot: the WebSocket is open.
    Connected,
    /// For the bot: a message, binary or not.
    ToBot(Vec<u8>, bool),
    /// For the bot: the connection is gone.
    Disconnected(Option<CloseCode>),
}

impl Parcel {
    const fn is_for_bot(&self) -> bool {
        matches!(
            self,
            Self::Connected | Self::ToBot(..) | Self::Disconnected(_)
        )
    }
}

/// Parcels under way, by the time they arrive.
#[derive(Debug)]
pub(crate) struct Network {
    rng: Rng,
    parcels: BTreeMap<(Instant, u64), (u64, Parcel)>,
    /// When the last parcel of each direction of each connection arrives: none overtakes it.
    last: BTreeMap<(u64, bool), Instant>,
    sent: u64,
    latency: (Duration, Duration),
}

impl Network {
    pub(crate) fn new(rng: Rng, latency: (Duration, Duration)) -> Self {
        Self {
            rng,
            parcels: BTreeMap::new(),
            last: BTreeMap::new(),
            sent: 0,
            latency,
        }
    }

    pub(crate) fn send(&mut self, now: Instant, connection: u64, parcel: Parcel) {
        let direction = (connection, parcel.is_for_bot());
        let arrival = now + self.rng.duration_between(self.latency.0, self.latency.1);
        let arrival = self
            .last
            .get(&direction)
            .map_or(arrival, |&last| last.max(arrival));
        self.last.insert(direction, arrival);
        self.sent += 1;
        self.parcels
            .insert((arrival, self.sent), (connection, parcel));
    }

    /// A connection broke: what was under way to the bot is lost, or only its end is.
    pub(crate) fn sever(&mut self, now: Instant, connection: u64) {
        if self.rng.below(2) == 0 {
            let keep_before = now + self.rng.duration_below(self.latency.1);
            self.parcels.retain(|&(at, _), (other, parcel)| {
                *other != connection || !parcel.is_for_bot() || at < keep_before
            });
        }
        self.send(now, connection, Parcel::Disconnected(None));
    }

    /// The bot has hung up: it hears nothing more of this connection.
    pub(crate) fn forget(&mut self, connection: u64) {
        self.parcels
            .retain(|_, (other, parcel)| *other != connection || !parcel.is_for_bot());
    }

    /// What is under way on a connection is lost, in both directions.
    pub(crate) fn lose(&mut self, connection: u64) {
        self.parcels.retain(|_, (other, _)| *other != connection);
    }

    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.parcels.first_key_value().map(|(&(at, _), _)| at)
    }

    pub(crate) fn arrive(&mut self, now: Instant) -> Option<(u64, Parcel)> {
        let entry = self
            .parcels
            .first_entry()
            .filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }
}
