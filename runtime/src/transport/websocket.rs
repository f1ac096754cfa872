//! An open WebSocket, read a window at a time: every whole message is handed on where it lies.

use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::task::{Context, Poll};

use shardkeep_core::wire::{Buffer, CloseCode, Compression};

use super::frame::{self, FrameError, Head, Opcode, write_close, write_frame};
use super::stream::{READ_BYTES_MIN, Stream};
use crate::config;

/// What a busy connection may keep of the room for a frame that was not whole.
const CARRY_KEPT: usize = 4 << 10;

/// So many reads in a row that bring little halve the window.
const CALM_READS: u32 = 64;

/// The most that one system call may bring, from 128 KiB to 1 MiB: the fewer calls the better, for each costs the
/// kernel a note to the sender too. What one read brings may go beyond the queue's limits, so it follows them. Where
/// events are compressed, it is the least: a read brings many times its size.
pub(crate) fn read_bytes_max(compression: Compression, queue: &config::Queue) -> usize {
    match compression {
        Compression::None => {
            let fitting = (queue.bytes_max / 16).min(queue.events_max.saturating_mul(16));
            fitting.clamp(READ_BYTES_MIN, 1 << 20)
        }
        _ => READ_BYTES_MIN,
    }
}

/// Room to read into, one for each thread: whoever reads borrows it and leaves it empty. It grows while reads fill it.
#[derive(Debug, Default)]
pub(crate) struct Window {
    plain: Buffer,
    cipher: Vec<u8>,
    /// How much more than the least a read may bring, as a power of two.
    growth: u32,
    /// Reads in a row that brought little.
    calm: u32,
}

impl Window {
    /// How much a read may bring.
    pub(super) const fn room(&self) -> usize {
        READ_BYTES_MIN << self.growth
    }

    /// Follows what a read brought: `full` if there may be more.
    const fn follow(&mut self, read: usize, full: bool) {
        if full {
            self.growth += 1;
            self.calm = 0;
        } else if read > self.room() / 4 {
            self.calm = 0;
        } else if self.growth > 0 {
            self.calm += 1;
            if self.calm == CALM_READS {
                self.growth -= 1;
                self.calm = 0;
            }
        }
    }
}

#[cfg(test)]
impl Window {
    /// Allocates all that it ever will.
    pub(super) fn warm(&mut self) {
        self.plain.extend_from_slice(&[0; 2 * READ_BYTES_MIN]);
        self.plain.clear();
        self.cipher.resize(READ_BYTES_MIN, 0);
    }
}

/// A whole message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message<'a> {
    Text(&'a [u8]),
    Binary(&'a [u8]),
}

/// How a socket ended.
#[derive(Debug)]
pub(crate) enum Gone {
    /// The server sent a close frame.
    Closed(Option<CloseCode>),
    /// The stream ended or broke without one.
    Broken(io::Error),
    /// The server broke the protocol.
    Protocol(FrameError),
}

impl Gone {
    /// The close frame's code, if there was one.
    pub(crate) const fn code(&self) -> Option<CloseCode> {
        match self {
            Self::Closed(code) => *code,
            Self::Broken(_) | Self::Protocol(_) => None,
        }
    }
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(Some(code)) => write!(f, "close code {code}"),
            Self::Closed(None) => f.write_str("close frame without code"),
            Self::Broken(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                f.write_str("the stream ended")
            }
            Self::Broken(error) => error.fmt(f),
            Self::Protocol(error) => error.fmt(f),
        }
    }
}

/// An open WebSocket.
pub(crate) struct WebSocket {
    stream: Stream,
    /// The bytes of a frame that is not whole yet.
    carry: Buffer,
    /// How long that frame is with its header; 0 if not even the header is whole.
    frame_len: usize,
    /// The fragments of a message so far.
    fragments: Option<(Opcode, Vec<u8>)>,
    message_bytes_max: usize,
    read_bytes_max: usize,
}

