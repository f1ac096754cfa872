//! The task that owns the world: everything that happens comes to it through one channel.

use std::collections::BTreeMap;
use std::future;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use shardkeep_core::Instant;
use tokio::sync::{Notify, mpsc, oneshot};
use tungstenite::protocol::frame::coding::Data;

use super::flood::{Flood, FloodRequest, Step};
use super::outgoing::{Outgoing, TooSlow};
use super::traffic::Traffic;
use crate::{Control, Input, Machine, Output, World};

/// How many messages are taken from the channel before the world's outputs are handed on.
const INBOX: usize = 256;

/// How many turns of a flood are taken before the channel is looked at again: heartbeats must not wait.
const POURS: usize = 16;

/// Something that happened, with its bytes owned.
#[derive(Debug)]
pub(super) enum Message {
    Open {
        connection: u64,
        path_and_query: String,
        outgoing: Arc<Outgoing>,
    },
    Text {
        connection: u64,
        bytes: Vec<u8>,
    },
    Binary {
        connection: u64,
        bytes: Vec<u8>,
    },
    Ping {
        connection: u64,
        bytes: Vec<u8>,
    },
    Closed {
        connection: u64,
        how: Closing,
    },
    Http {
        request: HttpRequest,
        answer: oneshot::Sender<HttpAnswer>,
    },
    Control {
        control: Control,
        answer: oneshot::Sender<Value>,
    },
    Flood {
        flood: FloodRequest,
        answer: oneshot::Sender<Value>,
    },
    Shutdown,
}

/// How a client left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// With a close frame, and the code in it.
    Frame(Option<u16>),
    /// Without one.
    Broken,
}

/// A request to the REST API.
#[derive(Debug)]
pub(super) struct HttpRequest {
    pub(super) method: String,
    pub(super) path_and_query: String,
    pub(super) authorization: Option<String>,
    pub(super) body: Vec<u8>,
}

/// What the REST API answers.
#[derive(Debug)]
pub(super) struct HttpAnswer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// The world and everyone it talks to.
pub(super) struct WorldTask {
    world: World,
    started: tokio::time::Instant,
    connections: BTreeMap<u64, Arc<Outgoing>>,
    requests: BTreeMap<u64, oneshot::Sender<HttpAnswer>>,
    next_request: u64,
    flood: Flood,
    emptied: Arc<Notify>,
    traffic: Arc<Traffic>,
    stopping: bool,
}

impl WorldTask {
    pub(super) fn new(world: World, emptied: Arc<Notify>, traffic: Arc<Traffic>) -> Self {
        Self {
            world,
            started: tokio::time::Instant::now(),
            connections: BTreeMap::new(),
            requests: BTreeMap::new(),
            next_request: 0,
            flood: Flood::default(),
            emptied,
            traffic,
            stopping: false,
        }
    }

