//! Handlers: which events they want, and running them with a bound on how many at once.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use shardkeep_core::wire::EventFilter;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::events::{Entry, Event, Subscription, Topic};

type Call = Arc<dyn Fn(Event) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// The handlers of a bot, in the order in which they were added.
#[derive(Clone, Default)]
pub(super) struct Handlers(Vec<(Subscription, Call)>);

impl Handlers {
    pub(super) fn add<F, Fut>(&mut self, to: Subscription, handler: F)
    where
        F: Fn(Event) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.0
            .push((to, Arc::new(move |event| Box::pin(handler(event)))));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The dispatches that at least one handler wants.
    pub(super) fn filter(&self) -> EventFilter {
        self.0
            .iter()
            .fold(EventFilter::none(), |filter, (to, _)| match to {
                Subscription::All | Subscription::Topic(Topic::Dispatch) => EventFilter::all(),
                Subscription::Kind(kind) => filter.with(*kind),
                Subscription::Topic(_) => filter,
            })
    }

    fn wanted(&self, entry: &Entry<'_>) -> impl Iterator<Item = &Call> {
        let wants = |to: &Subscription| match *to {
            Subscription::All => true,
            Subscription::Topic(topic) => topic == entry.topic,
            Subscription::Kind(kind) => entry.topic == Topic::Dispatch && entry.kind == kind,
        };
        self.0
            .iter()
            .filter(move |(to, _)| wants(to))
            .map(|(_, call)| call)
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(to, _)| to))
            .finish()
    }
}

/// Handlers that run.
pub(super) struct Pool {
    handlers: Arc<Handlers>,
    permits: Arc<Semaphore>,
    tasks: JoinSet<()>,
}

impl Pool {
    pub(super) fn new(handlers: Handlers, concurrency: usize) -> Self {
        let permits = Arc::new(Semaphore::new(concurrency.clamp(1, Semaphore::MAX_PERMITS)));
        Self {
            handlers: Arc::new(handlers),
            permits,
            tasks: JoinSet::new(),
        }
    }

    /// Starts every handler that wants the event, waiting while too many run.
    /// With `acknowledges`, the event counts as finished when they have all ended.
    pub(super) async fn start(&mut self, event: &Event, panics: &AtomicU64, acknowledges: bool) {
        let handlers = Arc::clone(&self.handlers);
        let starter = acknowledges.then(|| Part::of(event));
        for call in handlers.wanted(&event.entry()) {
            // The semaphore is never closed.
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else {
                return;
            };
            let running = call(event.clone());
            let part = starter.as_ref().map(Part::another);
            self.tasks.spawn(async move {
                running.await;
                if let Some(part) = part {
                    part.ended();
                }
                drop(permit);
            });
            while let Some(ended) = self.tasks.try_join_next() {
                count(&ended, panics);
            }
        }
        if let Some(starter) = starter {
            starter.ended();
        }
    }

    /// Waits until every handler has ended.
    pub(super) async fn finish(&mut self, panics: &AtomicU64) {
        while let Some(ended) = self.tasks.join_next().await {
            count(&ended, panics);
        }
    }
}

/// An event that is finished once all of its handlers have ended, be it by a panic.
#[derive(Debug)]
struct Finishing {
    event: Event,
    /// A handler was cut off before it ended: the event is not finished.
    is_cut: AtomicBool,
}

impl Drop for Finishing {
    fn drop(&mut self) {
        if !*self.is_cut.get_mut() {
            self.event.acknowledge();
        }
    }
}

/// One handler of an event, or whoever starts them.
#[derive(Debug)]
struct Part {
    whole: Arc<Finishing>,
    has_ended: bool,
}

impl Part {
    fn of(event: &Event) -> Self {
        let (event, is_cut) = (event.clone(), AtomicBool::new(false));
        Self::in_whole(Arc::new(Finishing { event, is_cut }))
    }

    const fn in_whole(whole: Arc<Finishing>) -> Self {
        let has_ended = false;
        Self { whole, has_ended }
    }

    fn another(&self) -> Self {
        Self::in_whole(Arc::clone(&self.whole))
    }

    fn ended(mut self) {
        self.has_ended = true;
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.has_ended && !std::thread::panicking() {
            self.whole.is_cut.store(true, Ordering::Relaxed);
        }
    }
}

fn count(ended: &Result<(), tokio::task::JoinError>, panics: &AtomicU64) {
    if ended.as_ref().is_err_and(tokio::task::JoinError::is_panic) {
        panics.fetch_add(1, Ordering::Relaxed);
        tracing::error!("a handler panicked: the event counts as handled");
    }
}