impl WebSocket {
    pub(super) const fn new(
        stream: Stream,
        carry: Buffer,
        message_bytes_max: usize,
        read_bytes_max: usize,
    ) -> Self {
        Self {
            stream,
            carry,
            frame_len: 0,
            fragments: None,
            message_bytes_max,
            read_bytes_max,
        }
    }

    /// Queues frames that were written by [`write_frame`]; [`WebSocket::poll_flush`] sends them.
    pub(crate) fn queue(&mut self, frames: &[u8]) -> io::Result<()> {
        self.stream.queue(frames)
    }

    /// Sends what is queued.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_flush(cx)
    }

    /// Reads once, and hands every whole message to `each` until it breaks off. `Ready` with the number of bytes read,
    /// 0 where only bytes that were left over from before have been handled.
    ///
    /// What lies behind a message at which `each` broke off is lost: it breaks off where the socket is given up.
    pub(crate) fn poll_messages(
        &mut self,
        cx: &mut Context<'_>,
        window: &mut Window,
        mut each: impl FnMut(Message<'_>) -> ControlFlow<()>,
    ) -> Poll<Result<usize, Gone>> {
        // A frame that the window cannot hold grows where it is, as fast as its bytes arrive.
        let large = self.frame_len > READ_BYTES_MIN;
        let mut bytes = std::mem::take(if large {
            &mut self.carry
        } else {
            &mut window.plain
        });
        if !large {
            bytes.clear();
            bytes.extend_from_slice(self.carry.filled());
            self.carry.clear();
        }
        let room = window.room().min(self.read_bytes_max);
        let filled_to = if large { bytes.len() + room } else { room };
        let read = self
            .stream
            .poll_read(cx, &mut bytes, filled_to, &mut window.cipher);
        let outcome = match read {
            Poll::Ready(Ok(n)) => {
                if !large {
                    window.follow(n, bytes.len() >= room && room < self.read_bytes_max);
                }
                // The bytes that came together with the upgrade's answer wait in the carry: they count as read too.
                let handled = self.handle(&mut bytes, &mut each);
                match handled {
                    Err(gone) => Poll::Ready(Err(gone)),
                    Ok(()) if n == 0 => {
                        Poll::Ready(Err(Gone::Broken(io::ErrorKind::UnexpectedEof.into())))
                    }
                    Ok(()) => Poll::Ready(Ok(n)),
                }
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(Gone::Broken(error))),
            Poll::Pending => match self.fresh_carry(&mut bytes, &mut each) {
                Some(Ok(())) => Poll::Ready(Ok(0)),
                Some(Err(gone)) => Poll::Ready(Err(gone)),
                None => Poll::Pending,
            },
        };
        self.keep(bytes, large, outcome.is_pending(), window);
        outcome
    }

    /// Handles bytes that were read together with the upgrade's answer and never looked at.
    fn fresh_carry(
        &mut self,
        bytes: &mut Buffer,
        each: &mut impl FnMut(Message<'_>) -> ControlFlow<()>,
    ) -> Option<Result<(), Gone>> {
        let head = frame::parse(bytes.filled(), self.message_bytes_max).ok()??;
        (head.end <= bytes.len()).then(|| self.handle(bytes, each))
    }

    /// Puts the rest of the bytes where it waits for more. An `idle` connection without a rest keeps nothing.
    fn keep(&mut self, bytes: Buffer, large: bool, idle: bool, window: &mut Window) {
        if large {
            self.carry = bytes;
        } else {
            if !bytes.is_empty() {
                self.carry.extend_from_slice(bytes.filled());
            }
            window.plain = bytes;
            window.plain.clear();
            window.plain.shrink_to(2 * window.room());
        }
        if idle && self.carry.is_empty() {
            self.carry.shrink_to(0);
        } else if self.carry.len() < CARRY_KEPT && self.frame_len <= CARRY_KEPT {
            self.carry.shrink_to(CARRY_KEPT);
        }
    }

    /// Handles every whole frame and leaves the rest.
    fn handle(
        &mut self,
        bytes: &mut Buffer,
        each: &mut impl FnMut(Message<'_>) -> ControlFlow<()>,
    ) -> Result<(), Gone> {
        let mut at = 0;
        self.frame_len = 0;
        while at < bytes.len() {
            let rest = &bytes.filled()[at..];
            let head = match frame::parse(rest, self.message_bytes_max) {
                Ok(Some(head)) => head,
                Ok(None) => break,
                Err(error) => return Err(self.protocol_error(error)),
            };
            if head.end > rest.len() {
                self.frame_len = head.end;
                break;
            }
            let flow = self.frame(head, &rest[head.start..head.end], each)?;
            at += head.end;
            if flow.is_break() {
                at = bytes.len();
            }
        }
        bytes.drain_front(at);
        Ok(())
    }

    fn frame(
        &mut self,
        head: Head,
        payload: &[u8],
        each: &mut impl FnMut(Message<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Gone> {
        match (head.opcode, head.last) {
            (Opcode::Text | Opcode::Binary, _) if self.fragments.is_some() => {
                Err(self.protocol_error(FrameError::Fragment))
            }
            (Opcode::Text, true) => Ok(each(Message::Text(payload))),
            (Opcode::Binary, true) => Ok(each(Message::Binary(payload))),
            (Opcode::Text | Opcode::Binary, false) => {
                self.fragments = Some((head.opcode, payload.to_vec()));
                Ok(ControlFlow::Continue(()))
            }
            (Opcode::Continue, last) => self.fragment(payload, last, each),
            (Opcode::Ping, _) => {
                let mut pong = Vec::new();
                write_frame(&mut pong, Opcode::Pong, payload);
                self.stream.queue(&pong).map_err(Gone::Broken)?;
                Ok(ControlFlow::Continue(()))
            }
            (Opcode::Pong, _) => Ok(ControlFlow::Continue(())),
            (Opcode::Close, _) => {
                let code = frame::close_code(payload);
                self.answer_close(code.unwrap_or(CloseCode::ABNORMAL));
                Err(Gone::Closed(code))
            }
        }
    }

    fn fragment(
        &mut self,
        payload: &[u8],
        last: bool,
        each: &mut impl FnMut(Message<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Gone> {
        let max = self.message_bytes_max;
        let Some((opcode, message)) = &mut self.fragments else {
            return Err(self.protocol_error(FrameError::Fragment));
        };
        if message.len() + payload.len() > max {
            let len = (message.len() + payload.len()) as u64;
            return Err(self.protocol_error(FrameError::TooLarge { len, max }));
        }
        message.extend_from_slice(payload);
        if !last {
            return Ok(ControlFlow::Continue(()));
        }
        let message = match opcode {
            Opcode::Binary => Message::Binary(message),
            _ => Message::Text(message),
        };
        let flow = each(message);
        self.fragments = None;
        Ok(flow)
    }

    fn protocol_error(&mut self, error: FrameError) -> Gone {
        self.answer_close(error.close_code());
        Gone::Protocol(error)
    }

    /// Queues a close frame on a socket that is done with.
    fn answer_close(&mut self, code: CloseCode) {
        let mut close = Vec::new();
        write_close(&mut close, code);
        if let Err(error) = self.stream.queue(&close) {
            tracing::debug!(%error, "the close frame could not be answered");
        }
    }

    /// After a close frame of ours: reads on and drops everything until the server has closed too.
    pub(crate) fn poll_drain(&mut self, cx: &mut Context<'_>, window: &mut Window) -> Poll<()> {
        if matches!(self.poll_flush(cx), Poll::Ready(Err(_))) {
            return Poll::Ready(());
        }
        loop {
            match self.poll_messages(cx, window, |_| ControlFlow::Continue(())) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket")
            .field("carry", &self.carry.len())
            .finish_non_exhaustive()
    }
}
