//! Events on their way to the user: entries in chunks, chunks in a bounded queue, batches and single events out of it.

mod batch;
pub(crate) mod before;
mod chunk;
mod event;
mod lifecycle;
mod queue;
mod topic;

pub use batch::{Batch, Entries};
pub use before::{Before, Befores};
pub use chunk::Entry;
pub use event::{Event, ParseError};
pub use lifecycle::{
    Lifecycle, Lost, RateLimited, Ready, ShardConnect, ShardDisconnect, ShardError, ShardErrorKind,
    ShardResume,
};
pub use queue::QueueStatus;
pub use topic::{Subscription, Topic, UnknownTopic};

pub(crate) use chunk::{Chunk, Head};
pub(crate) use queue::{CHUNK_BYTES, Queue};

#[cfg(all(test, feature = "twilight-model"))]
mod twilight_tests;
