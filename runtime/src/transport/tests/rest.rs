//! What a connection holds while nothing arrives.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use super::*;

#[test]
fn a_connection_at_rest_holds_little() {
    let (server, mut client) = own_authority();
    // Tickets for later connections are kept for all of them together.
    Arc::make_mut(&mut client).resumption = rustls::client::Resumption::disabled();
    for (server, client, bytes_max) in [(None, None, 2_000), (Some(server), Some(client), 16_000)] {
        let (url, thread) = serve(server, |peer| {
            for len in [900, 200_000, 900] {
                peer.send(Sent::text(text(0, len)));
            }
            // What large messages took goes when the next small one comes: the answer to a heartbeat, say.
            assert!(peer.read().is_some());
            peer.send(Sent::text("{}"));
            while peer.read().is_some() {}
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (connector, mut window) = (connector(client), Window::default());
        window.warm();
        let mut open = None;
        let held = allocation_counter::measure(|| {
            open = Some(runtime.block_on(async {
                let mut socket = connector.connect(url).await.unwrap();
                read_some(&mut socket, &mut window, 3).await;
                let mut frame = Vec::new();
                write_frame(&mut frame, Opcode::Text, b"{}");
                socket.queue(&frame).unwrap();
                poll_fn(|cx| socket.poll_flush(cx)).await.unwrap();
                read_some(&mut socket, &mut window, 1).await;
                socket
            }));
        });
        assert!(held.bytes_current < bytes_max, "{held:?}");
        drop(open);
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn a_window_grows_while_reads_fill_it_and_shrinks_when_they_do_not() {
    const SMALL: usize = 200;
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let (url, thread) = serve(None, move |peer| {
        for n in 0..8_000 {
            peer.send(Sent::text(text(n, 1_000)));
            counter.fetch_add(1, Ordering::Relaxed);
        }
        for _ in 0..SMALL {
            assert!(peer.read().is_some());
            peer.send(Sent::text("{}"));
        }
        while peer.read().is_some() {}
    });
    let mut socket = connector(None).connect(url).await.unwrap();
    let mut window = Window::default();
    let least = window.room();
    // The server writes ahead while nobody reads: the first reads are full.
    while sent.load(Ordering::Relaxed) < 500 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    read_some(&mut socket, &mut window, 8_000).await;
    let grown = window.room();
    assert!(grown > least && grown <= 512 << 10, "{grown}");
    for _ in 0..SMALL {
        let mut frame = Vec::new();
        write_frame(&mut frame, Opcode::Text, b"{}");
        socket.queue(&frame).unwrap();
        poll_fn(|cx| socket.poll_flush(cx)).await.unwrap();
        read_some(&mut socket, &mut window, 1).await;
    }
    assert_eq!(window.room(), least);
    drop(socket);
    thread.join().unwrap();
}

/// Reads this many messages, and until nothing more is there.
async fn read_some(socket: &mut WebSocket, window: &mut Window, mut left: usize) {
    poll_fn(|cx| {
        let each = |_: Message<'_>| {
            left -= 1;
            ControlFlow::Continue(())
        };
        match socket.poll_messages(cx, window, each) {
            Poll::Ready(read) => {
                read.unwrap();
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Pending if left > 0 => Poll::Pending,
            Poll::Pending => Poll::Ready(()),
        }
    })
    .await;
}
