//! WebSockets over real sockets, plain and with TLS: every size of message, fragments, pings, and every way to end.

mod rest;

use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::JoinHandle;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use shardkeep_core::wire::CloseCode;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame};
use tungstenite::{Message as Sent, WebSocket as Server};

use super::*;
use crate::config::Roots;

/// A server for one connection: its URL, and the thread that `behave`s.
fn serve(
    tls: Option<Arc<ServerConfig>>,
    behave: impl FnOnce(&mut dyn Peer) + Send + 'static,
) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!(
        "{}://localhost:{port}/?v=10",
        if tls.is_some() { "wss" } else { "ws" }
    );
    let thread = std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        socket.set_nodelay(true).unwrap();
        match tls {
            None => behave(&mut tungstenite::accept(socket).unwrap()),
            Some(config) => {
                let session = ServerConnection::new(config).unwrap();
                behave(&mut tungstenite::accept(StreamOwned::new(session, socket)).unwrap());
            }
        }
    });
    (url, thread)
}

/// What a server does, whatever it runs on.
trait Peer {
    fn send(&mut self, message: Sent);
    fn read(&mut self) -> Option<Sent>;
    fn raw(&mut self, bytes: &[u8]);
}

impl<S: Read + Write> Peer for Server<S> {
    fn send(&mut self, message: Sent) {
        Self::send(self, message).unwrap();
    }

    fn read(&mut self) -> Option<Sent> {
        Self::read(self).ok()
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.get_mut().write_all(bytes).unwrap();
        self.get_mut().flush().unwrap();
    }
}

