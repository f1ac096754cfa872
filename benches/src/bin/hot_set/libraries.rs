//! Caches as they are: quick_cache, moka and the hot set itself; and what each of them takes beside a value.

use allocation_counter::measure;
use quick_cache::unsync;
use shardkeep_core::Instant;
use shardkeep_core::cache::hot_set::{Config, HotSet, Key};

use crate::policies::Policy;
use crate::world::{Name, Step};

/// A value of so many bytes, without the bytes.
#[derive(Clone, Copy, Debug)]
struct Weight(u32);

impl Weight {
    fn of(step: Step, beside: usize) -> Self {
        Self(u32::from(step.bytes) + beside as u32)
    }
}

#[derive(Clone, Debug)]
struct ByWeight;

impl quick_cache::Weighter<Name, Weight> for ByWeight {
    fn weight(&self, _: &Name, value: &Weight) -> u64 {
        u64::from(value.0)
    }
}

pub(crate) struct Quick {
    cache: unsync::Cache<Name, Weight, ByWeight>,
    beside: usize,
}

impl Quick {
    /// A cache that counts so many bytes for each entry beside its value.
    pub(crate) fn new(budget: usize, beside: usize) -> Self {
        let entries = budget / (90 + beside);
        let cache = unsync::Cache::with_weighter(entries, budget as u64, ByWeight);
        Self { cache, beside }
    }
}

impl Policy for Quick {
    fn get(&mut self, key: Name) -> bool {
        self.cache.get(&key).is_some()
    }

    fn put(&mut self, step: Step) {
        self.cache.insert(step.key, Weight::of(step, self.beside));
    }
}

/// moka does its chores when it is asked to, so that runs repeat.
pub(crate) struct Moka {
    cache: moka::sync::Cache<Name, Weight>,
    steps: u32,
    beside: usize,
}

impl Moka {
    pub(crate) fn new(budget: usize, beside: usize) -> Self {
        let cache = moka::sync::Cache::builder()
            .max_capacity(budget as u64)
            .weigher(|_, value: &Weight| value.0)
            .build();
        Self {
            cache,
            steps: 0,
            beside,
        }
    }

    fn step(&mut self) {
        self.steps += 1;
        if self.steps.is_multiple_of(64) {
            self.cache.run_pending_tasks();
        }
    }
}

impl Policy for Moka {
    fn get(&mut self, key: Name) -> bool {
        self.step();
        self.cache.get(&key).is_some()
    }

    fn put(&mut self, step: Step) {
        self.step();
        self.cache.insert(step.key, Weight::of(step, self.beside));
    }
}

/// The hot set, with all that it holds within the budget.
pub(crate) struct Ours {
    set: HotSet,
    value: Vec<u8>,
}

impl Ours {
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            set: HotSet::new(&Config::new(budget, 1)),
            value: vec![0; usize::from(u16::MAX)],
        }
    }
}

impl Policy for Ours {
    fn get(&mut self, key: Name) -> bool {
        self.set.get(Instant::ZERO, key.key()).is_some()
    }

    fn put(&mut self, step: Step) {
        let (key, value) = (step.key.key(), &self.value[..usize::from(step.bytes)]);
        let put = if step.is_write {
            HotSet::insert
        } else {
            HotSet::insert_asked
        };
        // Values are shorter than the longest, and kinds keep everything.
        let _ = put(&mut self.set, Instant::ZERO, key, value, &mut |_| {});
    }
}

/// Entries that are held to see what each takes: users and members, a hundred in a guild.
const HELD: u32 = 100_000;

/// Bytes of their values.
const VALUE: usize = 60;

fn names() -> impl Iterator<Item = Key> {
    (0..HELD).map(|id| {
        let (of, scope) = if id % 2 == 0 {
            (3, id / 200 + 1)
        } else {
            (4, 0)
        };
        Name { of, scope, id }.key()
    })
}

/// Bytes that the allocator gives for each entry beside its value.
fn beside<T>(make: impl FnOnce() -> T) -> usize {
    let mut made = None;
    let counted = measure(|| made = Some(make()));
    let bytes = usize::try_from(counted.bytes_current).unwrap_or(0);
    drop(made);
    bytes / HELD as usize - VALUE
}

/// The same for the hot set, quick_cache and moka; with keys of the hot set and boxed values.
pub(crate) fn all_beside() -> [usize; 3] {
    let value = || vec![0_u8; VALUE].into_boxed_slice();
    [
        beside(|| {
            let mut set = HotSet::new(&Config::new(64 << 20, 1));
            for key in names() {
                let _ = set.insert(Instant::ZERO, key, &value(), &mut |_| {});
            }
            set
        }),
        beside(|| {
            let mut cache = unsync::Cache::new(HELD as usize);
            names().for_each(|key| cache.insert(key, value()));
            cache
        }),
        beside(|| {
            // A clone of the value is what its reader gets, hence the reference count.
            let cache = moka::sync::Cache::new(u64::from(HELD));
            for key in names() {
                cache.insert(key, std::sync::Arc::<[u8]>::from(value()));
                cache.run_pending_tasks();
            }
            cache
        }),
    ]
}
