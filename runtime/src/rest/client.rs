//! The lower layer: requests as they are, several identities, and what the scheduler knows.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderValue, header};
use shardkeep_core::rest::{
    Auth, Explanation, Input, Refusal, RequestId, Scheduler, Snapshot, Stats,
};
use shardkeep_core::{Machine, Token};
use tokio::sync::{broadcast, oneshot, watch};

use super::base::Base;
use super::driver::Driver;
use super::error::RestError;
use super::events::Events;
use super::hints::Hints;
use super::http1::Http1;
use super::inbox::{Inbox, Job, Life, Message, NotTaken};
use super::pending::{Called, Pending};
use super::pool::{self, NOBODY, PoolSettings};
use super::raw::RawRequest;
use super::settings::{Settings, StartError};
use super::shared::{Handle, Shared, lock};
use super::transport::{Outgoing, Transport};
use crate::clock;

/// How many events a slow reader of [`Client::events`] may leave unread.
const EVENTS_KEPT: usize = 1_024;

/// Sends requests as Discord's limits allow. Cloning gives another handle to the same client: it ends when the last
/// one is gone and what was submitted is answered.
///
/// ```no_run
/// use shardkeep::core::Token;
/// use shardkeep::core::rest::route::Method;
/// use shardkeep::rest::{Client, RawRequest, Settings};
///
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::start(Settings::default())?;
/// let auth = client.add_token(&Token::new("not.a.token")?);
/// let answer = client.submit(RawRequest::new(auth, Method::Get, "/users/@me"))?.await?;
/// println!("{} {:?}", answer.status, answer.body);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    handle: Arc<Handle>,
}

impl Client {
    /// A client with a thread of its own, on which its sockets live.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the base address is none, TLS cannot be set up, or the thread cannot be started.
    pub fn start(settings: Settings) -> Result<Self, StartError> {
        let transport = Arc::new(Http1::for_settings(&settings)?);
        Self::start_with(settings, transport)
    }

