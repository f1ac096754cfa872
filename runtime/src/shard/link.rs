//! A shard's socket: being opened, open, or gone; and the last one, while it closes.

use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use shardkeep_core::Machine;
use shardkeep_core::gateway::{Input, Session};
use shardkeep_core::wire::CloseCode;
use tokio::time::{Sleep, sleep};

use super::outlet::Outlet;
use crate::clock;
use crate::transport::{ConnectError, Connector, Gone, Message, WebSocket, Window, write_close};

/// How long a socket may take to close after our close frame, beside whatever the shard does next. Dropping it at once
/// could destroy the close frame: with unread bytes in the socket, the system resets the connection.
const LINGER: Duration = Duration::from_secs(1);

type Opening = Pin<Box<dyn Future<Output = Result<WebSocket, ConnectError>> + Send>>;

enum Socket {
    None,
    Opening(Opening),
    Open(Box<WebSocket>),
}

/// A shard's connection.
pub(super) struct Link {
    connector: Connector,
    socket: Socket,
    lingering: Option<(Box<WebSocket>, Pin<Box<Sleep>>)>,
}

impl Link {
    pub(super) const fn new(connector: Connector) -> Self {
        Self {
            connector,
            socket: Socket::None,
            lingering: None,
        }
    }

    /// Opens a socket in the place of any other.
    pub(super) fn open(&mut self, url: String) {
        self.socket = Socket::Opening(Box::pin(self.connector.clone().connect(url)));
    }

    /// Sends a close frame and gives the socket up. `false` if there was none.
    pub(super) fn hang_up(
        &mut self,
        cx: &mut Context<'_>,
        outlet: &mut Outlet,
        code: CloseCode,
    ) -> bool {
        match std::mem::replace(&mut self.socket, Socket::None) {
            Socket::None => return false,
            Socket::Opening(_) => {}
            Socket::Open(mut socket) => {
                write_close(outlet.out(), code);
                let queued = socket.queue(outlet.out());
                outlet.out().clear();
                let flushed = socket.poll_flush(cx);
                if queued.is_ok() && !matches!(flushed, Poll::Ready(Err(_))) {
                    self.lingering = Some((socket, Box::pin(sleep(LINGER))));
                }
            }
        }
        outlet.out().clear();
        true
    }

    /// Whether the last socket is still closing.
    pub(super) fn is_lingering(&mut self, cx: &mut Context<'_>, window: &mut Window) -> bool {
        if let Some((socket, timer)) = &mut self.lingering
            && (timer.as_mut().poll(cx).is_ready() || socket.poll_drain(cx, window).is_ready())
        {
            self.lingering = None;
        }
        self.lingering.is_some()
    }

    /// Writes, and leaves what arrives in the socket.
    pub(super) fn write_only(
        &mut self,
        cx: &mut Context<'_>,
        outlet: &mut Outlet,
        session: &mut Session,
    ) -> bool {
        match self.flush(cx, outlet) {
            Ok(()) => false,
            Err(gone) => self.lost(outlet, session, &gone),
        }
    }

    /// Opens, writes and reads, as far as it goes without waiting. Whether anything arrived or changed.
    pub(super) fn converse(
        &mut self,
        cx: &mut Context<'_>,
        window: &mut Window,
        outlet: &mut Outlet,
        session: &mut Session,
    ) -> bool {
        if let Socket::Opening(opening) = &mut self.socket {
            return match opening.as_mut().poll(cx) {
                Poll::Pending => false,
                Poll::Ready(Ok(socket)) => {
                    self.socket = Socket::Open(Box::new(socket));
                    feed(session, outlet, Input::Connected);
                    true
                }
                Poll::Ready(Err(error)) => {
                    self.socket = Socket::None;
                    outlet.connect_failed(&error);
                    feed(session, outlet, Input::Disconnected { code: None });
                    true
                }
            };
        }
        // A server that closes may have said why before writing failed: that is read first.
        let unwritten = self.flush(cx, outlet).err();
        let Socket::Open(socket) = &mut self.socket else {
            return false;
        };
        let now = clock::now();
        let read = socket.poll_messages(cx, window, |message| {
            let input = match message {
                Message::Text(text) => Input::Text(text),
                Message::Binary(bytes) => Input::Binary(bytes),
            };
            let taken = session.handle_input_with(now, input, &mut |event| outlet.dispatch(&event));
            if let Err(misuse) = taken {
                tracing::debug!(shard = %session.shard(), %misuse, "the session did not expect this");
            }
            outlet.drain(session);
            if outlet.wants_other_socket() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match read {
            Poll::Pending => match unwritten {
                Some(gone) => self.lost(outlet, session, &gone),
                None => false,
            },
            Poll::Ready(Ok(_)) => true,
            Poll::Ready(Err(gone)) => {
                // What we have to say to a closing server is one frame; it goes out now or never.
                let _gone_anyway = socket.poll_flush(cx);
                self.lost(outlet, session, &gone)
            }
        }
    }

    fn flush(&mut self, cx: &mut Context<'_>, outlet: &mut Outlet) -> Result<(), Gone> {
        let Socket::Open(socket) = &mut self.socket else {
            return Ok(());
        };
        if !outlet.out().is_empty() {
            let queued = socket.queue(outlet.out());
            outlet.out().clear();
            queued.map_err(Gone::Broken)?;
        }
        match socket.poll_flush(cx) {
            Poll::Ready(Err(error)) => Err(Gone::Broken(error)),
            _ => Ok(()),
        }
    }

    fn lost(&mut self, outlet: &mut Outlet, session: &mut Session, gone: &Gone) -> bool {
        self.socket = Socket::None;
        outlet.out().clear();
        outlet.disconnected(gone);
        feed(session, outlet, Input::Disconnected { code: gone.code() });
        true
    }
}

fn feed(session: &mut Session, outlet: &mut Outlet, input: Input<'_>) {
    if let Err(misuse) = session.handle_input(clock::now(), input) {
        tracing::debug!(shard = %session.shard(), %misuse, "the session did not expect this");
    }
    outlet.drain(session);
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.socket {
            Socket::None => "Link(none)",
            Socket::Opening(_) => "Link(opening)",
            Socket::Open(_) => "Link(open)",
        })
    }
}
