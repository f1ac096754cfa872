//! Bodies through the proxy: large ones in pieces, sent again where they must be, bounded, and not waited for for ever.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

mod proxy_support;
mod rest_support;

use proxy_support::{KEY, ask, open, settings};
use rest_support::{Say, Server, limited, say};

async fn start(script: impl IntoIterator<Item = Say>) -> (Server, shardkeep::proxy::Proxy) {
    let server = Server::start(script).await;
    let proxy = open(settings(&server.base)).await;
    (server, proxy)
}

#[tokio::test]
async fn large_and_chunked_bodies_go_through_in_pieces() {
    let (server, proxy) = start([]).await;
    let part = "--b\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"a\"\r\n\r\n";
    let mut body = part.as_bytes().to_vec();
    body.resize(3 << 20, b'x');
    let form = [("content-type", "multipart/form-data; boundary=b")];
    let path = "/api/v10/channels/1/messages";
    assert_eq!(
        ask(&proxy, "POST", path, &form, body.clone()).await.status,
        200
    );
    let mut socket = TcpStream::connect(proxy.local_addr()).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: p\r\nx-shardkeep-key: {KEY}\r\ntransfer-encoding: chunked\r\n\
         content-type: multipart/form-data; boundary=b\r\nconnection: close\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    for piece in body.chunks(100_000) {
        socket
            .write_all(format!("{:x}\r\n", piece.len()).as_bytes())
            .await
            .unwrap();
        socket.write_all(piece).await.unwrap();
        socket.write_all(b"\r\n").await.unwrap();
    }
    socket.write_all(b"0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for seen in server.seen() {
        assert_eq!(seen.body, body);
        assert_eq!(seen.header("content-type"), form[0].1);
    }
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_large_body_is_sent_again_after_a_429() {
    let (server, proxy) = start([limited(0.01), say(200, "{}")]).await;
    let body = vec![b'x'; 1 << 20];
    let got = ask(
        &proxy,
        "POST",
        "/api/v10/channels/1/messages",
        &[],
        body.clone(),
    )
    .await;
    assert_eq!(got.status, 200);
    let seen = server.seen();
    assert_eq!(
        seen.iter().map(|seen| seen.body.len()).collect::<Vec<_>>(),
        [1 << 20; 2]
    );
}

#[tokio::test]
async fn bodies_that_are_too_long_are_refused_announced_or_not() {
    let server = Server::start([]).await;
    let mut small = settings(&server.base);
    small.body_bytes_max = 300_000;
    let proxy = open(small).await;
    let path = "/api/v10/channels/1/messages";
    let got = ask(&proxy, "POST", path, &[], vec![0; 300_001]).await;
    assert_eq!((got.status, &*got.reason()), (413, "body_too_large"));
    assert!(got.json()["message"].as_str().unwrap().contains("300000"));
    let mut socket = TcpStream::connect(proxy.local_addr()).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: p\r\nx-shardkeep-key: {KEY}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let chunk = [
        format!("{:x}\r\n", 400_000).into_bytes(),
        vec![b'x'; 400_000],
    ]
    .concat();
    socket.write_all(&chunk).await.unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    assert!(server.seen().iter().all(|seen| seen.body.is_empty()));
}

#[tokio::test]
async fn whoever_stops_sending_is_told_so() {
    let server = Server::start([]).await;
    let mut hasty = settings(&server.base);
    hasty.body_timeout = Duration::from_millis(50);
    let proxy = open(hasty).await;
    let mut socket = TcpStream::connect(proxy.local_addr()).await.unwrap();
    let head = format!(
        "POST /api/v10/channels/1/messages HTTP/1.1\r\nhost: p\r\nx-shardkeep-key: {KEY}\r\n\
         content-length: 100\r\n\r\nonly this"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 408") && answer.contains("body_timeout"),
        "{answer}"
    );
    assert!(server.seen().is_empty());
}