    /// Runs until every sender is gone or shutdown was asked for.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Message>) {
        let mut messages = Vec::with_capacity(INBOX);
        let mut has_more = false;
        while !self.stopping {
            let emptied = Arc::clone(&self.emptied);
            let deadline = self
                .world
                .poll_timeout()
                .map(|timeout| self.deadline(timeout.at));
            tokio::select! {
                count = inbox.recv_many(&mut messages, INBOX) => if count == 0 { break },
                () = wait_until(deadline) => {}
                () = emptied.notified(), if self.flood.is_running() => {}
                () = future::ready(()), if has_more => {}
            }
            for message in messages.drain(..) {
                self.take(message);
                self.hand_on();
            }
            let now = self.now();
            self.world.handle_timeout(now);
            self.hand_on();
            has_more = self.pour();
            // On a runtime with one thread the sockets get their turn only here.
            tokio::task::yield_now().await;
        }
        self.say_goodbye().await;
    }

    /// Closes every WebSocket and waits until they are closed, as long as a closing handshake may take.
    async fn say_goodbye(&self) {
        for outgoing in self.connections.values() {
            outgoing.close(Some(1001), "the simulator is shutting down");
        }
        while self.traffic.open.load(Ordering::Relaxed) > 0 {
            self.emptied.notified().await;
        }
    }

    fn now(&self) -> Instant {
        let micros = self.started.elapsed().as_micros();
        Instant::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    fn deadline(&self, at: Instant) -> tokio::time::Instant {
        self.started + at.since(Instant::ZERO)
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Open {
                connection,
                path_and_query,
                outgoing,
            } => {
                self.connections.insert(connection, outgoing);
                self.input(Input::Open {
                    connection,
                    path_and_query: &path_and_query,
                });
            }
            Message::Text { connection, bytes } => {
                self.input(Input::Text {
                    connection,
                    bytes: &bytes,
                });
            }
            Message::Binary { connection, bytes } => {
                self.input(Input::Binary {
                    connection,
                    bytes: &bytes,
                });
            }
            Message::Ping { connection, bytes } => self.ping(connection, &bytes),
            Message::Closed { connection, how } => self.closed(connection, how),
            Message::Http { request, answer } => self.http(&request, answer),
            Message::Control { control, answer } => {
                let value = self.control(control);
                let _ = answer.send(value);
            }
            Message::Flood { flood, answer } => {
                let now = self.now();
                let value = self.flood.start(now, &flood, &mut self.world);
                let _ = answer.send(value);
            }
            Message::Shutdown => self.stopping = true,
        }
    }

    fn input(&mut self, input: Input<'_>) {
        let now = self.now();
        self.world
            .handle_input(now, input)
            .expect("the listener gives every connection a number of its own");
    }

    fn ping(&mut self, connection: u64, bytes: &[u8]) {
        if !self.world.is_half_open(connection)
            && let Some(outgoing) = self.connections.get(&connection)
            && outgoing.pong(bytes).is_err()
        {
            self.too_slow(connection);
        }
    }

    /// A client left. On a half-open connection nobody hears of it, and the socket stays as it is.
    fn closed(&mut self, connection: u64, how: Closing) {
        if self.world.is_half_open(connection) {
            return;
        }
        let Some(outgoing) = self.connections.remove(&connection) else {
            return;
        };
        let code = match how {
            Closing::Frame(code) => {
                outgoing.close(code, "");
                code
            }
            Closing::Broken => {
                outgoing.hang_up();
                None
            }
        };
        self.input(Input::Closed { connection, code });
    }

    /// A client reads more slowly than is good for the server's memory; its connection is being reset.
    fn too_slow(&mut self, connection: u64) {
        self.traffic.slow_readers.fetch_add(1, Ordering::Relaxed);
        self.connections.remove(&connection);
        self.input(Input::Closed {
            connection,
            code: None,
        });
    }

    fn http(&mut self, request: &HttpRequest, answer: oneshot::Sender<HttpAnswer>) {
        let number = self.next_request;
        self.next_request += 1;
        self.requests.insert(number, answer);
        self.input(Input::Http {
            request: number,
            method: &request.method,
            path_and_query: &request.path_and_query,
            authorization: request.authorization.as_deref(),
            body: &request.body,
        });
    }

    fn control(&mut self, control: Control) -> Value {
        let with_traffic = matches!(control, Control::Counters);
        let now = self.now();
        let mut value = self.world.control(now, control);
        if with_traffic && let Value::Object(fields) = &mut value {
            fields.insert("server".to_owned(), self.traffic.to_json());
        }
        value
    }

    /// Hands the world's outputs to connections and requests.
    fn hand_on(&mut self) {
        let mut too_slow = Vec::new();
        while let Some(output) = self.world.poll_output() {
            match output {
                Output::Text { connection, bytes } => {
                    if queue(&self.connections, connection, Data::Text, bytes).is_err() {
                        too_slow.push(connection);
                    }
                }
                Output::Binary { connection, bytes } => {
                    if queue(&self.connections, connection, Data::Binary, bytes).is_err() {
                        too_slow.push(connection);
                    }
                }
                Output::Close {
                    connection,
                    code,
                    reason,
                } => {
                    if let Some(outgoing) = self.connections.remove(&connection) {
                        outgoing.close(Some(code), reason);
                    }
                }
                Output::Drop { connection } => {
                    if let Some(outgoing) = self.connections.remove(&connection) {
                        outgoing.cut();
                    }
                }
                // The sender goes, and the listener takes that for a broken connection.
                Output::Abandon { request } => drop(self.requests.remove(&request)),
                Output::Respond {
                    request,
                    status,
                    headers,
                    body,
                } => {
                    if let Some(answer) = self.requests.remove(&request) {
                        let headers = headers.to_vec();
                        // A client that hung up meanwhile needs no answer.
                        let _ = answer.send(HttpAnswer {
                            status,
                            headers,
                            body: body.to_vec(),
                        });
                    }
                }
            }
        }
        for connection in too_slow {
            self.too_slow(connection);
        }
    }

    /// Lets a flood run on for the connections that have room. `true` if there may be room for more.
    fn pour(&mut self) -> bool {
        for _ in 0..POURS {
            let now = self.now();
            let connections = &self.connections;
            let waiting = |connection: u64| {
                connections
                    .get(&connection)
                    .map(|outgoing| outgoing.waiting_bytes())
            };
            if self.flood.step(now, &mut self.world, waiting) == Step::Full {
                return false;
            }
            self.hand_on();
        }
        true
    }
}

impl Drop for WorldTask {
    /// A world that is gone says nothing more: sockets that wait for it would stay open.
    fn drop(&mut self) {
        for outgoing in self.connections.values() {
            outgoing.reset();
        }
    }
}

fn queue(
    connections: &BTreeMap<u64, Arc<Outgoing>>,
    connection: u64,
    kind: Data,
    bytes: &[u8],
) -> Result<(), TooSlow> {
    connections
        .get(&connection)
        .map_or(Ok(()), |outgoing| outgoing.data(kind, bytes))
}

async fn wait_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => future::pending().await,
    }
}

/// The answer when the world is gone: the server was shut down.
pub(super) fn gone() -> Value {
    json!({ "error": "the simulator was shut down" })
}
