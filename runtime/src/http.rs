//! The one request that starting shards takes, `GET /gateway/bot`.

use std::time::Duration;

use serde::Deserialize;
use shardkeep_core::fleet::SessionStartLimit;
use shardkeep_core::rest::{Priority, Refusal};

use crate::rest::{ApiError, Rest, RestError};

/// What Discord wants a bot's client to be called.
pub(crate) const USER_AGENT_TEXT: &str = concat!(
    "DiscordBot (",
    env!("CARGO_PKG_REPOSITORY"),
    ", ",
    env!("CARGO_PKG_VERSION"),
    ")"
);

/// How long the request may wait for its turn: whoever starts shards would rather hear how long it takes.
const WITHIN: Duration = Duration::from_secs(30);

/// The answer of `GET /gateway/bot`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct GatewayBot {
    /// Where to connect.
    pub(crate) url: String,
    /// The recommended number of shards.
    pub(crate) shards: u32,
    /// How many sessions may be started.
    pub(crate) session_start_limit: SessionStartLimit,
}

/// Why a request failed, and what to do. Never holds the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// 401.
    #[error(
        "Discord refuses the token (HTTP 401): set the current token from the developer portal"
    )]
    Unauthorized,
    /// 403: usually an API base that is not Discord's, or a network that Discord blocks.
    #[error("Discord refuses the request (HTTP 403): {reason}")]
    Forbidden {
        /// The start of the answer.
        reason: String,
    },
    /// 429.
    #[error("Discord limits the rate (HTTP 429): {} ms to wait", retry_after.as_millis())]
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Any other status.
    #[error("{url} answered HTTP {status}: {reason}")]
    Status {
        /// Where.
        url: String,
        /// The status.
        status: u16,
        /// The start of the answer.
        reason: String,
    },
    /// No answer.
    #[error("{reason}")]
    Transport {
        /// Why.
        reason: String,
    },
    /// An answer that is not what was asked for.
    #[error("{url} answered with something else than a gateway: {reason}; is api_base right?")]
    Answer {
        /// Where.
        url: String,
        /// What does not fit.
        reason: String,
    },
}

/// `GET /gateway/bot`.
pub(crate) async fn gateway_bot(rest: Rest) -> Result<GatewayBot, HttpError> {
    let request = rest
        .get_gateway_bot()
        .priority(Priority::UserFacing)
        .deadline(WITHIN);
    let response = request.send().await?;
    Ok(response.json()?)
}

impl From<RestError> for HttpError {
    fn from(error: RestError) -> Self {
        let reason = error.to_string();
        match error {
            RestError::Api(error) => Self::from(*error),
            RestError::Refused {
                why: Refusal::TokenRejected,
                ..
            } => Self::Unauthorized,
            RestError::Refused {
                wait: Some(retry_after),
                ..
            } => Self::RateLimited { retry_after },
            RestError::Answer { request, reason } => Self::Answer {
                url: request,
                reason,
            },
            _ => Self::Transport { reason },
        }
    }
}

impl From<ApiError> for HttpError {
    fn from(error: ApiError) -> Self {
        match error.status {
            401 => Self::Unauthorized,
            403 => Self::Forbidden {
                reason: error.message,
            },
            status => Self::Status {
                url: error.request,
                status,
                reason: error.message,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use shardkeep_core::Token;

    use super::*;
    use crate::rest::Settings;

    /// Answers one request with `answer`; the request's text comes back.
    fn answer(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/api/", listener.local_addr().unwrap());
        let request = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let (mut request, mut buffer) = (Vec::new(), [0; 1024]);
            while !request.ends_with(b"\r\n\r\n") {
                let n = socket.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..n]);
            }
            socket.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        });
        (base, request)
    }

    async fn ask(base: &str) -> Result<GatewayBot, HttpError> {
        let mut settings = Settings::new(base);
        settings.scheduler.retries = 0;
        let token = Token::new("secret.token.text").unwrap();
        gateway_bot(Rest::start(&token, settings).unwrap()).await
    }

    #[tokio::test]
    async fn the_request_names_client_and_token_and_the_answer_is_read() {
        let (base, request) = answer(concat!(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n",
            r#"{"url":"wss://gateway.discord.gg","shards":9,"session_start_limit":{"total":1000,"#,
            r#""remaining":999,"reset_after":14400000,"max_concurrency":1},"new":1}"#
        ));
        let found = ask(&base).await.unwrap();
        assert_eq!(
            (found.shards, found.session_start_limit.remaining),
            (9, 999)
        );
        let request = request.join().unwrap().to_ascii_lowercase();
        assert!(request.starts_with("get /api/gateway/bot http/1.1\r\n"));
        assert!(request.contains("authorization: bot secret.token.text\r\n"));
        assert!(
            request.contains("user-agent: discordbot (https://github.com/shardkeep/shardkeep, 0.")
        );
    }

    #[tokio::test]
    async fn a_refusal_says_what_to_do_and_never_shows_the_token() {
        for (text, expected) in [
            (
                "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
                HttpError::Unauthorized,
            ),
            (
                "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
                HttpError::Forbidden {
                    reason: "no".to_owned(),
                },
            ),
        ] {
            let (base, _) = answer(text);
            let error = ask(&base).await.unwrap_err();
            assert_eq!(error, expected);
            assert!(!format!("{error} {error:?}").contains("secret"));
        }
        let (base, _) = answer(
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        );
        assert!(matches!(
            ask(&base).await,
            Err(HttpError::Status { status: 302, .. })
        ));
        let (base, _) = answer(concat!(
            "HTTP/1.1 429 Too Many Requests\r\nVia: 1.1 x\r\nRetry-After: 90\r\nContent-Length: 60\r\n",
            "X-RateLimit-Scope: user\r\n\r\n",
            r#"{"message":"limited.","retry_after":90.0,"global":false    }"#,
        ));
        let error = ask(&base).await.unwrap_err();
        let HttpError::RateLimited { retry_after } = error else {
            panic!("{error:?}");
        };
        assert!(retry_after > Duration::from_secs(60), "{retry_after:?}");
        let (base, _) = answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        assert!(matches!(ask(&base).await, Err(HttpError::Answer { .. })));
        assert!(matches!(
            ask("http://127.0.0.1:1").await,
            Err(HttpError::Transport { .. })
        ));
    }
}
