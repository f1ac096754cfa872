//! Policies as their papers have them, over the same weights: LRU, SIEVE, S3-FIFO.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::world::{Name, Step};

/// Somebody who keeps some of what passes.
pub(crate) trait Policy {
    /// Whether a key is held. It counts as asked for.
    fn get(&mut self, key: Name) -> bool;

    /// Brings a value.
    fn put(&mut self, step: Step);
}

/// What an entry counts in policies without memory of their own: as little beside its value as the hot set's own
/// goal is.
pub(crate) const BESIDE: usize = 32;

pub(crate) fn weight(step: Step) -> usize {
    usize::from(step.bytes) + BESIDE
}

const NONE: usize = usize::MAX;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) key: Name,
    pub(crate) weight: usize,
    pub(crate) mark: u8,
    before: usize,
    after: usize,
}

/// Lists over one slab.
#[derive(Debug, Default)]
pub(crate) struct Nodes {
    nodes: Vec<Node>,
    free: Vec<usize>,
}

/// A list: its two ends, and what is in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    pub(crate) first: usize,
    pub(crate) last: usize,
    pub(crate) weight: usize,
}

impl List {
    pub(crate) const EMPTY: Self = Self {
        first: NONE,
        last: NONE,
        weight: 0,
    };

    pub(crate) fn is_empty(&self) -> bool {
        self.first == NONE
    }
}

impl Nodes {
    pub(crate) fn add(&mut self, key: Name, weight: usize) -> usize {
        let node = Node {
            key,
            weight,
            mark: 0,
            before: NONE,
            after: NONE,
        };
        if let Some(at) = self.free.pop() {
            self.nodes[at] = node;
            return at;
        }
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    pub(crate) fn free(&mut self, at: usize) {
        self.free.push(at);
    }

    pub(crate) fn node(&mut self, at: usize) -> &mut Node {
        &mut self.nodes[at]
    }

    pub(crate) fn push_first(&mut self, list: &mut List, at: usize) {
        self.nodes[at].before = NONE;
        self.nodes[at].after = list.first;
        match list.first {
            NONE => list.last = at,
            first => self.nodes[first].before = at,
        }
        list.first = at;
        list.weight += self.nodes[at].weight;
    }

    /// Takes an entry out; who stood before it.
    pub(crate) fn unlink(&mut self, list: &mut List, at: usize) -> usize {
        let Node {
            before,
            after,
            weight,
            ..
        } = self.nodes[at];
        match before {
            NONE => list.first = after,
            before => self.nodes[before].after = after,
        }
        match after {
            NONE => list.last = before,
            after => self.nodes[after].before = before,
        }
        list.weight -= weight;
        before
    }
}

/// Who was asked for least lately goes.
pub(crate) struct Lru {
    budget: usize,
    at: HashMap<Name, usize>,
    nodes: Nodes,
    list: List,
}

impl Lru {
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            budget,
            at: HashMap::new(),
            nodes: Nodes::default(),
            list: List::EMPTY,
        }
    }
}

impl Policy for Lru {
    fn get(&mut self, key: Name) -> bool {
        let Some(&at) = self.at.get(&key) else {
            return false;
        };
        self.nodes.unlink(&mut self.list, at);
        self.nodes.push_first(&mut self.list, at);
        true
    }

    fn put(&mut self, step: Step) {
        if self.get(step.key) {
            return;
        }
        let at = self.nodes.add(step.key, weight(step));
        self.at.insert(step.key, at);
        self.nodes.push_first(&mut self.list, at);
        while self.list.weight > self.budget {
            let last = self.list.last;
            self.nodes.unlink(&mut self.list, last);
            self.at.remove(&self.nodes.node(last).key);
            self.nodes.free(last);
        }
    }
}

/// A hand goes from the oldest to the newest; who was asked for since stays where it is.
pub(crate) struct Sieve {
    lru: Lru,
    hand: usize,
}

impl Sieve {
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            lru: Lru::new(budget),
            hand: NONE,
        }
    }
}

impl Policy for Sieve {
    fn get(&mut self, key: Name) -> bool {
        let Some(&at) = self.lru.at.get(&key) else {
            return false;
        };
        self.lru.nodes.node(at).mark = 1;
        true
    }

    fn put(&mut self, step: Step) {
        let Lru {
            budget,
            at,
            nodes,
            list,
        } = &mut self.lru;
        if at.contains_key(&step.key) {
            return;
        }
        while list.weight + weight(step) > *budget && !list.is_empty() {
            if self.hand == NONE {
                self.hand = list.last;
            }
            let node = nodes.node(self.hand);
            if node.mark > 0 {
                node.mark = 0;
                self.hand = node.before;
                continue;
            }
            let (key, gone) = (node.key, self.hand);
            self.hand = nodes.unlink(list, gone);
            at.remove(&key);
            nodes.free(gone);
        }
        let new = nodes.add(step.key, weight(step));
        at.insert(step.key, new);
        nodes.push_first(list, new);
    }
}

/// A small queue for what is new, a main queue, and the names of those who left the small one.
pub(crate) struct S3Fifo {
    budget: usize,
    /// Touches, weight, and whether it is in the main queue.
    held: HashMap<Name, (u8, usize, bool)>,
    small: VecDeque<Name>,
    main: VecDeque<Name>,
    weights: [usize; 2],
    ghost: VecDeque<Name>,
    is_ghost: HashSet<Name>,
}

impl S3Fifo {
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            budget,
            held: HashMap::new(),
            small: VecDeque::new(),
            main: VecDeque::new(),
            weights: [0; 2],
            ghost: VecDeque::new(),
            is_ghost: HashSet::new(),
        }
    }

    fn evict(&mut self) {
        if self.weights[0] * 10 > self.budget || self.main.is_empty() {
            let Some(key) = self.small.pop_front() else {
                return;
            };
            let held = self.held.get_mut(&key).expect("what is in a queue is held");
            self.weights[0] -= held.1;
            if held.0 > 1 {
                (held.0, held.2) = (0, true);
                self.weights[1] += held.1;
                self.main.push_back(key);
            } else {
                self.held.remove(&key);
                if self.is_ghost.insert(key) {
                    self.ghost.push_back(key);
                }
                while self.ghost.len() > self.main.len().max(100) {
                    let forgotten = self.ghost.pop_front().expect("it is not empty");
                    self.is_ghost.remove(&forgotten);
                }
            }
            return;
        }
        let Some(key) = self.main.pop_front() else {
            return;
        };
        let held = self.held.get_mut(&key).expect("what is in a queue is held");
        if held.0 > 0 {
            held.0 -= 1;
            self.main.push_back(key);
        } else {
            self.weights[1] -= held.1;
            self.held.remove(&key);
        }
    }
}

impl Policy for S3Fifo {
    fn get(&mut self, key: Name) -> bool {
        let Some(held) = self.held.get_mut(&key) else {
            return false;
        };
        held.0 = (held.0 + 1).min(3);
        true
    }

    fn put(&mut self, step: Step) {
        if self.held.contains_key(&step.key) {
            return;
        }
        let weight = weight(step);
        while self.weights[0] + self.weights[1] + weight > self.budget && !self.held.is_empty() {
            self.evict();
        }
        let is_main = self.is_ghost.contains(&step.key);
        self.held.insert(step.key, (0, weight, is_main));
        self.weights[usize::from(is_main)] += weight;
        if is_main {
            self.main.push_back(step.key);
        } else {
            self.small.push_back(step.key);
        }
    }
}
