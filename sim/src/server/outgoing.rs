//! What waits to be written to one connection: frames as bytes, bounded, swapped out whole by the writer.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::frame;

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// A close frame was queued: write everything, then shut the socket down.
    Close,
    /// No close frame: write what waits if the socket takes it, then reset the connection.
    Cut,
    /// Reset the connection at once.
    Reset,
}

/// The queue was full: the client reads too slowly. Its connection is being reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooSlow;

/// What the writer shall do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Write the bytes that were swapped in.
    Write,
    /// Write the bytes that were swapped in, then shut down.
    WriteThenClose,
    /// Write the bytes that were swapped in, then reset the socket.
    WriteThenReset,
    /// Reset the socket.
    Reset,
}

#[derive(Debug, Default)]
struct Queue {
    bytes: Vec<u8>,
    ending: Option<Ending>,
    /// Bytes that the writer took and the socket has not taken yet.
    in_flight: usize,
}

/// The sending half of one connection, shared by the world (which fills it) and the writer (which empties it).
///
/// Frames are encoded when they are queued, so that the writer hands any number of them to the socket in one call.
#[derive(Debug)]
pub(super) struct Outgoing {
    queue: Mutex<Queue>,
    filled: Notify,
    /// Told whenever the socket took a batch; shared by all connections.
    emptied: Arc<Notify>,
    cap_bytes: usize,
}

impl Outgoing {
    /// An empty queue that holds at most `cap_bytes`, what is being written included. One frame alone may exceed it:
    /// a GUILD_CREATE is as large as its guild.
    pub(super) fn new(cap_bytes: usize, emptied: Arc<Notify>) -> Self {
        Self {
            queue: Mutex::default(),
            filled: Notify::new(),
            emptied,
            cap_bytes,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("no holder of this lock panics")
    }

    /// Queues a data frame.
    pub(super) fn data(&self, kind: Data, payload: &[u8]) -> Result<(), TooSlow> {
        self.push(OpCode::Data(kind), payload)
    }

    /// Queues the answer to a ping.
    pub(super) fn pong(&self, payload: &[u8]) -> Result<(), TooSlow> {
        self.push(OpCode::Control(Control::Pong), payload)
    }

    fn push(&self, opcode: OpCode, payload: &[u8]) -> Result<(), TooSlow> {
        let mut queue = self.lock();
        if queue.ending.is_some() {
            return Ok(());
        }
        let waiting = queue.bytes.len() + queue.in_flight;
        if waiting > 0 && waiting + payload.len() > self.cap_bytes {
            drop(queue);
            self.reset();
            return Err(TooSlow);
        }
        let was_empty = queue.bytes.is_empty();
        frame::write(&mut queue.bytes, opcode, payload);
        drop(queue);
        if was_empty {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Queues a close frame behind what waits; whatever is queued later is discarded.
    pub(super) fn close(&self, code: Option<u16>, reason: &str) {
        let mut queue = self.lock();
        if queue.ending.is_none() {
            frame::write_close(&mut queue.bytes, code, reason);
            queue.ending = Some(Ending::Close);
        }
        drop(queue);
        self.filled.notify_one();
    }

    /// Breaks the connection without a close frame, behind what waits: half a message must get out to be half of one.
    pub(super) fn cut(&self) {
        let mut queue = self.lock();
        if queue.ending != Some(Ending::Reset) {
            queue.ending = Some(Ending::Cut);
        }
        drop(queue);
        self.filled.notify_one();
    }

    /// The other side hung up: resets the connection unless it is being closed already.
    pub(super) fn hang_up(&self) {
        if self.lock().ending.is_none() {
            self.reset();
        }
    }

    /// Breaks the connection at once. What waits is lost.
    pub(super) fn reset(&self) {
        let mut queue = self.lock();
        queue.bytes = Vec::new();
        queue.ending = Some(Ending::Reset);
        drop(queue);
        self.filled.notify_one();
    }

    /// Bytes that the socket has not taken yet.
    pub(super) fn waiting_bytes(&self) -> usize {
        let queue = self.lock();
        queue.bytes.len() + queue.in_flight
    }

    /// Waits for something to do and swaps what waits into `batch`, whose old content has been written.
    pub(super) async fn take(&self, batch: &mut Vec<u8>) -> Work {
        let written = !batch.is_empty();
        batch.clear();
        self.lock().in_flight = 0;
        if written {
            self.emptied.notify_one();
        }
        loop {
            if let Some(work) = self.try_take(batch) {
                return work;
            }
            self.filled.notified().await;
        }
    }

    fn try_take(&self, batch: &mut Vec<u8>) -> Option<Work> {
        let mut queue = self.lock();
        if queue.ending == Some(Ending::Reset) {
            return Some(Work::Reset);
        }
        std::mem::swap(&mut queue.bytes, batch);
        queue.in_flight = batch.len();
        match queue.ending {
            Some(Ending::Close) => Some(Work::WriteThenClose),
            Some(_) => Some(Work::WriteThenReset),
            None if batch.is_empty() => None,
            None => Some(Work::Write),
        }
    }

    /// Waits until the connection is to be reset: for a writer whose socket takes nothing.
    pub(super) async fn reset_wanted(&self) {
        while self.lock().ending != Some(Ending::Reset) {
            self.filled.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(cap_bytes: usize) -> Outgoing {
        Outgoing::new(cap_bytes, Arc::new(Notify::new()))
    }

    #[tokio::test]
    async fn many_frames_are_one_batch() {
        let outgoing = outgoing(1_000);
        for _ in 0..3 {
            outgoing.data(Data::Text, b"abc").unwrap();
        }
        let mut batch = Vec::new();
        assert_eq!(outgoing.take(&mut batch).await, Work::Write);
        assert_eq!(batch.len(), 3 * 5);
        assert_eq!(
            outgoing.waiting_bytes(),
            15,
            "the socket has not taken them yet"
        );
        outgoing.close(Some(1000), "");
        assert_eq!(outgoing.take(&mut batch).await, Work::WriteThenClose);
        assert_eq!(batch, [0x88, 2, 0x03, 0xe8]);
    }

    #[tokio::test]
    async fn a_reader_that_is_too_slow_is_reset_and_its_bytes_are_freed() {
        let outgoing = outgoing(100);
        outgoing
            .data(Data::Text, &[b'x'; 500])
            .expect("one frame may exceed the cap");
        assert_eq!(outgoing.data(Data::Text, b"y"), Err(TooSlow));
        assert_eq!(outgoing.waiting_bytes(), 0);
        assert_eq!(
            outgoing.data(Data::Text, b"z"),
            Ok(()),
            "it is reported once"
        );
        outgoing.reset_wanted().await;
        assert_eq!(outgoing.take(&mut Vec::new()).await, Work::Reset);
    }
}
