//! Those who want a record: one question for each key, for everybody who asks.

use super::apply::Whereabouts;
use super::behind::What;
use super::flights::Stage;
use super::{Cache, Failure, Found, Key, Kind, Misuse, Output, RequestId};
use crate::id::Snowflake;
use crate::time::Instant;

impl Cache {
    pub(super) fn fetch(
        &mut self,
        id: RequestId,
        key: Key,
        deadline: Option<Instant>,
    ) -> Result<(), Misuse> {
        if self.flights.waits(id) {
            return Err(Misuse::DuplicateRequest(id));
        }
        // What waits to be written comes back by this.
        let _ = self.find(key);
        if let Some(json) = self.json(self.now, key) {
            self.answer(id, Found::Record(json));
            return Ok(());
        }
        if let Some(What::Value(value)) = self.behind.get(key)
            && let Some((_, json)) = self.value_json(key, value)
        {
            self.answer(id, Found::Record(json));
            return Ok(());
        }
        if self.negatives.has(key, self.now) {
            self.stats.negative += 1;
            self.answer(id, Found::Absent);
            return Ok(());
        }
        if self.flights.get(key).is_some() {
            self.stats.joined += 1;
            self.flights.wait(key, id, deadline);
            return Ok(());
        }
        if self.flights.len() >= self.config.flights_max {
            self.answer(id, Found::Failed(Failure::Full));
        } else if self.may_be_stored(key) && self.is_store_up {
            let until = self.now + self.config.store_timeout;
            self.flights.begin(key, Stage::Store, Some(until));
            self.flights.wait(key, id, deadline);
        } else if self.config.fetched.contains(key.kind) {
            let flight = self.flights.begin(key, Stage::Discord, None);
            self.flights.wait(key, id, deadline);
            self.outbox.push_back(Output::Ask { flight, key });
        } else {
            self.answer(id, Found::Failed(Failure::NotFetched));
        }
        Ok(())
    }

    fn answer(&mut self, id: RequestId, found: Found) {
        self.outbox.push_back(Output::Deliver { id, found });
    }

    /// Whether the store may have something that is believed. Of a guild that the bot is in here, it has only what was
    /// given up.
    fn may_be_stored(&self, key: Key) -> bool {
        self.config.stores(key.kind)
            && self.behind.get(key).is_none()
            && (!self.owns(key) || self.may_be_elsewhere(key))
    }

    /// Whether this cache is told what happens to a record that it has fetched, and may therefore hold it. A message
    /// or a thread's member does not say which guild it goes with.
    pub(super) fn owns(&self, key: Key) -> bool {
        match key.kind {
            Kind::User => key.id == self.own || self.references.contains_key(&key.id),
            Kind::Guild => self.guilds.contains_key(&key.id),
            Kind::Message | Kind::ThreadMember => false,
            _ => self.guilds.contains_key(&key.scope),
        }
    }

    /// Asks Discord for what is under way, anew if it was asked already. Without anybody waiting, the question ends.
    pub(super) fn ask_discord(&mut self, key: Key) {
        let Some(flight) = self.flights.get(key) else {
            return;
        };
        if flight.waiters.is_empty() {
            self.flights.end(key);
        } else if !self.config.fetched.contains(key.kind) {
            self.deliver(key, &Found::Failed(Failure::NotFetched));
        } else if let Some(flight) = self.flights.ask_discord(key) {
            self.outbox.push_back(Output::Ask { flight, key });
        }
    }

    /// Something was told of a user that is not hot now: a member that Discord was asked for before brings an older
    /// one.
    pub(super) fn ask_for_members_of(&mut self, user: Snowflake) {
        for key in self.flights.members_of(user) {
            if self
                .flights
                .get(key)
                .is_some_and(|flight| flight.stage == Stage::Discord)
            {
                self.ask_discord(key);
            }
        }
    }

    /// Ends a question: everybody who asked gets the answer.
    pub(super) fn deliver(&mut self, key: Key, found: &Found) {
        let Some(flight) = self.flights.end(key) else {
            return;
        };
        for (id, _) in flight.waiters {
            self.answer(id, found.clone());
        }
    }

    /// Records have come that somebody waits for: what they are when the whole dispatch is taken is the answer.
    pub(super) fn deliver_arrived(&mut self) {
        while let Some(key) = self.arrived.pop() {
            match self.find(key) {
                Whereabouts::Hot(_, json) => {
                    let json = self.json(self.now, key).unwrap_or(json);
                    self.deliver(key, &Found::Record(json));
                }
                // It was given up at once, and what was asked for may be from before.
                Whereabouts::Unknown | Whereabouts::Elsewhere => self.ask_discord(key),
            }
        }
    }
}
