//! What limits are called in the ledger.

use alloc::format;
use alloc::string::String;

use crate::rest::Scheduler;
use crate::rest::buckets::{Bucket, BucketHash, Limiter};
use crate::rest::lane::RouteKey;
use crate::rest::route::{Major, Method, Template};

use super::Target;

/// The name of a resource.
fn resource(major: Major) -> String {
    match major {
        Major::None => String::from("0"),
        Major::Guild(id) => format!("g{id}"),
        Major::Channel(id) => format!("c{id}"),
        Major::Webhook { id, token: None } => format!("w{id}"),
        Major::Webhook {
            id,
            token: Some(token),
        } => format!("w{id}:{token:x}"),
        Major::Interaction(token) => format!("i{token:x}"),
    }
}

/// The name of a route.
pub(super) fn route(pooled: u64, key: RouteKey) -> String {
    let (template, method) = (key.template.hash(), key.method.number());
    format!("{pooled:x}:{template:x}:{method}:{}", key.class)
}

/// The route of a name, and whose it is.
pub(super) fn parse_route(name: &str) -> Option<(u64, Template, Method, u8)> {
    let mut parts = name.split(':');
    let pooled = u64::from_str_radix(parts.next()?, 16).ok()?;
    let template = u64::from_str_radix(parts.next()?, 16).ok()?;
    let number: u8 = parts.next()?.parse().ok()?;
    let class = parts.next()?.parse().ok()?;
    let method = Method::ALL
        .iter()
        .find(|method| method.number() == number)?;
    Some((pooled, Template::from_hash(template), *method, class))
}

pub(super) fn hash(hash: BucketHash) -> String {
    format!("{:016x}", hash.0)
}

pub(super) fn parse_hash(text: &str) -> Option<BucketHash> {
    u64::from_str_radix(text, 16).ok().map(BucketHash)
}

pub(super) fn bucket(pooled: u64, of: BucketHash, major: Major) -> String {
    format!("b:{pooled:x}:{}:{}", hash(of), resource(major))
}

/// Whatever is found out about a resource, one member at a time does: which bucket it counts in is not known before.
pub(super) fn discovery(pooled: u64, major: Major) -> String {
    format!("d:{pooled:x}:{}", resource(major))
}

impl Scheduler {
    /// The key under which the routes of a bucket's resource are found out, and how many requests of this member do
    /// that, or may.
    pub(super) fn discovery_of(&self, bucket: u32) -> Option<(String, u32)> {
        let of = self.buckets.get(bucket as usize)?;
        let pooled = self.identities[of.identity].pooled?;
        let major = match of.limiter {
            Limiter::Named { .. } => of.name?.1,
            Limiter::Unknown => self.lanes[*of.lanes.first()? as usize].key.major,
            Limiter::Free => return None,
        };
        let held = self
            .buckets
            .iter()
            .filter(|&(at, other)| at != bucket as usize && other.identity == of.identity)
            .map(|(_, other)| self.finds_out(other, major))
            .fold(0, u32::saturating_add);
        let own = match of.limiter {
            Limiter::Unknown => self.finds_out(of, major),
            Limiter::Named { .. } | Limiter::Free => 0,
        };
        let held = held.saturating_add(own);
        Some((discovery(pooled, major), held))
    }

    /// How many requests of a bucket find out, or may, what a resource's routes count in, as far as the ledger knows.
    fn finds_out(&self, bucket: &Bucket, resource: Major) -> u32 {
        let allowance = bucket.allowance.as_deref();
        match bucket.limiter {
            Limiter::Named { .. } if bucket.name.is_some_and(|(_, major)| major == resource) => {
                allowance.map_or(0, |allowance| allowance.unheard)
            }
            Limiter::Unknown
                if bucket
                    .lanes
                    .first()
                    .is_some_and(|&lane| self.lanes[lane as usize].key.major == resource) =>
            {
                let usable = allowance.map_or(0, |allowance| allowance.usable(self.now));
                bucket.in_flight + usable
            }
            Limiter::Named { .. } | Limiter::Unknown | Limiter::Free => 0,
        }
    }

    /// What a limit is called in the ledger; `None` if it is not shared, or no longer there.
    pub(super) fn key_of(&self, target: Target) -> Option<String> {
        match target {
            Target::Invalid => Some(String::from("i")),
            Target::Identity(at) => {
                let pooled = self.identities[at as usize].pooled?;
                Some(format!("g:{pooled:x}"))
            }
            Target::Bucket(at) => {
                let bucket_of = self.buckets.get(at as usize)?;
                let pooled = self.identities[bucket_of.identity].pooled?;
                match bucket_of.limiter {
                    Limiter::Free => None,
                    Limiter::Named { .. } => {
                        let (hash, major) = bucket_of.name?;
                        Some(bucket(pooled, hash, major))
                    }
                    Limiter::Unknown => {
                        let &lane = bucket_of.lanes.first()?;
                        Some(discovery(pooled, self.lanes[lane as usize].key.major))
                    }
                }
            }
            Target::Lane(at) => {
                let lane = self.lanes.get(at as usize)?;
                lane.sublimit.as_ref()?;
                let identity = self.buckets[lane.bucket as usize].identity;
                let route = route(self.identities[identity].pooled?, lane.key.route);
                Some(format!("s:{route}:{}", resource(lane.key.major)))
            }
        }
    }
}
