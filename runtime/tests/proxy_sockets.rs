//! The proxy's sockets: HTTPS, clients that do not read, clients that break off, and how many there may be.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use shardkeep::proxy::{Proxy, ProxyError, Tls};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

mod proxy_support;
mod rest_support;

use proxy_support::{KEY, ask, get, open, settings};
use rest_support::{Server, say};

/// A certificate or key as PEM: rcgen writes DER without more dependencies.
fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = format!("-----BEGIN {label}-----\n");
    for (at, chunk) in der.chunks(3).enumerate() {
        let bits = chunk
            .iter()
            .fold(0, |bits, &byte| bits << 8 | u32::from(byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let six = bits >> (18 - 6 * place) & 63;
            let is_there = place <= chunk.len();
            text.push(if is_there {
                char::from(ALPHABET[six as usize])
            } else {
                '='
            });
        }
        if at % 16 == 15 {
            text.push('\n');
        }
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text.into_bytes()
}

fn head(method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: p\r\nx-shardkeep-key: {KEY}\r\n{more}\r\n")
}

async fn until(proxy: &Proxy, line: &str) {
    for _ in 0..1_000 {
        let metrics = get(proxy, "/metrics").await;
        if String::from_utf8_lossy(&metrics.body)
            .lines()
            .any(|there| there == line)
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let metrics = get(proxy, "/metrics").await;
    panic!("no {line}: {}", String::from_utf8_lossy(&metrics.body));
}

#[tokio::test]
async fn https_is_spoken_with_a_certificate() {
    let server = Server::start([say(200, r#"{"id":"1"}"#)]).await;
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let mut with_tls = settings(&server.base);
    with_tls.tls = Some(Tls {
        certificates: pem("CERTIFICATE", made.cert.der()),
        key: pem("PRIVATE KEY", &made.signing_key.serialize_der()),
    });
    assert!(!format!("{with_tls:?}").contains("PRIVATE"));
    let proxy = open(with_tls).await;
    assert!(proxy.api().starts_with("https://127.0.0.1:") && proxy.api().ends_with("/api/v10"));
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from(made.cert.der().to_vec()))
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = TcpStream::connect(proxy.local_addr()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut socket = TlsConnector::from(Arc::new(client))
        .connect(name, socket)
        .await
        .unwrap();
    let head = head("GET", "/api/v10/users/@me", "connection: close\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with(r#"{"id":"1"}"#),
        "{answer}"
    );
    let mut plain = TcpStream::connect(proxy.local_addr()).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _reset = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"));
    let status: serde_json::Value = serde_json::from_str(&proxy.status_json()).unwrap();
    assert_eq!(status["requests"]["delivered"], 1);
}

#[tokio::test]
async fn a_key_that_does_not_fit_is_refused_at_the_start() {
    let made = |name: &str| rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let mut wrong = settings("http://127.0.0.1:9/api/v10");
    wrong.tls = Some(Tls {
        certificates: pem("CERTIFICATE", made("a").cert.der()),
        key: pem("PRIVATE KEY", &made("b").signing_key.serialize_der()),
    });
    let refused = Proxy::start(wrong).await.unwrap_err();
    assert!(matches!(refused, ProxyError::Tls(_)), "{refused}");
}

#[tokio::test]
async fn whoever_does_not_read_is_let_go() {
    let server = Server::start([say(200, &"x".repeat(32 << 20))]).await;
    let mut hasty = settings(&server.base);
    hasty.body_timeout = Duration::from_millis(100);
    let proxy = open(hasty).await;
    let mut lazy = TcpStream::connect(proxy.local_addr()).await.unwrap();
    lazy.write_all(head("GET", "/api/v10/guilds/1", "").as_bytes())
        .await
        .unwrap();
    until(&proxy, "shardkeep_proxy_connections_stalled_total 1").await;
    until(&proxy, "shardkeep_proxy_connections_open 1").await;
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing_behind() {
    let server = Server::start([]).await;
    let mut few = settings(&server.base);
    few.uploads_max = 1;
    let proxy = open(few).await;
    let path = "/api/v10/channels/1/messages";
    let mut broken = TcpStream::connect(proxy.local_addr()).await.unwrap();
    let head = head("POST", path, "content-length: 10000000\r\n");
    broken.write_all(head.as_bytes()).await.unwrap();
    broken.write_all(&vec![b'x'; 500_000]).await.unwrap();
    until(&proxy, "shardkeep_proxy_uploads 1").await;
    drop(broken);
    until(&proxy, "shardkeep_proxy_uploads 0").await;
    until(&proxy, "shardkeep_proxy_active 0").await;
    assert_eq!(
        ask(&proxy, "POST", path, &[], vec![b'x'; 500_000])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn large_bodies_beyond_their_number_are_told_to_wait() {
    let server = Server::start([]).await;
    let mut few = settings(&server.base);
    few.uploads_max = 1;
    few.body_timeout = Duration::from_millis(50);
    let proxy = open(few).await;
    let path = "/api/v10/channels/1/messages";
    let mut slow = TcpStream::connect(proxy.local_addr()).await.unwrap();
    let head = head("POST", path, "content-length: 10000000\r\n");
    slow.write_all(head.as_bytes()).await.unwrap();
    until(&proxy, "shardkeep_proxy_uploads 1").await;
    let got = ask(&proxy, "POST", path, &[], vec![b'x'; 500_000]).await;
    assert_eq!((got.status, &*got.reason()), (503, "uploads_full"));
    assert_eq!(got.header("retry-after"), "1");
    // Another channel: this one's limit is being found out by the slow request.
    let other = "/api/v10/channels/2/messages";
    assert_eq!(ask(&proxy, "POST", other, &[], "{}").await.status, 200);
}

#[tokio::test]
async fn connections_beyond_their_number_wait() {
    let server = Server::start([]).await;
    let mut few = settings(&server.base);
    few.connections_max = 1;
    let proxy = open(few).await;
    let mut first = TcpStream::connect(proxy.local_addr()).await.unwrap();
    first
        .write_all(head("GET", "/api/v10/guilds/1", "").as_bytes())
        .await
        .unwrap();
    let mut answer = [0; 12];
    first.read_exact(&mut answer).await.unwrap();
    let path = "/api/v10/guilds/1";
    let second = get(&proxy, path);
    let waits = tokio::time::timeout(Duration::from_millis(50), second).await;
    assert!(waits.is_err(), "{waits:?}");
    drop(first);
    assert_eq!(get(&proxy, path).await.status, 200);
}

#[tokio::test]
async fn heads_that_are_too_long_are_refused() {
    let server = Server::start([]).await;
    let proxy = open(settings(&server.base)).await;
    let mut socket = TcpStream::connect(proxy.local_addr()).await.unwrap();
    let long = format!("x-long: {}\r\n", "x".repeat(1 << 20));
    // It may be closed before all of it is written.
    let _reset = socket
        .write_all(head("GET", "/api/v10/guilds/1", &long).as_bytes())
        .await;
    let mut answer = [0; 12];
    let read = socket.read_exact(&mut answer).await;
    assert!(read.is_err() || &answer == b"HTTP/1.1 431");
    assert!(server.seen().is_empty());
    assert_eq!(get(&proxy, "/health").await.status, 200);
}
