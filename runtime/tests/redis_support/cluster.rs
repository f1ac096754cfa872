//! A cluster of three masters with a replica each.

use std::time::Duration;

use shardkeep::redis::Redis;

use super::{Server, connect};

/// How long nodes wait before they hold one of them for dead.
const NODE_TIMEOUT_MS: &str = "800";

/// A cluster. Dropping it kills its servers.
pub(crate) struct Cluster {
    pub(crate) servers: Vec<Server>,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let options = [
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            NODE_TIMEOUT_MS,
            "--cluster-replica-validity-factor",
            "0",
            // Replicas need not wait for others that may want the same, nor to hear from their master: until then they
            // are not named among those that may take over.
            "--repl-diskless-sync-delay",
            "0",
            "--repl-ping-replica-period",
            "1",
        ];
        let servers: Vec<Server> = (0..6).map(|_| Server::with(&options)).collect();
        let cluster = Self { servers };
        cluster.form();
        cluster.settle();
        cluster
    }

    /// What `redis-cli --cluster create` does, without its ten seconds of waiting.
    fn form(&self) {
        let first = self.servers[0].port.to_string();
        for (server, epoch) in (0..6).zip(["1", "2", "3", "4", "5", "6"]) {
            self.ok(server, &["cluster", "set-config-epoch", epoch]);
        }
        for (server, slots) in [0..5_461, 5_461..10_923, 10_923..16_384]
            .into_iter()
            .enumerate()
        {
            let slots: Vec<String> = slots.map(|slot| slot.to_string()).collect();
            let mut command = vec!["cluster", "addslots"];
            command.extend(slots.iter().map(String::as_str));
            self.ok(server, &command);
        }
        for server in 1..6 {
            self.ok(server, &["cluster", "meet", "127.0.0.1", &first]);
        }
        for replica in 3..6 {
            // It must have heard of its master first.
            let master = self.id(replica - 3);
            let is_told = (0..200).any(|_| {
                let told = self.servers[replica].cli(&["cluster", "replicate", &master]);
                std::thread::sleep(Duration::from_millis(25));
                told.contains("OK")
            });
            assert!(is_told, "the nodes do not meet");
        }
    }

    /// Waits until every living node finds the cluster whole, with a replica for each master.
    pub(crate) fn settle(&self) {
        for _ in 0..400 {
            let is_whole = self.servers.iter().all(|server| {
                server
                    .cli(&["cluster", "info"])
                    .contains("cluster_state:ok")
                    && server
                        .cli(&["cluster", "slots"])
                        .matches("127.0.0.1")
                        .count()
                        >= 6
            });
            if is_whole {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the cluster does not form");
    }

    /// The URL with the first two masters alone: the rest must be found.
    pub(crate) fn url(&self) -> String {
        let (first, second) = (self.servers[0].port, self.servers[1].port);
        format!("redis+cluster://127.0.0.1:{first},127.0.0.1:{second}")
    }

    pub(crate) fn redis(&self) -> Redis {
        connect(&self.url())
    }

    /// The number of the server that is master of this key's slot, as living nodes see it.
    pub(crate) fn master_of(&self, key: &str) -> usize {
        let slot = self.slot_of(key);
        self.find_master(slot).expect("a master of the slot")
    }

    /// The number of the server that would take over from this master.
    pub(crate) fn replica_of(&self, master: usize) -> usize {
        let told = self.servers[master].cli(&["role"]);
        let found = self.servers.iter().position(|server| {
            let port = server.port.to_string();
            told.lines().any(|line| line.trim() == port)
        });
        found.expect("a replica")
    }

    pub(crate) fn slot_of(&self, key: &str) -> u16 {
        let told = self.servers[0].cli(&["cluster", "keyslot", key]);
        told.trim().parse().expect("a slot")
    }

    fn find_master(&self, slot: u16) -> Option<usize> {
        self.servers.iter().position(|server| {
            let nodes = server.cli(&["cluster", "nodes"]);
            nodes
                .lines()
                .filter(|line| line.contains("myself,master"))
                .flat_map(|line| line.split(' ').skip(8))
                .filter_map(|range| {
                    let (first, last) = range.split_once('-').unwrap_or((range, range));
                    Some(first.parse().ok()?..=last.parse().ok()?)
                })
                .any(|range: std::ops::RangeInclusive<u16>| range.contains(&slot))
        })
    }

    pub(crate) fn id(&self, server: usize) -> String {
        let told = self.servers[server].cli(&["cluster", "myid"]);
        told.trim().to_owned()
    }

    /// Marks a slot as on its way from one master to another: keys that are not there yet, or not any more, are
    /// answered with `ASK`.
    pub(crate) fn begin_move(&self, slot: u16, from: usize, to: usize) {
        let slot = slot.to_string();
        let (source, target) = (self.id(from), self.id(to));
        self.ok(to, &["cluster", "setslot", &slot, "importing", &source]);
        self.ok(from, &["cluster", "setslot", &slot, "migrating", &target]);
    }

    /// Moves the keys of a slot that is marked, and hands it over: `MOVED` from now on.
    pub(crate) fn end_move(&self, slot: u16, from: usize, to: usize) {
        let number = slot.to_string();
        let port = self.servers[to].port.to_string();
        loop {
            let keys = self.servers[from].cli(&["cluster", "getkeysinslot", &number, "100"]);
            let keys: Vec<&str> = keys.lines().filter(|key| !key.is_empty()).collect();
            if keys.is_empty() {
                break;
            }
            let mut migrate = vec!["migrate", "127.0.0.1", &port, "", "0", "2000", "keys"];
            migrate.extend(keys);
            self.ok(from, &migrate);
        }
        let target = self.id(to);
        self.ok(to, &["cluster", "setslot", &number, "node", &target]);
        self.ok(from, &["cluster", "setslot", &number, "node", &target]);
    }

    fn ok(&self, server: usize, args: &[&str]) {
        let told = self.servers[server].cli(args);
        assert!(told.contains("OK"), "{args:?}: {told}");
    }
}
