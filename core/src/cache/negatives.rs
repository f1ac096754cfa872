//! What is believed not to exist, for a while.

use alloc::collections::{BTreeMap, VecDeque};

use super::Key;
use crate::time::Instant;

#[derive(Clone, Debug, Default)]
pub(super) struct Negatives {
    until: BTreeMap<Key, Instant>,
    /// In the order in which they came.
    order: VecDeque<(Instant, Key)>,
    most: usize,
}

impl Negatives {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    pub(super) fn insert(&mut self, key: Key, until: Instant) {
        if self.most == 0 {
            return;
        }
        // What has come back or has come again stands in the order in vain; it is bounded too.
        while self.order.len() >= self.most {
            let Some((at, oldest)) = self.order.pop_front() else {
                break;
            };
            if self.until.get(&oldest) == Some(&at) {
                self.until.remove(&oldest);
            }
        }
        self.until.insert(key, until);
        self.order.push_back((until, key));
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.until.remove(&key);
    }

    pub(super) fn has(&self, key: Key, now: Instant) -> bool {
        self.until.get(&key).is_some_and(|until| now < *until)
    }
}
