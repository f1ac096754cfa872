//! Those who want a record: one question for each key, for everybody who asks.

use super::behind::What;
use super::flights::Stage;
use super::{Cache, Failure, Found, Key, Kind, Misuse, Output, RequestId};
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

    /// Ends a question: everybody who asked gets the answer.
    pub(super) fn deliver(&mut self, key: Key, found: &Found) {
        let Some(flight) = self.flights.end(key) else {
            return;
        };
        for (id, _) in flight.waiters {
            self.answer(id, found.clone());
        }
    }

    /// A record has come, by whatever way: whoever waits for it gets it.
    pub(super) fn arrived(&mut self, key: Key, json: &[u8]) {
        if self.flights.get(key).is_some() {
            let json = self.json(self.now, key).unwrap_or_else(|| json.to_vec());
            self.deliver(key, &Found::Record(json));
        }
    }
}
