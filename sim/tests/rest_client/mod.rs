//! A client of the REST side of a world, in virtual time.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "a test helper: every file uses its own part of it"
)]

use serde_json::Value;
use shardkeep_sim::rest::RestConfig;
use shardkeep_sim::{Control, DEFAULT_TOKEN, Input, Machine, Output, WorldConfig};

use crate::script::{ALL_INTENTS, Heard, Script};

/// An answer: status, headers in lower case, body.
pub(crate) type Answer = (u16, Vec<(String, String)>, Value);

pub(crate) struct Client {
    pub(crate) script: Script,
    pub(crate) guild: Value,
    pub(crate) request: u64,
}

impl Client {
    pub(crate) fn new(rest: RestConfig) -> Self {
        rest.check().unwrap();
        let mut script = Script::new(WorldConfig {
            guilds: 4,
            rest,
            ..WorldConfig::default()
        });
        script.start(1, [0, 1], ALL_INTENTS);
        let guild = script.world.control(script.now, Control::Guilds)["guilds"][0].clone();
        Self {
            script,
            guild,
            request: 100,
        }
    }

    pub(crate) fn channel(&self) -> String {
        self.guild["channel"].as_str().unwrap().to_owned()
    }

    pub(crate) fn in_channel(&self, below: &str) -> String {
        format!("/api/v10/channels/{}{below}", self.channel())
    }

    pub(crate) fn in_guild(&self, below: &str) -> String {
        format!(
            "/api/v10/guilds/{}{below}",
            self.guild["id"].as_str().unwrap()
        )
    }

    /// Sends a request; answers its number.
    pub(crate) fn send(&mut self, method: &str, path: &str, token: bool, body: &[u8]) -> u64 {
        self.request += 1;
        let authorization = format!("Bot {DEFAULT_TOKEN}");
        let input = Input::Http {
            request: self.request,
            method,
            path_and_query: path,
            authorization: token.then_some(authorization.as_str()),
            body,
        };
        self.script
            .world
            .handle_input(self.script.now, input)
            .unwrap();
        self.request
    }

    /// Takes outputs until the answer to a request; `None` if its connection was broken.
    pub(crate) fn answer(&mut self, wanted: u64) -> Option<Option<Answer>> {
        while let Some(output) = self.script.world.poll_output() {
            match output {
                Output::Respond {
                    request,
                    status,
                    headers,
                    body,
                } if request == wanted => {
                    let lower =
                        |(name, value): &(&str, String)| (name.to_lowercase(), value.clone());
                    let body = serde_json::from_slice(body).unwrap_or(Value::Null);
                    let answer = (status, headers.iter().map(lower).collect(), body);
                    self.script.drain();
                    return Some(Some(answer));
                }
                Output::Abandon { request } if request == wanted => return Some(None),
                Output::Text { connection, bytes } => {
                    let value: Value = serde_json::from_slice(bytes).unwrap();
                    self.script.heard.push(Heard::Message(connection, value));
                }
                _ => {}
            }
        }
        None
    }

    pub(crate) fn call(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let request = self.send(method, path, true, &body);
        let (status, _, body) = self.answer(request).unwrap().unwrap();
        (status, body)
    }

    /// The events of this name since the last call.
    pub(crate) fn events(&mut self, name: &str) -> Vec<Value> {
        let mut heard: Vec<Value> = Vec::new();
        for heard_one in self.script.take() {
            if let Heard::Message(_, value) = heard_one
                && value["t"] == name
            {
                heard.push(value["d"].clone());
            }
        }
        heard
    }
}

pub(crate) fn unlimited() -> Client {
    Client::new(RestConfig::unlimited())
}
