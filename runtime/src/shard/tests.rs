//! A shard against a server of the test's own: nothing is allocated on the way from frame to batch.

use std::future::poll_fn;
use std::net::TcpListener;

use shardkeep_core::wire::{Compression, Inflate, Intents};
use shardkeep_core::{ShardId, Token};
use tungstenite::Message;

use super::*;
use crate::config::Roots;
use crate::inflate;
use crate::transport::client_config;

const WARM: usize = 3_000;
const MEASURED: usize = 3_000;

/// The server's side: greets, answers identify, sends the warm-up at once and the rest when asked to.
fn serve(
    compress: fn() -> Compress,
) -> (
    String,
    std::sync::mpsc::Sender<()>,
    std::thread::JoinHandle<()>,
) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("ws://{}", listener.local_addr().expect("it is bound"));
    let (go, gone) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let (socket, _) = listener.accept().expect("the shard connects");
        let mut socket = tungstenite::accept(socket).expect("it asks for a WebSocket");
        let mut compress = compress();
        let mut send = |socket: &mut tungstenite::WebSocket<_>, text: String| {
            socket.write(compress(text)).expect("the shard reads");
        };
        send(
            &mut socket,
            r#"{"op":10,"d":{"heartbeat_interval":600000}}"#.to_owned(),
        );
        socket.flush().expect("the shard reads");
        socket.read().expect("it identifies");
        let ready = r#"{"op":0,"s":1,"t":"READY","d":{"session_id":"a","guilds":[],"resume_gateway_url":""}}"#;
        send(&mut socket, ready.to_owned());
        // Words by chance, so that they shrink as messages do, to about a quarter.
        let mut rng = shardkeep_core::Rng::new(1);
        let words = [
            "lorem", "ipsum", "dolor", "sit", "amet", "elit", "sed", "do", "ut", "labore", "magna",
        ];
        let mut content = || {
            let word =
                |_| words[usize::try_from(rng.below(words.len() as u64)).expect("below eleven")];
            (0..160).map(word).collect::<Vec<_>>().join(" ")
        };
        for s in 2..2 + WARM + MEASURED {
            if s == 2 + WARM {
                socket.flush().expect("the shard reads");
                gone.recv().expect("the test asks for the rest");
            }
            let content = content();
            let text = format!(
                r#"{{"op":0,"s":{s},"t":"MESSAGE_CREATE","d":{{"id":"{s}","content":"{content}"}}}}"#
            );
            send(&mut socket, text);
        }
        socket.flush().expect("the shard reads");
        while socket.read().is_ok() {}
    });
    (url, go, thread)
}

type Compress = Box<dyn FnMut(String) -> Message>;

fn plain() -> Compress {
    Box::new(Message::text)
}

fn zstd() -> Compress {
    let mut stream = zstd_safe::CCtx::create();
    Box::new(move |text| {
        let mut room = vec![0; text.len() * 2 + 1_024];
        let len = {
            let mut out = zstd_safe::OutBuffer::around(&mut room[..]);
            let mut input = zstd_safe::InBuffer::around(text.as_bytes());
            stream
                .compress_stream(&mut out, &mut input)
                .expect("it compresses");
            stream.flush_stream(&mut out).expect("it flushes");
            out.pos()
        };
        room.truncate(len);
        Message::binary(room)
    })
}

fn shard(
    url: &str,
    compression: Compression,
) -> (
    Shard,
    Arc<Queue>,
    mpsc::UnboundedReceiver<Notice>,
    mpsc::UnboundedSender<Control>,
) {
    let token = Token::new("not.a.token").expect("it looks like one");
    let mut config = gateway::Config::new(ShardId::SINGLE, token, Intents::GUILDS, url);
    config.custom_base = true;
    config.compression = compression;
    let inflate: Box<dyn Inflate> = inflate::for_compression(compression, inflate::WINDOW_LOG_MAX);
    let session = Session::new(config, inflate, clock::now()).expect("a valid configuration");
    let queue = Arc::new(Queue::new(100_000, 1 << 30));
    let (notices, inbox) = mpsc::unbounded_channel();
    let (orders, controls) = mpsc::unbounded_channel();
    let tls = client_config(Roots::Bundled).expect("the bundled roots are there");
    let around = Surroundings {
        queue: Arc::clone(&queue),
        cell: Arc::new(ShardCell::new(ShardId::SINGLE)),
        notices,
        controls,
        tracked: None,
        sorting: Sorting::default(),
        lease: None,
        cache: None,
        connector: Connector {
            tls,
            message_bytes_max: 1 << 20,
            read_bytes_max: 128 << 10,
        },
    };
    (Shard::new(session, around), queue, inbox, orders)
}

#[test]
fn nothing_is_allocated_on_the_way_from_frame_to_batch() {
    for (compression, compress) in [
        (Compression::None, plain as fn() -> Compress),
        (Compression::ZstdStream, zstd),
    ] {
        let (url, go, thread) = serve(compress);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let (shard, queue, mut notices, controls) = shard(&url, compression);
        let mut shard = Box::pin(shard);
        let bytes = ThreadCell::new(0);
        // Runs the shard until the user has taken this many dispatches, a batch at a time.
        let mut take = |count: usize| {
            let mut left = count;
            runtime.block_on(poll_fn(|cx| {
                assert!(shard.as_mut().poll(cx).is_pending());
                while let Some(batch) = queue.take(usize::MAX) {
                    let messages = batch.iter().filter(|entry| entry.name == "MESSAGE_CREATE");
                    let lengths = messages.map(|entry| entry.data.len());
                    left -= lengths.inspect(|len| bytes.set(bytes.get() + len)).count();
                }
                while let Ok(notice) = notices.try_recv() {
                    if matches!(notice, Notice::Fleet(fleet::Input::WantIdentify { .. })) {
                        controls.send(Control::Granted).expect("the shard listens");
                    }
                }
                if left == 0 {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            }));
        };
        take(WARM);
        go.send(()).expect("the server waits");
        let counted = allocation_counter::measure(|| take(MEASURED));
        assert!(bytes.get() > (WARM + MEASURED) * 800);
        // Some for a read now and then, where a connection was idle for a moment: none for an event.
        assert!(
            counted.count_total <= MEASURED as u64 / 50,
            "{compression}: {counted:?}"
        );
        drop(shard);
        thread.join().expect("the server ends with its socket");
    }
}
