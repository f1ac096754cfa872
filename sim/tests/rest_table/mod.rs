//! A client of the limiter that sends and hears at chosen moments.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "a test helper: every file uses its own part of it"
)]

use shardkeep_sim::Instant;
use shardkeep_sim::rest::{Limits, Refusal, Reply, Request, RestConfig, Rule, Verdict};

pub(crate) const TOKEN: Option<&str> = Some("Bot one");

pub(crate) fn ms(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

/// A client that sends at chosen moments and hears answers at chosen moments.
pub(crate) struct Table {
    pub(crate) limits: Limits,
    pub(crate) id: u64,
    pub(crate) authorization: Option<&'static str>,
    pub(crate) body: &'static [u8],
    pub(crate) last: Option<Reply>,
}

impl Table {
    pub(crate) fn new(rules: Vec<Rule>) -> Self {
        Self::with(RestConfig {
            rules,
            ..RestConfig::unlimited()
        })
    }

    pub(crate) fn with(config: RestConfig) -> Self {
        config.check().unwrap();
        let limits = Limits::new(config, 1, Instant::ZERO, 1_795_305_600_000);
        Self {
            limits,
            id: 0,
            authorization: TOKEN,
            body: b"",
            last: None,
        }
    }

    /// Sent and arrived at these moments; `Ok` with the request's number, or why not.
    pub(crate) fn send(
        &mut self,
        sent: u64,
        arrives: u64,
        method: &str,
        path: &str,
    ) -> Result<u64, Refusal> {
        self.id += 1;
        let request = Request {
            authorization: self.authorization,
            body: self.body,
            ..Request::new(self.id, method, path, ms(sent))
        };
        match self.limits.arrive(ms(arrives), &request) {
            Verdict::Accepted(permit) => {
                let headers = self.limits.finish(permit, 200);
                self.last = Some(Reply {
                    status: 200,
                    headers,
                    body: Vec::new(),
                });
                Ok(self.id)
            }
            Verdict::Refused { reply, refusal, .. } => {
                self.last = Some(reply);
                Err(refusal)
            }
        }
    }

    pub(crate) fn post(&mut self, sent: u64, arrives: u64) -> Result<u64, Refusal> {
        self.send(sent, arrives, "POST", "/channels/5/messages")
    }

    pub(crate) fn hears(&mut self, at: u64, id: u64) {
        self.limits.received(ms(at), id);
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.last.as_ref().unwrap().header(name).unwrap_or("none")
    }
}

pub(crate) fn messages(limit: u32, window_ms: u64) -> Rule {
    Rule::new(
        "POST",
        "/channels/{channel_id}/messages",
        "messages",
        limit,
        window_ms,
    )
}
