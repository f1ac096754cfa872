//! One cache takes everything in: what the process grows by.

use serde::{Deserialize, Serialize};
use shardkeep_benches::payloads::Lines;
use shardkeep_benches::usage;
use shardkeep_core::cache::{Cache, Config, Input, Kind, Version};
use shardkeep_core::wire::EventKind;
use shardkeep_core::{Instant, Machine as _};
use twilight_cache_inmemory::{DefaultInMemoryCache, ResourceType};
use twilight_model::gateway::payload::incoming::GuildCreate;
use twilight_model::guild::Guild;

use super::{Job, Outcome};

/// More than all of it takes: nothing is given up.
const BUDGET: usize = 4 << 30;

/// What a process tells of itself; those in other languages too.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Filled {
    /// Members that the cache has when everything was taken in.
    pub(super) members: u64,
    /// What the process grew by.
    pub(super) grown_kib: u64,
    /// Processor time that it took, reading the file included.
    pub(super) cpu_s: f64,
}

pub(super) fn run(who: &str, job: &Job) -> Outcome<Filled> {
    match who {
        "shardkeep" => shardkeep(job),
        "twilight" => twilight(job),
        _ => Err(format!("there is no cache {who}").into()),
    }
}

/// Has `take` called with every line. `members` is asked last.
fn measure<C>(
    job: &Job,
    mut cache: C,
    mut take: impl FnMut(&mut C, &[u8]) -> Outcome<()>,
    members: impl FnOnce(&C) -> u64,
) -> Outcome<Filled> {
    let mut lines = Lines::new(job.sizes.longest);
    let (before_kib, cpu) = (usage::rss_kib(), usage::cpu_ns());
    let mut texts = lines.open(&job.path)?;
    while let Some(line) = texts.next_line()? {
        take(&mut cache, line)?;
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let cpu_s = (usage::cpu_ns() - cpu) as f64 / 1e9;
    Ok(Filled {
        grown_kib: usage::rss_kib().saturating_sub(before_kib),
        cpu_s,
        members: members(&cache),
    })
}

fn shardkeep(job: &Job) -> Outcome<Filled> {
    let cache = Cache::new(Config::new(BUDGET, 7));
    let mut sequence = 0;
    let take = |cache: &mut Cache, d: &[u8]| {
        sequence += 1;
        let input = Input::Dispatch {
            event: EventKind::GuildCreate,
            d,
            version: Version::new(1, sequence),
            wall_ms: sequence,
        };
        let taken = cache.handle_input(Instant::ZERO, input);
        taken.map_err(|misuse| misuse.to_string())?;
        while cache.poll_output().is_some() {}
        Ok(())
    };
    measure(job, cache, take, |cache| {
        let stats = cache.stats();
        let kind = |kind: Kind| stats.hot.kinds[usize::from(kind.number())];
        for one in Kind::ALL.iter().filter(|one| kind(**one).count > 0) {
            let (count, bytes) = (kind(*one).count, kind(*one).bytes);
            eprintln!("  {one}: {count}, {bytes} bytes");
        }
        eprintln!("  held by the hot set: {}", stats.held_bytes);
        kind(Kind::Member).count as u64
    })
}

/// With everything it can keep, as its documentation has it.
fn twilight(job: &Job) -> Outcome<Filled> {
    let cache = DefaultInMemoryCache::builder()
        .resource_types(ResourceType::all())
        .build();
    let take = |cache: &mut DefaultInMemoryCache, d: &[u8]| {
        // Its gateway tries another type first; this is less work and leaves less behind.
        let guild: Guild = serde_json::from_slice(d)?;
        cache.update(&GuildCreate::Available(guild));
        Ok(())
    };
    measure(job, cache, take, |cache| {
        let all = cache.stats().guilds();
        let guilds = cache.iter().guilds().map(|guild| guild.id());
        let members = guilds.map(|guild| cache.guild_members(guild).map_or(0, |ids| ids.len()));
        let members = members.sum::<usize>() as u64;
        eprintln!("  guilds: {all}, users: {}", cache.stats().users());
        members
    })
}
