//! What Discord says of shards and identifies: asked for, and what an answer changes.

use shardkeep_core::fleet::Input;

use super::Running;
use crate::bot::error::Failure;
use crate::clock;
use crate::events::ShardErrorKind;
use crate::http::{GatewayBot, HttpError, gateway_bot};

impl Running {
    pub(super) fn fetch_limits(&mut self) {
        self.asked_ms = clock::unix_ms();
        if let Some(crew) = &mut self.crew {
            crew.asked_at = clock::now();
        }
        self.fetch = Some(Box::pin(gateway_bot(self.driver.rest.clone())));
    }

    pub(super) fn on_fetched(&mut self, answer: Result<GatewayBot, HttpError>) {
        self.fetch = None;
        self.limits_answered();
        match answer {
            Ok(found) => {
                self.gateway_url = Some(found.url);
                self.recommended = Some(found.shards);
                self.feed(Input::Limits {
                    shards: found.shards,
                    limit: found.session_start_limit,
                });
                self.note_limits(found.session_start_limit);
                self.fill_purse(self.asked_ms, found.session_start_limit);
                for shard in std::mem::take(&mut self.unplaced) {
                    self.start(shard);
                }
            }
            Err(HttpError::Unauthorized) => {
                tracing::error!("{}", HttpError::Unauthorized);
                self.error(
                    ShardErrorKind::Fatal,
                    Some(401),
                    HttpError::Unauthorized.to_string(),
                    true,
                );
                self.driver
                    .shared
                    .fail(Failure::Token(HttpError::Unauthorized));
                self.feed(Input::LimitsFailed { retry_after: None });
                self.feed(Input::Shutdown);
            }
            Err(error) => {
                let retry_after = match error {
                    HttpError::RateLimited { retry_after } => Some(retry_after),
                    _ => None,
                };
                self.error(
                    ShardErrorKind::LimitsUnknown,
                    None,
                    error.to_string(),
                    false,
                );
                self.feed(Input::LimitsFailed { retry_after });
            }
        }
    }
}
