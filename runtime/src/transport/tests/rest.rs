//! What a connection holds while nothing arrives.

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
