//! Running handlers until the bot is told to stop.

use std::future::Future;
use std::sync::Arc;

use tokio::time::timeout;

use super::handlers::Pool;
use super::{Bot, Error, lock};
use crate::config::OnShutdown;
use crate::events::{Event, Subscription};
use crate::ops::{Observed, OpsServer};

impl Bot {
    /// Adds a handler for the events that `to` names: a dispatch ([`EventKind`](crate::core::wire::EventKind)), a
    /// [`Topic`](crate::Topic), or [`Subscription::All`]. Handlers run in [`Bot::run`], on the caller's tokio runtime.
    ///
    /// Handlers of one shard's events start in the order in which Discord sent them. Up to `handler_concurrency` run at
    /// once and may overtake each other; with 1, each ends before the next starts. A handler that panics is counted and
    /// logged; nothing else stops.
    ///
    /// Dispatches that no handler wants when [`Bot::run`] starts the bot are not even copied out of the socket.
    pub fn on<F, Fut>(&self, to: impl Into<Subscription>, handler: F) -> &Self
    where
        F: Fn(Event) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        lock(&self.inner.handlers).add(to.into(), handler);
        self
    }

    /// Starts the bot, runs handlers, and returns when it has stopped: by Ctrl-C or SIGTERM, by [`Bot::shutdown`] from
    /// elsewhere, or because Discord refuses it. Sessions are left as `on_shutdown` says; handlers are given
    /// `shutdown_timeout_ms` to end.
    ///
    /// Call it inside a tokio runtime with IO and timers (`enable_all`). Without handlers, take events with
    /// [`Bot::next_batch`] instead.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] if Discord refuses the token or the shards; else as [`Bot::start`].
    pub async fn run(&self) -> Result<(), Error> {
        let handlers = lock(&self.inner.handlers).clone();
        let wanted = (!handlers.is_empty()).then(|| handlers.filter());
        self.start_with(wanted)?;
        self.serve_ops().await?;
        let panics = &self.inner.shared.handler_panics;
        let mut pool = Pool::new(handlers, self.inner.config.handler_concurrency);
        let sessions = self.inner.sessions.as_ref();
        let is_automatic = sessions.is_some_and(|sessions| sessions.is_automatic());
        let handle = async {
            while let Some(batch) = self.next_batch(self.inner.config.queue.batch_max).await {
                for event in batch.one_by_one().into_events() {
                    pool.start(&event, panics, is_automatic).await;
                }
            }
        };
        let resumable = self.inner.config.on_shutdown != OnShutdown::Close;
        let stop = async {
            stop_signal().await;
            tracing::info!(resumable, "stopping");
            self.shutdown(resumable).await;
            tokio::time::sleep(self.shutdown_timeout()).await;
        };
        // After a stop the queue is closed: what is left in it is still handled, within the time for stopping.
        tokio::select! {
            () = handle => {}
            () = stop => tracing::warn!("events were left unhandled: their handlers took too long to stop"),
        }
        if timeout(self.shutdown_timeout(), pool.finish(panics))
            .await
            .is_err()
        {
            tracing::warn!("handlers were cut off: they took too long to stop");
        }
        self.shutdown(resumable).await;
        self.failure().map_or(Ok(()), |failure| Err(failure.into()))
    }

    /// Opens the endpoint for operators, if it is configured. [`Bot::run`] does it by itself.
    ///
    /// # Errors
    ///
    /// [`Error::Ops`] if the address is taken, or open to other machines without being allowed to.
    pub async fn serve_ops(&self) -> Result<(), Error> {
        let config = &self.inner.config.ops;
        let Some(address) = config.listen else {
            return Ok(());
        };
        let runtime = lock(&self.inner.life)
            .runtime
            .as_ref()
            .map(|runtime| runtime.handle().clone());
        let Some(runtime) = runtime else {
            return Err(Error::ShutDown);
        };
        let (config, observed) = (
            config.clone(),
            Arc::clone(&self.inner.shared) as Arc<dyn Observed>,
        );
        // On the bot's own threads: a probe must be answered while a handler blocks the caller's.
        let started =
            runtime.spawn(async move { OpsServer::start(address, &config, observed).await });
        let server = started.await.map_err(|_| Error::ShutDown)??;
        lock(&self.inner.life).ops = Some(server);
        Ok(())
    }
}

/// Ctrl-C, or SIGTERM where there is such a thing.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => {}
                    _ = terminate.recv() => {}
                }
                return;
            }
            Err(error) => tracing::warn!(%error, "SIGTERM cannot be waited for"),
        }
    }
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!(%error, "Ctrl-C cannot be waited for");
        std::future::pending::<()>().await;
    }
}
