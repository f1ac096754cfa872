//! What a request carries: bytes, streams, or both, sent as often as it takes.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::watch;

/// How much of a stream is kept so that it can be sent again: what Discord takes of a file by default.
const KEPT_MAX: usize = 10 << 20;

/// How much is read of a stream, or handed on of a text, at once.
const CHUNK: usize = 64 << 10;

/// How far an upload has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the body that were handed to the connection. It starts anew when the request is sent again.
    pub sent: u64,
    /// Bytes of the whole body, if that is known.
    pub total: Option<u64>,
}

/// The body of a request: pieces, one after the other.
///
/// ```
/// use shardkeep::rest::Body;
///
/// let body = Body::from(r#"{"content":"hello"}"#);
/// assert_eq!(body.len(), Some(19));
/// ```
#[derive(Default)]
pub struct Body {
    pieces: Vec<Piece>,
    sent: AtomicU64,
    progress: Option<watch::Sender<Progress>>,
}

/// A part of a body.
pub(crate) enum Piece {
    Bytes(Bytes),
    Stream(Mutex<Stream>),
}

type Chunks = Pin<Box<dyn HttpBody<Data = Bytes, Error = io::Error> + Send>>;

/// What is read once, and kept as far as it is small.
pub(crate) struct Stream {
    chunks: Chunks,
    kept: Vec<Bytes>,
    kept_bytes: usize,
    /// It ended, or failed.
    is_over: bool,
    /// More was read than is kept, or reading failed: it cannot be sent again.
    is_lost: bool,
}

impl Body {
    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// A body that is read while it is sent. The first 10 MiB are kept: a longer one cannot be sent again if Discord
    /// answers 429 or fails.
    ///
    /// It is as long as its `size_hint` says, if that is exact; else it goes out in chunks.
    pub fn stream<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self::from_pieces(vec![Piece::stream(body)])
    }

    /// A body that is read while it is sent, as [`Body::stream`]. `len` is how many bytes it has, if that is known.
    pub fn reader<R: AsyncRead + Send + 'static>(reader: R, len: Option<u64>) -> Self {
        Self::from_pieces(vec![Piece::reader(reader, len)])
    }

    pub(crate) fn from_pieces(pieces: Vec<Piece>) -> Self {
        Self {
            pieces,
            ..Self::default()
        }
    }

    /// Says in `progress` how far sending it has come.
    pub(crate) fn report_to(&mut self, progress: watch::Sender<Progress>) {
        let total = self.len();
        progress.send_replace(Progress { sent: 0, total });
        self.progress = Some(progress);
    }

    /// How many bytes it has; `None` if that is not known before its end.
    #[must_use]
    pub fn len(&self) -> Option<u64> {
        self.pieces.iter().map(Piece::len).sum()
    }

    /// Whether there is no body.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The body's bytes if it is in memory in one piece.
    pub(crate) fn bytes(&self) -> Option<&Bytes> {
        match &self.pieces[..] {
            [Piece::Bytes(bytes)] => Some(bytes),
            _ => None,
        }
    }

    /// Whether it can be sent from its start, again or for the first time.
    pub(crate) fn is_replayable(&self) -> bool {
        self.pieces.iter().all(|piece| match piece {
            Piece::Bytes(_) => true,
            Piece::Stream(stream) => !lock(stream).is_lost,
        })
    }

    /// How many bytes were handed to connections so far, over all attempts: it grows as long as sending goes on.
    pub(crate) fn handed_on(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Piece {
    pub(crate) fn reader<R: AsyncRead + Send + 'static>(reader: R, len: Option<u64>) -> Self {
        Self::stream(Reader {
            reader: Box::pin(reader),
            left: len,
            room: Vec::new(),
        })
    }

    fn stream<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self::Stream(Mutex::new(Stream {
            chunks: Box::pin(AsIo(Box::pin(body))),
            kept: Vec::new(),
            kept_bytes: 0,
            is_over: false,
            is_lost: false,
        }))
    }

    fn len(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Stream(stream) => {
                let stream = lock(stream);
                let rest = stream.chunks.size_hint().exact()?;
                Some(stream.kept_bytes as u64 + rest)
            }
        }
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        let bytes = bytes.into();
        if bytes.is_empty() {
            return Self::empty();
        }
        Self::from_pieces(vec![Piece::Bytes(bytes)])
    }
}

