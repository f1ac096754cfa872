//! A scripted client in virtual time: it says what a test tells it to say, and keeps what it hears.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "a test helper: every file uses its own part of it"
)]

use core::time::Duration;

use serde_json::{Value, json};
use shardkeep_sim::{
    Control, DEFAULT_TOKEN, Fault, Input, Instant, Machine, Output, SessionLedger, Target, World,
    WorldConfig, digest,
};

/// What the world said, in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    Message(u64, Value),
    Binary(u64, Vec<u8>),
    Broken(u64, String),
    Close(u64, u16),
    Drop(u64),
    Respond(u64, u16, Value),
}

/// A dispatch, with the digest of `d` as it stood in the message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dispatch {
    pub(crate) s: u64,
    pub(crate) t: String,
    pub(crate) d: Value,
    pub(crate) digest: u64,
}

pub(crate) struct Script {
    pub(crate) world: World,
    pub(crate) now: Instant,
    pub(crate) heard: Vec<Heard>,
    /// The dispatches of each connection.
    pub(crate) dispatches: Vec<(u64, Dispatch)>,
}

pub(crate) const ALL_INTENTS: u64 = 53_608_447;

impl Script {
    pub(crate) fn new(config: WorldConfig) -> Self {
        let world = World::new(config, Instant::ZERO);
        Self {
            world,
            now: Instant::ZERO,
            heard: Vec::new(),
            dispatches: Vec::new(),
        }
    }