    /// As [`Client::start`], over a transport of the program's own.
    ///
    /// # Errors
    ///
    /// As [`Client::start`].
    pub fn start_with(
        settings: Settings,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, StartError> {
        let (client, driver) = Self::new(settings, transport)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(2)
            .build()
            .map_err(StartError::Thread)?;
        std::thread::Builder::new()
            .name("shardkeep-rest".to_owned())
            .spawn(move || {
                runtime.block_on(driver.run());
                // A lookup of a name may hang: nobody waits for it any more.
                runtime.shutdown_background();
            })
            .map_err(StartError::Thread)?;
        Ok(client)
    }

    /// A client and what drives it: nothing is sent unless somebody polls [`Driver::run`], inside a tokio runtime with
    /// IO and timers. For programs that want the sockets on threads of theirs.
    ///
    /// # Errors
    ///
    /// [`StartError::Base`] if the base address is none.
    pub fn new(
        settings: Settings,
        transport: Arc<dyn Transport>,
    ) -> Result<(Self, Driver), StartError> {
        let base = Base::parse(&settings.base)?;
        let queue_size = settings.scheduler.queue_size;
        let (mut config, now) = (settings.scheduler, clock::now());
        let pool = settings.pool.as_ref();
        let ledger = pool.map(PoolSettings::connect).transpose()?;
        config.pool = pool.map(PoolSettings::config);
        let mut scheduler = match settings.snapshot {
            Some((snapshot, ago)) => Scheduler::restore(config, &snapshot, now, ago),
            None => Scheduler::new(config, now),
        };
        if let Some(pool) = pool {
            let name = pool.name_of(NOBODY.as_bytes());
            let auth = Auth::NONE;
            scheduler
                .handle_input(now, Input::Pooled { auth, name })
                .expect("an identity may be shared at any time");
        }
        let mut headers = settings.headers;
        headers
            .entry(header::USER_AGENT)
            .or_insert(HeaderValue::from_static(crate::http::USER_AGENT_TEXT));
        let shared = Arc::new(Shared {
            base,
            overrides_authorization: headers.contains_key(header::AUTHORIZATION),
            headers,
            authorizations: Mutex::default(),
            next_id: AtomicU64::new(1),
            scheduler: Mutex::new(scheduler),
            inbox: Inbox::new(queue_size),
            pool_prefix: settings.pool.map(|pool| pool.prefix),
            events: broadcast::Sender::new(EVENTS_KEPT),
            is_over: watch::Sender::new(None),
            overflows: AtomicU64::new(0),
        });
        let driver = Driver::new(Arc::clone(&shared), transport, ledger, settings.timeout);
        Ok((
            Self {
                handle: Arc::new(Handle(shared)),
            },
            driver,
        ))
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.0
    }

    /// Makes a bot's token known. The same token has the same number.
    pub fn add_token(&self, token: &Token) -> Auth {
        self.add(header_of("Bot", token.expose()))
    }

    /// Makes a user's OAuth token known.
    pub fn add_bearer(&self, token: &Token) -> Auth {
        self.add(header_of("Bearer", token.expose()))
    }

    fn add(&self, value: HeaderValue) -> Auth {
        let mut known = lock(&self.shared().authorizations);
        let index = known
            .iter()
            .position(|other| *other == value)
            .unwrap_or_else(|| {
                known.push(value.clone());
                known.len() - 1
            });
        drop(known);
        let auth = Auth(u32::try_from(index + 1).expect("nobody has four billion tokens"));
        self.share(auth, &value);
        auth
    }

    /// Shares the limits of an identity with the pool, if there is one, under the credentials that it really has.
    pub(crate) fn share(&self, auth: Auth, authorization: &HeaderValue) {
        if let Some(prefix) = &self.shared().pool_prefix {
            let name = pool::name_of(prefix, authorization.as_bytes());
            self.shared().inbox.tell(Message::Pooled(auth, name));
        }
    }

    /// Puts a new bot token in the place of one that Discord refuses: its requests are sent again from here on.
    /// `false` if there is no such identity.
    pub fn replace_token(&self, auth: Auth, token: &Token) -> bool {
        let index = usize::try_from(auth.0).ok().and_then(|n| n.checked_sub(1));
        let mut known = lock(&self.shared().authorizations);
        let Some(place) = index.and_then(|index| known.get_mut(index)) else {
            return false;
        };
        let value = header_of("Bot", token.expose());
        *place = value.clone();
        drop(known);
        self.share(auth, &value);
        self.shared().inbox.tell(Message::TokenReplaced(auth));
        true
    }

    /// Discord refused a request of this identity, but not its credentials: its requests are sent on.
    pub(crate) fn accept_again(&self, auth: Auth) {
        self.shared().inbox.tell(Message::TokenReplaced(auth));
    }

    /// Says how many requests a second Discord allows an identity over all routes.
    pub fn set_global_limit(&self, auth: Auth, limit: u32) {
        self.shared().inbox.tell(Message::GlobalLimit(auth, limit));
    }

    /// Submits a request: it is queued when this returns, and [`Pending`] waits for the answer.
    ///
    /// # Errors
    ///
    /// [`RestError::BadRequest`] if the path is none, [`RestError::Refused`] if more requests wait for the driver than
    /// the queue may hold, [`RestError::Stopped`] after [`Client::shutdown`].
    pub fn submit(&self, request: RawRequest) -> Result<Pending, RestError> {
        let shared = self.shared();
        let hints = Hints::of(&request)?;
        let target = shared.base.target(&request.path)?;
        let mut headers = shared.headers.clone();
        headers.extend(request.headers);
        let outgoing = Outgoing {
            method: request.method,
            target,
            headers,
            body: request.body,
        };
        let id = RequestId(shared.next_id.fetch_add(1, Ordering::Relaxed));
        let (reply, answer) = oneshot::channel();
        let job = Job {
            id,
            auth: request.auth,
            method: request.method,
            path: request.path,
            priority: request.priority,
            deadline: request.deadline,
            guild: request.guild,
            class: hints.class,
            sharing: request.sharing,
            is_repeatable: hints.is_repeatable,
            outgoing: Arc::new(outgoing),
            reply,
        };
        let called = Called::of(&job.outgoing);
        match shared.inbox.submit(Box::new(job)) {
            Ok(()) => Ok(Pending {
                id,
                called,
                shared: Arc::clone(shared),
                answer: Some(answer),
            }),
            Err(NotTaken::Closed) => Err(RestError::Stopped),
            Err(NotTaken::Full) => {
                shared.overflows.fetch_add(1, Ordering::Relaxed);
                Err(RestError::Refused {
                    request: called.to_string(),
                    why: Refusal::QueueFull,
                    until: None,
                    wait: None,
                })
            }
        }
    }

    /// Why a request waits, and until when; why it was refused or is sent again. `None` if it is not known any more.
    #[must_use]
    pub fn explain(&self, id: RequestId) -> Option<Explanation> {
        self.shared().scheduler().explain(id)
    }

    /// What the scheduler has counted.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared().scheduler().stats().clone()
    }

    /// Reads what else the scheduler knows: identities, invalid requests, sizes. Nothing is scheduled meanwhile.
    pub fn observe<R>(&self, read: impl FnOnce(&Scheduler) -> R) -> R {
        read(&self.shared().scheduler())
    }

    /// How many requests were refused before the scheduler saw them, because the driver did not come round.
    #[must_use]
    pub fn overflows(&self) -> u64 {
        self.shared().overflows.load(Ordering::Relaxed)
    }

    /// What was learned of Discord's limits, for [`Settings::snapshot`] of a successor.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.shared().scheduler().snapshot()
    }

    /// What happens to the limits from here on.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(self.shared().events.subscribe())
    }

    /// Takes nothing new and returns when what was submitted is answered, at the latest after `limit`: what is left
    /// then fails with [`RestError::Stopped`]. `true` if nothing was left.
    pub async fn shutdown(&self, limit: Duration) -> bool {
        let shared = self.shared();
        let mut is_over = shared.is_over.subscribe();
        shared.inbox.end(Life::Draining);
        // The caller's runtime may have no timers: the driver's has.
        shared.inbox.tell(Message::EndIn(limit));
        let ended = is_over.wait_for(|is_over| is_over.is_some()).await;
        // The sender lives as long as this client.
        ended.is_ok_and(|complete| *complete == Some(true))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.shared().base)
            .finish_non_exhaustive()
    }
}

fn header_of(scheme: &str, token: &str) -> HeaderValue {
    let mut value =
        HeaderValue::try_from(format!("{scheme} {token}")).expect("a token is printable ASCII");
    value.set_sensitive(true);
    value
}
