//! The buckets as the scheduler holds them: a window, the lanes that share it, and its place in the order.

use alloc::boxed::Box;

use crate::time::Instant;

use super::Scheduler;
use super::bucket::{Room, Window};
use super::few::Few;
use super::identity::ReadyKey;
use super::io::Auth;
use super::pool::Allowance;
use super::profile::Profile;
use super::route::Major;

/// Discord's name for a limit, hashed to 64 bits: `X-RateLimit-Bucket`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BucketHash(pub(super) u64);

impl BucketHash {
    /// FNV-1a: the names are Discord's own and a few hundred, so nobody can make them collide.
    pub(super) fn of(name: &str) -> Self {
        let fold = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(name.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, fold))
    }
}

/// What is known of a bucket's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limiter {
    /// Nothing: one request at a time finds out.
    Unknown,
    /// Answers name no bucket: only the global limit holds.
    Free,
    /// A limit that Discord named.
    Named { profile: u32 },
}

/// In the order of use, by cache lines: whether and when it could send is told by the first two alone, up to the start
/// of its window.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct Bucket {
    pub(super) identity: usize,
    pub(super) lanes: Few,
    pub(super) limiter: Limiter,
    pub(super) queued: u32,
    pub(super) in_flight: u32,
    /// Its place among those that could send now.
    pub(super) ready: Option<ReadyKey>,
    /// When it is looked at again.
    pub(super) wait: Option<Instant>,
    pub(super) window: Window,
    /// The hash of a limit that Discord named, and the resource.
    pub(super) name: Option<(BucketHash, Major)>,
    pub(super) auth: Auth,
    pub(super) is_exempt: bool,
    /// What it may use of a limit that other processes share.
    pub(super) allowance: Option<Box<Allowance>>,
}

impl Bucket {
    pub(super) fn new(auth: Auth, identity: usize, limiter: Limiter, is_exempt: bool) -> Self {
        Self {
            identity,
            lanes: Few::default(),
            limiter,
            queued: 0,
            in_flight: 0,
            ready: None,
            wait: None,
            window: Window::default(),
            name: None,
            auth,
            is_exempt,
            allowance: None,
        }
    }
}

impl Scheduler {
    pub(super) fn profile_of(&self, bucket: &Bucket) -> Option<&Profile> {
        match bucket.limiter {
            Limiter::Named { profile } => Some(&self.profiles[profile as usize]),
            Limiter::Unknown | Limiter::Free => None,
        }
    }

    /// How many of a bucket may go now.
    pub(super) fn room(&self, bucket: &Bucket) -> Room {
        self.pooled_room(bucket, self.own_room(bucket))
    }

    /// The same, as far as this process knows by itself.
    pub(super) fn own_room(&self, bucket: &Bucket) -> Room {
        let margin = self.config.reset_margin;
        let unlimited = |limit: u32| Profile::new(limit);
        match bucket.limiter {
            Limiter::Named { profile } => {
                let profile = &self.profiles[profile as usize];
                bucket
                    .window
                    .room(profile, self.now, bucket.in_flight, margin)
            }
            // The window only knows how long Discord said to wait: nothing has taught it anything else.
            Limiter::Unknown => {
                bucket
                    .window
                    .room(&unlimited(1), self.now, bucket.in_flight, margin)
            }
            Limiter::Free => {
                bucket
                    .window
                    .room(&unlimited(u32::MAX), self.now, bucket.in_flight, margin)
            }
        }
    }
}