    pub(crate) fn input(&mut self, input: Input<'_>) {
        self.world.handle_input(self.now, input).unwrap();
        self.drain();
    }

    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.world.poll_output() {
            let heard = match output {
                Output::Text { connection, bytes } => {
                    match serde_json::from_slice::<Value>(bytes) {
                        Ok(value) => {
                            if value["op"] == 0 {
                                let dispatch = dispatch(bytes, &value);
                                self.dispatches.push((connection, dispatch));
                            }
                            Heard::Message(connection, value)
                        }
                        Err(_) => {
                            Heard::Broken(connection, String::from_utf8(bytes.to_vec()).unwrap())
                        }
                    }
                }
                Output::Binary { connection, bytes } => Heard::Binary(connection, bytes.to_vec()),
                Output::Close {
                    connection, code, ..
                } => Heard::Close(connection, code),
                Output::Drop { connection } => Heard::Drop(connection),
                Output::Respond {
                    request,
                    status,
                    body,
                    ..
                } => Heard::Respond(request, status, serde_json::from_slice(body).unwrap()),
                other => panic!("{other:?}"),
            };
            self.heard.push(heard);
        }
    }

    /// Lets time pass, alarm by alarm.
    pub(crate) fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(timeout) = self
            .world
            .poll_timeout()
            .filter(|timeout| timeout.at <= end)
        {
            self.now = self.now.max(timeout.at);
            self.world.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
        self.world.handle_timeout(end);
        self.drain();
    }

    pub(crate) fn wait_ms(&mut self, ms: u64) {
        self.wait(Duration::from_millis(ms));
    }

    pub(crate) fn open(&mut self, connection: u64) {
        self.open_at(connection, "/?v=10&encoding=json");
    }

    pub(crate) fn open_at(&mut self, connection: u64, path_and_query: &str) {
        self.input(Input::Open {
            connection,
            path_and_query,
        });
    }

    pub(crate) fn say(&mut self, connection: u64, message: &Value) {
        self.say_raw(connection, message.to_string().as_bytes());
    }

    pub(crate) fn say_raw(&mut self, connection: u64, bytes: &[u8]) {
        self.input(Input::Text { connection, bytes });
    }

    pub(crate) fn identify(&mut self, connection: u64, shard: [u32; 2], intents: u64) {
        self.say(connection, &identify(shard, intents));
    }

    /// Opens, identifies, waits for the guilds; answers the session id.
    pub(crate) fn start(&mut self, connection: u64, shard: [u32; 2], intents: u64) -> String {
        self.open(connection);
        self.identify(connection, shard, intents);
        self.wait_ms(2_000);
        let ready = self
            .dispatches
            .iter()
            .find(|(number, dispatch)| *number == connection && dispatch.t == "READY");
        ready.expect("no READY").1.d["session_id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) fn resume(&mut self, connection: u64, session: &str, seq: u64) {
        self.say(
            connection,
            &json!({"op": 6, "d": {"token": DEFAULT_TOKEN, "session_id": session, "seq": seq}}),
        );
    }

    pub(crate) fn heartbeat(&mut self, connection: u64, seq: Option<u64>) {
        self.say(connection, &json!({"op": 1, "d": seq}));
    }

    pub(crate) fn close(&mut self, connection: u64, code: Option<u16>) {
        self.input(Input::Closed { connection, code });
    }

    pub(crate) fn control(&mut self, control: Value) -> Value {
        let control: Control = serde_json::from_value(control).unwrap();
        let answer = self.world.control(self.now, control);
        self.drain();
        answer
    }

    pub(crate) fn fault(&mut self, connection: u64, fault: Fault) -> Value {
        let control = Control::Fault {
            target: Target::Connection(connection),
            fault,
        };
        let answer = self.world.control(self.now, control);
        self.drain();
        answer
    }

    pub(crate) fn get(&mut self, path: &str) -> (u16, Value) {
        let authorization = format!("Bot {DEFAULT_TOKEN}");
        self.http("GET", path, Some(&authorization))
    }

    pub(crate) fn http(
        &mut self,
        method: &str,
        path: &str,
        authorization: Option<&str>,
    ) -> (u16, Value) {
        let input = Input::Http {
            request: 7,
            method,
            path_and_query: path,
            authorization,
            body: b"",
        };
        self.input(input);
        match self.heard.pop() {
            Some(Heard::Respond(7, status, body)) => (status, body),
            other => panic!("{other:?}"),
        }
    }

    /// Takes what was heard since the last call.
    pub(crate) fn take(&mut self) -> Vec<Heard> {
        core::mem::take(&mut self.heard)
    }

    /// Takes the last thing heard.
    pub(crate) fn last(&mut self) -> Heard {
        self.take().pop().expect("nothing was heard")
    }

    pub(crate) fn dispatches_on(&self, connection: u64) -> Vec<Dispatch> {
        let here = self
            .dispatches
            .iter()
            .filter(|(number, _)| *number == connection);
        here.map(|(_, dispatch)| dispatch.clone()).collect()
    }

    pub(crate) fn session(&self, id: &str) -> SessionLedger {
        self.world
            .ledger()
            .find(|ledger| ledger.session == id)
            .expect("no such session")
            .clone()
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        let kinds = self
            .world
            .violations()
            .iter()
            .map(|violation| json!(violation.kind));
        kinds
            .map(|kind| kind.as_str().unwrap().to_owned())
            .collect()
    }

    /// The number of open connections that a session's events reach.
    pub(crate) fn guild_ids(&mut self) -> Vec<String> {
        let guilds = self.control(json!({"do": "guilds"}));
        let guilds = guilds["guilds"].as_array().unwrap();
        guilds
            .iter()
            .map(|guild| guild["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

pub(crate) fn identify(shard: [u32; 2], intents: u64) -> Value {
    json!({"op": 2, "d": {
        "token": DEFAULT_TOKEN,
        "intents": intents,
        "shard": shard,
        "properties": {"os": "linux", "browser": "script", "device": "script"},
    }})
}

/// Reads a dispatch; `d` is the last key of the envelope.
pub(crate) fn dispatch(bytes: &[u8], value: &Value) -> Dispatch {
    let text = core::str::from_utf8(bytes).unwrap();
    let start = text.find("\"d\":").unwrap() + 4;
    Dispatch {
        s: value["s"].as_u64().unwrap_or(0),
        t: value["t"].as_str().unwrap().to_owned(),
        d: value["d"].clone(),
        digest: digest(&bytes[start..bytes.len() - 1]),
    }
}
