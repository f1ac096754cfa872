//! What waits to be taken by `poll_output`, and buffers to use again.

use std::collections::VecDeque;

use super::io::Output;

/// An output that owns its bytes.
#[derive(Debug)]
pub(crate) enum Out {
    Message {
        connection: u64,
        binary: bool,
        bytes: Vec<u8>,
    },
    Close {
        connection: u64,
        code: u16,
        reason: &'static str,
    },
    Drop {
        connection: u64,
    },
    Respond {
        request: u64,
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    Abandon {
        request: u64,
    },
}

impl Out {
    /// Bytes held.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Message { bytes, .. } => bytes.len(),
            Self::Respond { body, .. } => body.len(),
            Self::Close { .. } | Self::Drop { .. } | Self::Abandon { .. } => 0,
        }
    }

    fn view(&self) -> Output<'_> {
        match *self {
            Self::Message {
                connection,
                binary: true,
                ref bytes,
            } => Output::Binary { connection, bytes },
            Self::Message {
                connection,
                binary: false,
                ref bytes,
            } => Output::Text { connection, bytes },
            Self::Close {
                connection,
                code,
                reason,
            } => Output::Close {
                connection,
                code,
                reason,
            },
            Self::Drop { connection } => Output::Drop { connection },
            Self::Respond {
                request,
                status,
                ref headers,
                ref body,
            } => Output::Respond {
                request,
                status,
                headers,
                body,
            },
            Self::Abandon { request } => Output::Abandon { request },
        }
    }
}

/// How many buffers are kept for later, and up to which size: what bursts need, not what READY needs.
const SPARE_BUFFERS: usize = 64;
const SPARE_BYTES: usize = 64 * 1024;

/// First in, first out.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Out>,
    current: Option<Out>,
    spare: Vec<Vec<u8>>,
}

impl Outbox {
    pub(crate) fn push(&mut self, out: Out) {
        self.queue.push_back(out);
    }

    pub(crate) fn poll(&mut self) -> Option<Output<'_>> {
        if let Some(Out::Message { bytes, .. }) = self.current.take() {
            self.recycle(bytes);
        }
        self.current = self.queue.pop_front();
        self.current.as_ref().map(Out::view)
    }

    /// An empty buffer.
    pub(crate) fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    pub(crate) fn recycle(&mut self, mut bytes: Vec<u8>) {
        if self.spare.len() < SPARE_BUFFERS && bytes.capacity() <= SPARE_BYTES {
            bytes.clear();
            self.spare.push(bytes);
        }
    }
}
