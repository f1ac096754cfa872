//! A cluster: every command to the node that serves its slot, following what the nodes say when slots move.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Mutex as Turn;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::address::Address;
use super::node::{Common, Node};
use super::slots::{Slot, SlotMap, redirection};
use super::{Command, RedisError, Reply, jitter};

/// How long a node may take to say who serves what.
const MAP_LIMIT: Duration = Duration::from_millis(500);

/// The map is not read more often than this.
const MAP_PAUSE: Duration = Duration::from_millis(100);

/// The wait before a command is tried again. It doubles up to eight times as much.
const PAUSE: Duration = Duration::from_millis(25);

/// Nodes that sent us elsewhere at once, one after the other, before we wait as for any other failure.
const MOVES_MAX: u32 = 5;

pub(super) struct Cluster {
    seeds: Vec<Address>,
    common: Arc<Common>,
    nodes: Mutex<BTreeMap<Address, Arc<Node>>>,
    map: RwLock<SlotMap>,
    /// When the map was read last. Whoever holds it reads it.
    read_at: Turn<Option<Instant>>,
    turn: AtomicUsize,
}

/// What to do after an attempt.
enum Next {
    Done(Result<Reply, RedisError>),
    /// Ask this node, and this once say that another one sent us.
    Ask(Arc<Node>),
    /// The map is right again: at once.
    Again,
    /// Not now: after a pause, with a fresh map.
    Later(RedisError),
}

impl Cluster {
    pub(super) fn new(seeds: Vec<Address>, common: Arc<Common>) -> Self {
        Self {
            seeds,
            common,
            nodes: Mutex::default(),
            map: RwLock::new(SlotMap::empty()),
            read_at: Turn::new(None),
            turn: AtomicUsize::new(0),
        }
    }

    fn node(&self, address: &Address) -> Arc<Node> {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(node) = nodes.get(address) {
            return Arc::clone(node);
        }
        let node = Arc::new(Node::new(address.clone(), Arc::clone(&self.common)));
        nodes.insert(address.clone(), Arc::clone(&node));
        node
    }

    pub(super) fn reconnect(&self) {
        let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.values().for_each(|node| node.reconnect());
    }

    /// Any node that seems to be there: each in its turn.
    pub(super) fn any(&self) -> Arc<Node> {
        let mut addresses = {
            let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
            map.masters().to_vec()
        };
        for seed in &self.seeds {
            if !addresses.contains(seed) {
                addresses.push(seed.clone());
            }
        }
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % addresses.len().max(1);
        addresses.rotate_left(first);
        let mut nodes = addresses.iter().map(|address| self.node(address));
        let present = nodes.clone().find(|node| !node.is_away());
        present
            .or_else(|| nodes.next())
            .unwrap_or_else(|| self.node(&self.seeds[0]))
    }

