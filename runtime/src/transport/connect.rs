//! From a URL to an open WebSocket: name, TCP, TLS, HTTP upgrade.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use shardkeep_core::wire::Buffer;
use tokio::net::TcpStream;
use tungstenite::handshake::client::{Response, generate_key, generate_request};
use tungstenite::handshake::derive_accept_key;
use tungstenite::handshake::machine::TryParse;
use tungstenite::http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, UPGRADE, USER_AGENT};
use tungstenite::http::{HeaderMap, HeaderName, Request, StatusCode, Uri};

use super::stream::Stream;
use super::websocket::WebSocket;
use crate::http::USER_AGENT_TEXT;

/// The longest answer to an upgrade that is read.
const RESPONSE_MAX: usize = 16 << 10;

/// Why a WebSocket did not open. Texts never hold the token: it is not part of the URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ConnectError {
    #[error("the URL {0:?} cannot be connected to")]
    Url(String),
    #[error("{host}:{port}: {source}")]
    Tcp {
        host: String,
        port: u16,
        source: io::Error,
    },
    #[error("TLS with {host}: {source}")]
    Tls { host: String, source: io::Error },
    #[error("the connection broke during the upgrade: {0}")]
    Upgrade(io::Error),
    #[error("the server answered the upgrade with HTTP {0}")]
    Status(StatusCode),
    #[error("the server's answer to the upgrade is not a WebSocket's: {0}")]
    Answer(&'static str),
}

/// What every connection of a bot shares.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    /// Trust for `wss://`.
    pub(crate) tls: Arc<ClientConfig>,
    /// The largest frame or message that is taken in.
    pub(crate) message_bytes_max: usize,
    /// The most that one system call may bring.
    pub(crate) read_bytes_max: usize,
}

impl Connector {
    /// Opens a WebSocket. How long it may take is the caller's business.
    pub(crate) async fn connect(self, url: String) -> Result<WebSocket, ConnectError> {
        let malformed = || ConnectError::Url(url.clone());
        let uri: Uri = url.parse().map_err(|_| malformed())?;
        let secure = match uri.scheme_str() {
            Some("wss") => true,
            Some("ws") => false,
            _ => return Err(malformed()),
        };
        let host = uri
            .host()
            .ok_or_else(malformed)?
            .trim_matches(['[', ']'])
            .to_owned();
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tcp_error = |source| ConnectError::Tcp {
            host: host.clone(),
            port,
            source,
        };
        let tcp = TcpStream::connect((host.as_str(), port))
            .await
            .map_err(tcp_error)?;
        tcp.set_nodelay(true).map_err(tcp_error)?;
        let mut stream = if secure {
            let name = ServerName::try_from(host.clone()).map_err(|_| malformed())?;
            Stream::tls(tcp, self.tls, name)
                .await
                .map_err(|source| ConnectError::Tls {
                    host: host.clone(),
                    source,
                })?
        } else {
            Stream::plain(tcp)
        };
        let carry = upgrade(&mut stream, &uri).await?;
        Ok(WebSocket::new(
            stream,
            carry,
            self.message_bytes_max,
            self.read_bytes_max,
        ))
    }
}

/// Sends the upgrade and reads the answer: the bytes that came behind it.
async fn upgrade(stream: &mut Stream, uri: &Uri) -> Result<Buffer, ConnectError> {
    let key = generate_key();
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let request = Request::builder()
        .uri(uri)
        .header("Host", authority)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", &key)
        .header(USER_AGENT, USER_AGENT_TEXT)
        .body(())
        .map_err(|_| ConnectError::Url(uri.to_string()))?;
    let (request, _) = generate_request(request).map_err(|_| ConnectError::Url(uri.to_string()))?;
    stream.queue(&request).map_err(ConnectError::Upgrade)?;
    std::future::poll_fn(|cx| stream.poll_flush(cx))
        .await
        .map_err(ConnectError::Upgrade)?;

    let (mut answer, mut cipher) = (Buffer::new(), Vec::new());
    loop {
        let n =
            std::future::poll_fn(|cx| stream.poll_read(cx, &mut answer, RESPONSE_MAX, &mut cipher))
                .await
                .map_err(ConnectError::Upgrade)?;
        if n == 0 {
            return Err(ConnectError::Upgrade(io::ErrorKind::UnexpectedEof.into()));
        }
        let parsed = Response::try_parse(answer.filled())
            .map_err(|_| ConnectError::Answer("it is not HTTP/1.1"))?;
        if let Some((len, response)) = parsed {
            check(&response, &key)?;
            // The room to read into was the thread's size; a connection keeps only what came behind the answer.
            let mut carry = Buffer::new();
            if answer.len() > len {
                carry.extend_from_slice(&answer.filled()[len..]);
            }
            return Ok(carry);
        }
        if answer.len() > RESPONSE_MAX {
            return Err(ConnectError::Answer("its headers are too long"));
        }
    }
}

/// RFC 6455, 4.1.
fn check(response: &Response, key: &str) -> Result<(), ConnectError> {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(ConnectError::Status(response.status()));
    }
    let headers = response.headers();
    if !has_token(headers, &UPGRADE, "websocket") {
        return Err(ConnectError::Answer("Upgrade is not websocket"));
    }
    if !has_token(headers, &CONNECTION, "upgrade") {
        return Err(ConnectError::Answer("Connection is not Upgrade"));
    }
    let accept = derive_accept_key(key.as_bytes());
    if headers
        .get(SEC_WEBSOCKET_ACCEPT)
        .is_none_or(|value| value.as_bytes() != accept.as_bytes())
    {
        return Err(ConnectError::Answer("Sec-WebSocket-Accept does not match"));
    }
    if headers.contains_key("Sec-WebSocket-Extensions") {
        return Err(ConnectError::Answer(
            "it uses an extension that was not offered",
        ));
    }
    Ok(())
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(token))
}
