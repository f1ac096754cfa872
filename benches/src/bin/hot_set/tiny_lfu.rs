//! W-TinyLFU as its paper has it: an LRU window, a segmented LRU, and a sketch that decides who stays.

use std::collections::HashMap;

use crate::policies::{List, Nodes, Policy, weight};
use crate::world::{Name, Step};

/// Counts of up to 15 for hashes, halved now and then.
struct Sketch {
    counts: Vec<u8>,
    mask: u64,
    asked: usize,
    period: usize,
}

impl Sketch {
    fn new(entries: usize) -> Self {
        let size = (entries * 4).next_power_of_two();
        Self {
            counts: vec![0; size],
            mask: size as u64 - 1,
            asked: 0,
            period: entries * 10,
        }
    }

    fn places(&self, key: Name) -> [usize; 4] {
        let name = u64::from(key.scope) << 32 | u64::from(key.id);
        let hash = (name ^ u64::from(key.of) << 60).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        [1_u64, 3, 5, 7].map(|odd| {
            let mixed = (hash ^ (hash >> 29)).wrapping_mul(odd.wrapping_mul(0xbf58_476d_1ce4_e5b9));
            ((mixed >> 24) & self.mask) as usize
        })
    }

    fn count(&self, key: Name) -> u8 {
        let counts = self.places(key).map(|place| self.counts[place]);
        counts.into_iter().min().unwrap_or(0)
    }

    fn add(&mut self, key: Name) {
        for place in self.places(key) {
            self.counts[place] = (self.counts[place] + 1).min(15);
        }
        self.asked += 1;
        if self.asked == self.period {
            self.asked /= 2;
            self.counts.iter_mut().for_each(|count| *count /= 2);
        }
    }
}

/// Lists by number: window, probation, protected.
pub(crate) struct TinyLfu {
    budget: usize,
    window: usize,
    at: HashMap<Name, usize>,
    nodes: Nodes,
    lists: [List; 3],
    sketch: Sketch,
}

impl TinyLfu {
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            budget,
            window: budget / 100,
            at: HashMap::new(),
            nodes: Nodes::default(),
            lists: [List::EMPTY; 3],
            sketch: Sketch::new(budget / 120),
        }
    }

    fn shift(&mut self, at: usize, to: u8) {
        let from = usize::from(self.nodes.node(at).mark);
        self.nodes.unlink(&mut self.lists[from], at);
        self.nodes.node(at).mark = to;
        self.nodes.push_first(&mut self.lists[usize::from(to)], at);
    }

    fn remove(&mut self, at: usize) {
        let node = *self.nodes.node(at);
        self.nodes
            .unlink(&mut self.lists[usize::from(node.mark)], at);
        self.at.remove(&node.key);
        self.nodes.free(at);
    }

    fn balance(&mut self) {
        while self.lists[0].weight > self.window {
            let candidate = self.lists[0].last;
            self.shift(candidate, 1);
            let main = self.budget - self.window;
            while self.lists[1].weight + self.lists[2].weight > main {
                let victim = self.lists[1].last;
                let victim = if victim == candidate || self.lists[1].is_empty() {
                    self.lists[2].last
                } else {
                    victim
                };
                if victim == usize::MAX {
                    self.remove(candidate);
                    break;
                }
                let keys = [candidate, victim].map(|at| self.nodes.node(at).key);
                if self.sketch.count(keys[0]) > self.sketch.count(keys[1]) {
                    self.remove(victim);
                } else {
                    self.remove(candidate);
                    break;
                }
            }
        }
    }
}

impl Policy for TinyLfu {
    fn get(&mut self, key: Name) -> bool {
        self.sketch.add(key);
        let Some(&at) = self.at.get(&key) else {
            return false;
        };
        let list = self.nodes.node(at).mark;
        self.shift(at, if list == 0 { 0 } else { 2 });
        while self.lists[2].weight > (self.budget - self.window) / 10 * 8 {
            let last = self.lists[2].last;
            self.shift(last, 1);
        }
        true
    }

    fn put(&mut self, step: Step) {
        if self.at.contains_key(&step.key) {
            return;
        }
        let at = self.nodes.add(step.key, weight(step));
        self.at.insert(step.key, at);
        self.nodes.push_first(&mut self.lists[0], at);
        self.balance();
    }
}