impl fmt::Debug for Body {
    /// Its length; a body may hold what nobody should read in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stream {
    /// Chunk number `n`.
    fn poll_chunk(&mut self, cx: &mut Context<'_>, n: usize) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(kept) = self.kept.get(n) {
            return Poll::Ready(Some(Ok(kept.clone())));
        }
        while !self.is_over {
            match ready!(self.chunks.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => {
                    // Trailers mean nothing to Discord.
                    let Ok(chunk) = frame.into_data() else {
                        continue;
                    };
                    if chunk.is_empty() {
                        continue;
                    }
                    self.keep(&chunk);
                    return Poll::Ready(Some(Ok(chunk)));
                }
                Some(Err(error)) => {
                    (self.is_over, self.is_lost) = (true, true);
                    return Poll::Ready(Some(Err(error)));
                }
                None => self.is_over = true,
            }
        }
        Poll::Ready(None)
    }

    fn keep(&mut self, chunk: &Bytes) {
        self.kept_bytes += chunk.len();
        if self.is_lost || self.kept_bytes > KEPT_MAX {
            self.is_lost = true;
            self.kept = Vec::new();
        } else {
            self.kept.push(chunk.clone());
        }
    }
}

/// A body on its way: what a connection reads. Each attempt makes one.
pub(crate) struct Passage<T> {
    owner: Arc<T>,
    piece: usize,
    /// Bytes of a text, chunks of a stream.
    within: usize,
    sent: u64,
}

impl<T: AsRef<Body>> Passage<T> {
    pub(crate) fn new(owner: Arc<T>) -> Self {
        Self {
            owner,
            piece: 0,
            within: 0,
            sent: 0,
        }
    }
}

impl<T: AsRef<Body>> HttpBody for Passage<T> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        let body = (*this.owner).as_ref();
        while let Some(piece) = body.pieces.get(this.piece) {
            let chunk = match piece {
                Piece::Bytes(bytes) if this.within < bytes.len() => {
                    let end = bytes.len().min(this.within + CHUNK);
                    let chunk = bytes.slice(this.within..end);
                    this.within = end;
                    Some(chunk)
                }
                Piece::Bytes(_) => None,
                Piece::Stream(stream) => {
                    let chunk = ready!(lock(stream).poll_chunk(cx, this.within)).transpose()?;
                    this.within += 1;
                    chunk
                }
            };
            let Some(chunk) = chunk else {
                (this.piece, this.within) = (this.piece + 1, 0);
                continue;
            };
            let len = chunk.len() as u64;
            this.sent += len;
            body.sent.fetch_add(len, Ordering::Relaxed);
            if let Some(progress) = &body.progress {
                progress.send_modify(|progress| progress.sent = this.sent);
            }
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        let body = (*self.owner).as_ref();
        match &body.pieces[self.piece.min(body.pieces.len())..] {
            [] => true,
            [Piece::Bytes(bytes)] => self.within >= bytes.len(),
            _ => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        let body = (*self.owner).as_ref();
        body.len().map_or_else(SizeHint::default, |len| {
            SizeHint::with_exact(len.saturating_sub(self.sent))
        })
    }
}

/// A body with any error as one whose errors are those of IO.
struct AsIo<B>(Pin<Box<B>>);

impl<B> HttpBody for AsIo<B>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let frame = ready!(self.0.as_mut().poll_frame(cx));
        Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)))
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// A reader as a body.
struct Reader<R> {
    reader: Pin<Box<R>>,
    /// How much of it is left to read, if its length is known.
    left: Option<u64>,
    room: Vec<u8>,
}

impl<R: AsyncRead> HttpBody for Reader<R> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        let most = this.left.map_or(CHUNK, |left| {
            usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK))
        });
        if most == 0 {
            return Poll::Ready(None);
        }
        this.room.resize(CHUNK, 0);
        let mut room = ReadBuf::new(&mut this.room[..most]);
        ready!(this.reader.as_mut().poll_read(cx, &mut room))?;
        let read = room.filled();
        if let Some(left) = &mut this.left {
            if read.is_empty() {
                let short = format!("the file ended {left} bytes before the length that was given");
                return Poll::Ready(Some(Err(io::Error::other(short))));
            }
            *left -= read.len() as u64;
        }
        let chunk = (!read.is_empty()).then(|| Ok(Frame::data(Bytes::copy_from_slice(read))));
        Poll::Ready(chunk)
    }

    fn size_hint(&self) -> SizeHint {
        self.left
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