/// A certificate for localhost, and a client that trusts it.
pub(crate) fn own_authority() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();

    let server = ServerConfig::builder_with_provider(Arc::clone(provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(root.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::clone(provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}

fn connector(tls: Option<Arc<ClientConfig>>) -> Connector {
    let tls = tls.unwrap_or_else(|| client_config(Roots::Bundled).unwrap());
    Connector {
        tls,
        message_bytes_max: 8 << 20,
        read_bytes_max: 512 << 10,
    }
}

/// Reads until the socket is gone: every message's kind, length and first byte.
async fn read_all(socket: &mut WebSocket) -> (Vec<(bool, usize, Option<u8>)>, Gone) {
    let (mut window, mut seen) = (Window::default(), Vec::new());
    loop {
        let read = poll_fn(|cx| {
            let _in_time = socket.poll_flush(cx);
            socket.poll_messages(cx, &mut window, |message| {
                let (text, bytes) = match message {
                    Message::Text(bytes) => (true, bytes),
                    Message::Binary(bytes) => (false, bytes),
                };
                seen.push((text, bytes.len(), bytes.first().copied()));
                ControlFlow::Continue(())
            })
        });
        if let Err(gone) = read.await {
            return (seen, gone);
        }
    }
}

/// A length for every way in which frames and windows can meet, each twice.
const LENGTHS: [usize; 14] = [
    0, 1, 125, 126, 900, 4_095, 16_384, 65_522, 65_526, 65_535, 65_536, 131_072, 1_000_000,
    3_000_001,
];

fn text(n: usize, len: usize) -> String {
    char::from(b'a' + u8::try_from(n % 26).unwrap())
        .to_string()
        .repeat(len)
}

#[tokio::test]
async fn messages_of_every_size_arrive_whole_and_in_order_plain_and_with_tls() {
    let (server, client) = own_authority();
    for (server, client) in [(None, None), (Some(server), Some(client))] {
        let (url, thread) = serve(server, |peer| {
            for _ in 0..2 {
                for (n, len) in LENGTHS.into_iter().enumerate() {
                    peer.send(Sent::text(text(n, len)));
                    peer.send(Sent::binary(vec![7; len]));
                }
            }
            for n in 0..20_000 {
                peer.send(Sent::text(text(n, n % 1_800)));
            }
            peer.send(Sent::Close(Some(CloseFrame {
                code: 4007.into(),
                reason: "".into(),
            })));
            assert!(
                matches!(peer.read(), Some(Sent::Close(_))),
                "the close frame is answered"
            );
        });
        let mut socket = connector(client).connect(url).await.unwrap();
        let (seen, gone) = read_all(&mut socket).await;
        let _in_time = poll_fn(|cx| socket.poll_flush(cx)).await;
        assert_eq!(gone.code(), Some(CloseCode(4007)));
        let sizes = LENGTHS.into_iter().enumerate().flat_map(|(n, len)| {
            let first = (len > 0).then(|| text(n, 1).as_bytes()[0]);
            [(true, len, first), (false, len, (len > 0).then_some(7))]
        });
        let sizes: Vec<_> = sizes.collect();
        let small = (0..20_000).map(|n| {
            let len = n % 1_800;
            (true, len, (len > 0).then(|| text(n, 1).as_bytes()[0]))
        });
        let expected: Vec<_> = sizes
            .iter()
            .copied()
            .chain(sizes.iter().copied())
            .chain(small)
            .collect();
        assert!(
            seen == expected,
            "{} of {} messages",
            seen.len(),
            expected.len()
        );
        drop(socket);
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn fragments_are_joined_and_pings_between_them_answered() {
    let (url, thread) = serve(None, |peer| {
        let fragment = |bytes: &[u8], opcode, last| {
            Sent::Frame(Frame::message(bytes.to_vec(), OpCode::Data(opcode), last))
        };
        peer.send(fragment(b"one ", Data::Text, false));
        peer.send(Sent::Ping(vec![1, 2, 3].into()));
        peer.send(fragment(b"two ", Data::Continue, false));
        peer.send(fragment(b"three", Data::Continue, true));
        peer.send(Sent::text("whole"));
        assert_eq!(peer.read(), Some(Sent::Pong(vec![1, 2, 3].into())));
        peer.send(Sent::Close(None));
    });
    let mut socket = connector(None).connect(url).await.unwrap();
    let (seen, gone) = read_all(&mut socket).await;
    assert_eq!(seen, [(true, 13, Some(b'o')), (true, 5, Some(b'w'))]);
    assert!(matches!(gone, Gone::Closed(None)), "{gone:?}");
    thread.join().unwrap();
}

#[tokio::test]
async fn frames_that_break_the_protocol_end_the_connection() {
    let cases: [(&[u8], &str); 5] = [
        (&[0xc1, 0], "extension"),
        (&[0x80, 0], "out of order"),
        (&[0x01, 0, 0x81, 0], "out of order"),
        (&[0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0], "exceeds the limit"),
        (&[0x81, 0x80, 0, 0, 0, 0], "masked"),
    ];
    for (bytes, words) in cases {
        let (url, thread) = serve(None, |peer| peer.raw(bytes));
        let mut socket = connector(None).connect(url).await.unwrap();
        let (seen, gone) = read_all(&mut socket).await;
        assert!(seen.is_empty());
        assert!(gone.to_string().contains(words), "{gone}");
        assert_eq!(gone.code(), None);
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn a_stream_that_ends_in_mid_frame_is_broken_and_not_closed() {
    let (url, thread) = serve(None, |peer| peer.raw(&[0x81, 100, b'x']));
    let mut socket = connector(None).connect(url).await.unwrap();
    let (seen, gone) = read_all(&mut socket).await;
    assert!(seen.is_empty());
    assert!(matches!(gone, Gone::Broken(_)), "{gone:?}");
    thread.join().unwrap();
}

#[tokio::test]
async fn what_is_sent_arrives() {
    let (server, client) = own_authority();
    for (server, client) in [(None, None), (Some(server), Some(client))] {
        let (url, thread) = serve(server, |peer| {
            assert_eq!(peer.read(), Some(Sent::text("{\"op\":1,\"d\":null}")));
            assert_eq!(peer.read(), Some(Sent::text("x".repeat(70_000))));
            let closed = peer.read();
            assert!(
                matches!(closed, Some(Sent::Close(Some(frame))) if u16::from(frame.code) == 4000)
            );
        });
        let mut socket = connector(client).connect(url).await.unwrap();
        let mut frames = Vec::new();
        write_frame(&mut frames, Opcode::Text, b"{\"op\":1,\"d\":null}");
        write_frame(&mut frames, Opcode::Text, "x".repeat(70_000).as_bytes());
        write_close(&mut frames, CloseCode(4000));
        socket.queue(&frames).unwrap();
        poll_fn(|cx| socket.poll_flush(cx)).await.unwrap();
        let mut window = Window::default();
        poll_fn(|cx| socket.poll_drain(cx, &mut window)).await;
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn an_authority_that_is_not_trusted_is_refused() {
    let (server, _) = own_authority();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("wss://localhost:{}", listener.local_addr().unwrap().port());
    let thread = std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(server).unwrap(), socket);
        let refused = stream.read(&mut [0; 16]);
        assert!(refused.is_err());
    });
    let error = connector(None).connect(url).await.unwrap_err();
    assert!(matches!(error, ConnectError::Tls { .. }), "{error}");
    thread.join().unwrap();
}

#[tokio::test]
async fn an_answer_that_is_no_upgrade_says_so() {
    for (answer, words) in [
        ("HTTP/1.1 429 Too Many Requests\r\n\r\n", "HTTP 429"),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            "Accept",
        ),
        ("SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let (mut socket, _): (TcpStream, _) = listener.accept().unwrap();
            let mut request = vec![0; 4_096];
            let n = socket.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..n]).to_ascii_lowercase();
            assert!(request.contains("user-agent: discordbot ("), "{request}");
            assert!(!request.contains("sec-websocket-extensions"));
            socket.write_all(answer.as_bytes()).unwrap();
        });
        let error = connector(None).connect(url).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn frames_that_come_in_one_packet_with_the_upgrade_are_not_forgotten() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut socket, _): (TcpStream, _) = listener.accept().unwrap();
        let mut request = vec![0; 4_096];
        let n = socket.read(&mut request).unwrap();
        let request = String::from_utf8_lossy(&request[..n]).into_owned();
        let key = request
            .lines()
            .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
            .unwrap();
        let accept = tungstenite::handshake::derive_accept_key(key.trim().as_bytes());
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .into_bytes();
        answer.extend_from_slice(b"\x81\x05hello\x81\x05wor");
        socket.write_all(&answer).unwrap();
        // Nothing more comes until the client has read what is there.
        std::thread::sleep(std::time::Duration::from_millis(50));
        socket.write_all(b"ld\x88\x00").unwrap();
    });
    let mut socket = connector(None).connect(url).await.unwrap();
    let (seen, gone) = read_all(&mut socket).await;
    assert_eq!(seen, [(true, 5, Some(b'h')), (true, 5, Some(b'w'))]);
    assert!(matches!(gone, Gone::Closed(None)));
    thread.join().unwrap();
}