    fn master(&self, slot: Slot) -> Option<Arc<Node>> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        let address = map.master(slot)?.clone();
        drop(map);
        Some(self.node(&address))
    }

    pub(super) async fn send(
        self: &Arc<Self>,
        command: &Command,
        limit: Duration,
        deadline: Instant,
    ) -> Result<Reply, RedisError> {
        if command.crosses {
            return Err(RedisError::CrossSlot);
        }
        let mut asked = None;
        let mut moves = 0;
        let mut pause = PAUSE;
        loop {
            let is_asking = asked.is_some();
            let next = match self.choose(command.slot(), asked.take(), deadline).await {
                Ok(node) => {
                    let outcome = node.send(command, is_asking, limit, deadline).await;
                    self.judge(command, &node, outcome)
                }
                Err(error) => Next::Later(error),
            };
            let error = match next {
                Next::Done(outcome) => return outcome,
                Next::Ask(node) if moves < MOVES_MAX => {
                    asked = Some(node);
                    moves += 1;
                    self.common.counters.repeated();
                    continue;
                }
                Next::Again if moves < MOVES_MAX => {
                    moves += 1;
                    self.common.counters.repeated();
                    continue;
                }
                Next::Ask(_) | Next::Again => RedisError::ClusterDown {
                    reason: String::from("its nodes send us to one another"),
                },
                Next::Later(error) => error,
            };
            let until = Instant::now() + jitter(pause);
            if until >= deadline {
                return Err(error);
            }
            sleep_until(until).await;
            // A map that comes too late is of use to the next command.
            let _ = timeout_at(deadline, self.read_map()).await;
            (moves, pause) = (0, (pause * 2).min(PAUSE * 8));
            self.common.counters.repeated();
        }
    }

    /// The node to ask: the one that we were sent to, the slot's, or any for a command without keys.
    async fn choose(
        &self,
        slot: Option<Slot>,
        asked: Option<Arc<Node>>,
        deadline: Instant,
    ) -> Result<Arc<Node>, RedisError> {
        if let Some(node) = asked {
            return Ok(node);
        }
        let Some(slot) = slot else {
            return Ok(self.any());
        };
        if let Some(node) = self.master(slot) {
            return Ok(node);
        }
        let read = timeout_at(deadline, self.read_map()).await;
        match self.master(slot) {
            Some(node) => Ok(node),
            None => Err(read
                .ok()
                .flatten()
                .unwrap_or_else(|| RedisError::ClusterDown {
                    reason: format!("no master serves slot {slot}"),
                })),
        }
    }

    fn judge(
        self: &Arc<Self>,
        command: &Command,
        node: &Node,
        outcome: Result<Reply, RedisError>,
    ) -> Next {
        let error = match outcome {
            Ok(reply) => return Next::Done(Ok(reply)),
            Err(error) => error,
        };
        match &error {
            RedisError::Refused { code, message } => match code.as_str() {
                "MOVED" => {
                    let Some((slot, master)) = redirection(message, &node.address) else {
                        return Next::Done(Err(error));
                    };
                    let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
                    if map.master(slot) != Some(&master) {
                        self.common.counters.moved();
                    }
                    map.moved(slot, master);
                    Next::Again
                }
                "ASK" => match redirection(message, &node.address) {
                    Some((_, address)) => Next::Ask(self.node(&address)),
                    None => Next::Done(Err(error)),
                },
                "CROSSSLOT" => Next::Done(Err(RedisError::CrossSlot)),
                "CLUSTERDOWN" | "MASTERDOWN" => Next::Later(RedisError::ClusterDown {
                    reason: message.clone(),
                }),
                "TRYAGAIN" | "LOADING" | "READONLY" => Next::Later(error),
                _ => Next::Done(Err(error)),
            },
            RedisError::Unreachable { .. } => Next::Later(error),
            RedisError::Interrupted { .. } if command.is_repeatable => Next::Later(error),
            RedisError::Interrupted { .. } | RedisError::TimedOut { .. } => {
                // Whoever comes next shall know if another node has taken over. This command has no time left for it.
                let cluster = Arc::clone(self);
                tokio::spawn(async move { cluster.read_map().await });
                Next::Done(Err(error))
            }
            _ => Next::Done(Err(error)),
        }
    }

    /// Reads the map, unless somebody just has. What the last node said if none answered.
    async fn read_map(&self) -> Option<RedisError> {
        let mut read_at = self.read_at.lock().await;
        if read_at.is_some_and(|at| Instant::now() < at + MAP_PAUSE) {
            return None;
        }
        *read_at = Some(Instant::now());
        let mut last = None;
        for _ in 0..self.seeds.len().max(3) {
            let node = self.any();
            let limit = Instant::now() + MAP_LIMIT;
            let command = Command::new("CLUSTER").arg("SLOTS");
            let reply = node.send(&command, false, MAP_LIMIT, limit).await;
            let read = reply.and_then(|reply| SlotMap::read(reply, &node.address));
            match read {
                Ok(map) if !map.is_empty() => {
                    self.common.counters.map_read();
                    self.keep(map);
                    return None;
                }
                Ok(_) => {
                    last = Some(RedisError::ClusterDown {
                        reason: format!("{} knows no master", node.address),
                    });
                }
                Err(error) => last = Some(error),
            }
        }
        last
    }

    /// Takes a new map, and forgets the nodes that are not in it any more.
    fn keep(&self, map: SlotMap) {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.retain(|address, _| map.masters().contains(address) || self.seeds.contains(address));
        drop(nodes);
        let mut present = self.map.write().unwrap_or_else(PoisonError::into_inner);
        if present.differs(&map) {
            self.common.counters.moved();
        }
        *present = map;
    }

    /// Runs a command on every master, as the cluster knows them now. All of them must answer.
    pub(super) async fn on_masters(
        &self,
        command: &Command,
        limit: Duration,
    ) -> Result<Vec<Reply>, RedisError> {
        let deadline = Instant::now() + limit;
        if let Ok(Some(error)) = timeout_at(deadline, self.read_map()).await {
            return Err(error);
        }
        let nodes: Vec<Arc<Node>> = {
            let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
            map.masters()
                .iter()
                .map(|master| self.node(master))
                .collect()
        };
        let replies = nodes
            .iter()
            .map(|node| node.send(command, false, limit, deadline));
        join_all(replies).await.into_iter().collect()
    }
}
