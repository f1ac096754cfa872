//! The one request that starting shards takes, `GET /gateway/bot`, on a bounded pool of blocking workers.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use shardkeep_core::Token;
use shardkeep_core::fleet::SessionStartLimit;
use tokio::sync::Semaphore;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::config::Roots;
use crate::transport::{TlsError, platform_roots, provider};

/// What Discord wants a bot's client to be called.
pub(crate) const USER_AGENT_TEXT: &str = concat!(
    "DiscordBot (",
    env!("CARGO_PKG_REPOSITORY"),
    ", ",
    env!("CARGO_PKG_VERSION"),
    ")"
);

/// How long one request may take, from the name to the last byte.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How many requests may run at once, each on a thread of its own.
const WORKERS: usize = 2;

/// The largest answer that is read.
const BODY_MAX: u64 = 1 << 20;

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
    #[error("{url} did not answer: {reason}")]
    Transport {
        /// Where.
        url: String,
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

/// A client for one token and one base URL.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    agent: Agent,
    base: String,
    token: Token,
    permits: Arc<Semaphore>,
}

impl Http {
    /// A client for `base`, without a slash at its end. Plain HTTP only where the user configured the base.
    pub(crate) fn new(
        base: &str,
        token: Token,
        roots: Roots,
        custom: bool,
    ) -> Result<Self, TlsError> {
        let roots = match roots {
            Roots::Bundled => RootCerts::WebPki,
            Roots::Platform => {
                let certs = platform_roots()?;
                let certs: Vec<_> = certs
                    .iter()
                    .map(|der| Certificate::from_der(der).to_owned())
                    .collect();
                RootCerts::new_with_certs(&certs)
            }
        };
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::clone(provider()))
            .root_certs(roots)
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .user_agent(USER_AGENT_TEXT)
            .https_only(!custom)
            // A redirect could carry the token elsewhere.
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .build()
            .new_agent();
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self {
            agent,
            base,
            token,
            permits: Arc::new(Semaphore::new(WORKERS)),
        })
    }

    /// `GET /gateway/bot`.
    pub(crate) async fn gateway_bot(&self) -> Result<GatewayBot, HttpError> {
        let url = format!("{}/gateway/bot", self.base);
        let transport = |reason: &str| HttpError::Transport {
            url: url.clone(),
            reason: reason.to_owned(),
        };
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| transport("the client was shut down"))?;
        let (agent, token) = (self.agent.clone(), self.token.clone());
        let asked = url.clone();
        let answer = tokio::task::spawn_blocking(move || {
            let answer = get(&agent, asked, &token);
            drop(permit);
            answer
        });
        answer
            .await
            .map_err(|_| transport("the worker was stopped"))?
    }
}

fn get(agent: &Agent, url: String, token: &Token) -> Result<GatewayBot, HttpError> {
    let authorization = format!("Bot {}", token.expose());
    let transport = |error: ureq::Error| HttpError::Transport {
        url: url.clone(),
        reason: error.to_string(),
    };
    let mut response = agent
        .get(&url)
        .header("Authorization", authorization)
        .call()
        .map_err(transport)?;
    let status = response.status().as_u16();
    let retry_after = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok());
    let retry_after = retry_after.and_then(|value| value.parse::<f64>().ok());
    let body = response
        .body_mut()
        .with_config()
        .limit(BODY_MAX)
        .read_to_string()
        .map_err(transport)?;
    // Enough of the answer to see what it was; an error page of a proxy would flood the log.
    let start = || {
        body.chars()
            .take(200)
            .filter(|c| !c.is_control())
            .collect::<String>()
    };
    match status {
        200 => serde_json::from_str(&body).map_err(|error| HttpError::Answer {
            url: url.clone(),
            reason: error.to_string(),
        }),
        401 => Err(HttpError::Unauthorized),
        403 => Err(HttpError::Forbidden { reason: start() }),
        429 => {
            let seconds = retry_after.unwrap_or(1.0);
            let retry_after =
                Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(60));
            Err(HttpError::RateLimited { retry_after })
        }
        _ => Err(HttpError::Status {
            url: url.clone(),
            status,
            reason: start(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

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
        let token = Token::new("secret.token.text").unwrap();
        Http::new(base, token, Roots::Bundled, true)
            .unwrap()
            .gateway_bot()
            .await
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
                "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1.5\r\nContent-Length: 0\r\n\r\n",
                HttpError::RateLimited {
                    retry_after: Duration::from_millis(1_500),
                },
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
        let (base, _) = answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        assert!(matches!(ask(&base).await, Err(HttpError::Answer { .. })));
        assert!(matches!(
            ask("http://127.0.0.1:1").await,
            Err(HttpError::Transport { .. })
        ));
    }
}
