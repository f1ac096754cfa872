//! The simulator in a process of its own, and what the bench asks of it.

use std::collections::BTreeMap;
use std::io::{Write as _, stdout};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use shardkeep_benches::child::Serving;
use shardkeep_sim::rest::RestConfig;
use shardkeep_sim::server::{Server, ServerConfig};
use shardkeep_sim::{DEFAULT_TOKEN, WorldConfig};

use super::{Job, Outcome};

/// One guild, one channel and one member of it are told for each: the crowd reads members of 60.
const GUILDS: u32 = 60;

/// How many requests are asked for at a time where no limit binds.
const IN_FLIGHT: usize = 32;
const UNLIMITED_REQUESTS: usize = 5_000;
/// Connections are open and just-in-time compilers have seen the code.
const WARM_UP: usize = 500;

/// Classes of 429s, as the simulator names them.
const CLASSES: [&str; 8] = [
    "announced",
    "unannounced",
    "hidden",
    "hidden_repeat",
    "hidden_early",
    "global_announced",
    "global_unannounced",
    "banned",
];

pub(super) fn serve() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let world = WorldConfig {
            guilds: GUILDS,
            members_per_guild: 10,
            ..WorldConfig::default()
        };
        let server = Server::start(ServerConfig {
            world,
            ..ServerConfig::default()
        })
        .await?;
        writeln!(stdout(), "{}", server.addresses())?;
        std::future::pending().await
    })
}

/// One of the simulator's guilds.
#[derive(Deserialize)]
struct Guild {
    id: String,
    channel: String,
    member: String,
}

/// What the simulator has let through and refused.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    /// Requests that no limit refused.
    pub(super) accepted: u64,
    /// All 429s.
    pub(super) all: u64,
    /// Those that were the client's fault.
    pub(super) faults: u64,
    /// By class, those that there are.
    pub(super) classes: Vec<(&'static str, u64)>,
}

/// A running simulator.
pub(super) struct Sim {
    _serving: Serving,
    api: String,
    control: String,
    guilds: Vec<Guild>,
}

impl Sim {
    pub(super) fn start() -> Outcome<Self> {
        let this = std::env::current_exe()?;
        let (serving, line) = Serving::start(Command::new(this).arg("serve"))?;
        let addresses: BTreeMap<String, String> = serde_json::from_str(&line)?;
        let address = |name: &str| addresses.get(name).cloned().unwrap_or_default();
        let control = address("control");
        let mut listed: Value = ureq::get(format!("{control}/guilds"))
            .call()?
            .body_mut()
            .read_json()?;
        Ok(Self {
            _serving: serving,
            api: address("api"),
            guilds: serde_json::from_value(listed["guilds"].take())?,
            control,
        })
    }

    /// Limits anew, and nothing counted.
    pub(super) fn reset(&self, preset: &str) -> Outcome<()> {
        let config = json!({ "preset": preset });
        ureq::put(format!("{}/rest", self.control)).send_json(config)?;
        Ok(())
    }

    pub(super) fn judged(&self) -> Outcome<Judged> {
        let report: Value = ureq::get(format!("{}/rest?last=0", self.control))
            .call()?
            .body_mut()
            .read_json()?;
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        let counters = &report["counters"];
        Ok(Judged {
            accepted: number(&counters["accepted"]),
            all: number(&counters["refused"]),
            faults: number(&report["faults"]),
            classes: CLASSES
                .map(|class| (class, number(&counters[class])))
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .collect(),
        })
    }

    /// The crowd: everything at once, with the best possible time.
    pub(super) fn crowd(&self) -> Outcome<(Job, Duration)> {
        let (mut channels, mut members) = (Vec::new(), Vec::new());
        let mut users: Vec<u64> = Vec::new();
        for guild in &self.guilds {
            let member = guild.member.parse()?;
            channels.push(guild.channel.parse()?);
            members.push((guild.id.parse()?, member));
            users.push(member);
        }
        let config = RestConfig::bench();
        let workload = RestConfig::bench_workload(&channels, &members, &users);
        let (bound, _) = config.bound(&workload);
        let requests = workload
            .into_iter()
            .map(|(method, path)| (method.to_owned(), path));
        let job = self.job(config.global.limit, usize::MAX, 0, requests.collect());
        Ok((job, bound))
    }

    /// Reads of channels in turn, so that clients which send one request of a bucket at a time have enough buckets.
    pub(super) fn unlimited(&self) -> Job {
        let paths = self.guilds.iter().cycle();
        let requests = paths
            .map(|guild| ("GET".to_owned(), format!("/channels/{}", guild.channel)))
            .take(WARM_UP + UNLIMITED_REQUESTS);
        self.job(1_000_000, IN_FLIGHT, WARM_UP, requests.collect())
    }

    fn job(
        &self,
        global_limit: u32,
        in_flight: usize,
        warm_up: usize,
        requests: Vec<(String, String)>,
    ) -> Job {
        Job {
            base: self.api.clone(),
            token: DEFAULT_TOKEN.to_owned(),
            global_limit,
            in_flight: in_flight.min(requests.len()),
            warm_up,
            requests,
        }
    }
}
