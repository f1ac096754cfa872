//! One request through the proxy: let in, understood, queued, answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::{self, HeaderMap};
use http::{HeaderValue, Method as HttpMethod, Request};
use hyper::body::Incoming;
use shardkeep_core::Instant;
use shardkeep_core::rest::route::{Method, Route};
use shardkeep_core::rest::{RequestId, Sharing};

use super::access::Guard;
use super::answer::{Refused, Reply, from_discord};
use super::cache::{Cache, CacheKey, Version};
use super::counters::{Active, Counters};
use super::deposit::Deposit;
use super::headers::{self, Wishes, forwarded};
use super::identities::{Identities, Identity};
use super::own;
use super::reason::Reason;
use super::status::Waiting;
use super::target::{ApiPath, Place, Target, resource};
use crate::clock;
use crate::rest::{Answer, Client, RawRequest};

/// Everything that requests share.
pub(super) struct Gate {
    pub(super) client: Client,
    pub(super) guard: Guard,
    pub(super) identities: Arc<Identities>,
    /// `Authorization` for requests without one.
    pub(super) own_token: Option<HeaderValue>,
    /// The version of paths without one, such as `/v10`.
    pub(super) version: String,
    pub(super) cache: Cache,
    pub(super) deposit: Deposit,
    pub(super) counters: Counters,
    pub(super) waiting: Waiting,
    pub(super) started: Instant,
    pub(super) is_draining: AtomicBool,
}

/// A request that was understood.
struct Order {
    method: Method,
    path: ApiPath,
    route: Route,
    wishes: Wishes,
    identity: Identity,
    headers: HeaderMap,
    arrived: Instant,
    /// What its answer may be kept under and found by.
    cache: Option<(CacheKey, Version)>,
    sharing: Sharing,
}

/// How a request ended that Discord, or the cache, answered.
struct Outcome {
    answer: Answer,
    id: Option<RequestId>,
}

impl Gate {
    /// Answers one request, whatever it is.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Reply {
        if self.guard.is_open() && headers::is_from_browser(request.headers()) {
            let message = "an open proxy answers programs of this machine, not web pages: ask it by 127.0.0.1 or \
                           localhost, without Origin, or start it with a key";
            return self.refuse(&Refused::new(Reason::FromBrowser, message), None);
        }
        let uri = request.uri();
        let text = uri.path_and_query().map_or("*", |text| text.as_str());
        let target = Target::read(text, &self.version);
        let is_own = matches!(target.place, Place::Own(_));
        let shown = target.key.map(str::as_bytes).into_iter();
        let is_admitted = self
            .guard
            .admits(shown.chain(headers::keys(request.headers(), is_own)));
        match target.place {
            Place::Own(path) => {
                let refused = own::answer(self, request.method(), path, is_admitted);
                refused.unwrap_or_else(|refused| self.refuse(&refused, None))
            }
            Place::Api(_) if !is_admitted => self.refuse(&unauthorized(), None),
            Place::Api(path) => self.discords(request, path).await,
        }
    }

    fn refuse(&self, refused: &Refused, id: Option<RequestId>) -> Reply {
        self.counters.refused(refused.reason);
        let mut reply = refused.reply();
        if let Some(id) = id {
            number(&mut reply, id);
        }
        reply
    }

    async fn discords(&self, request: Request<Incoming>, path: ApiPath) -> Reply {
        let active = Active::new(&self.counters);
        let mut id = None;
        let reply = match self.carry_out(request, path, &mut id).await {
            Ok(outcome) => {
                let mut reply = from_discord(&outcome.answer);
                match outcome.id {
                    Some(id) => number(&mut reply, id),
                    None => {
                        let hit = HeaderValue::from_static("hit");
                        reply.headers_mut().insert(headers::CACHE, hit);
                    }
                }
                reply
            }
            Err(refused) => {
                tracing::debug!(
                    id = id.map(|id| id.0),
                    reason = refused.reason.name(),
                    "not sent"
                );
                self.refuse(&refused, id)
            }
        };
        active.answered(reply.status().as_u16());
        reply
    }

    async fn carry_out(
        &self,
        request: Request<Incoming>,
        path: ApiPath,
        id: &mut Option<RequestId>,
    ) -> Result<Outcome, Refused> {
        let (parts, incoming) = request.into_parts();
        let order = self.understand(&parts.method, &parts.headers, path)?;
        self.counters.asked(order.method);
        if let Some((key, _)) = order.cache.as_ref().filter(|_| !order.wishes.wants_fresh)
            && let Some(answer) = self.cache.get(key, order.arrived)
        {
            return Ok(Outcome { answer, id: None });
        }
        let deposited = self.deposit.take(incoming).await?;
        let mut raw = order.raw();
        raw.body = deposited.body;
        let is_too_long = deposited.is_too_long;
        self.note_write(&order);
        let pending = match self.client.submit(raw) {
            Ok(pending) => pending,
            Err(error) => {
                self.note_write(&order);
                return Err(error.into());
            }
        };
        *id = Some(pending.id());
        let _waits = self.waiting.enter(pending.id());
        let _written = Written {
            gate: self,
            order: &order,
        };
        let outcome = pending.await;
        match outcome {
            Ok(answer) => {
                if answer.status == 401 {
                    order.identity.rejected();
                }
                if let Some((key, version)) = order.cache.clone().filter(|_| answer.status == 200) {
                    self.cache.put(key, &answer, version, clock::now());
                }
                Ok(Outcome { answer, id: *id })
            }
            Err(_) if is_too_long.load(Ordering::Relaxed) => Err(self.deposit.too_large()),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads everything of a request but its body.
    fn understand(
        &self,
        method: &HttpMethod,
        from: &HeaderMap,
        path: ApiPath,
    ) -> Result<Order, Refused> {
        let arrived = clock::now();
        let method: Method = method.as_str().parse().map_err(|_| {
            let message = "Discord's API is used with GET, POST, PUT, PATCH and DELETE";
            Refused::new(Reason::NoSuchMethod, message)
        })?;
        let route = Route::parse(method, path.whole())
            .map_err(|error| Refused::new(Reason::BadRequest, error.to_string()))?;
        let wishes = Wishes::read(from)?;
        let (mut headers, is_common) = forwarded(from);
        let identity = self.identify(&route, from, &mut headers)?;
        let is_read = method == Method::Get && is_common && !from.contains_key(header::RANGE);
        // How many identifies are left must never be old news.
        let is_cached = is_read
            && self.cache.is_on()
            && !route.authenticates_by_path()
            && !path.below().starts_with("/gateway");
        let cache = is_cached.then(|| {
            let key = CacheKey::new(identity.owner, &path);
            (key, self.cache.version(path.resource()))
        });
        let is_shared = is_read && !wishes.wants_fresh;
        Ok(Order {
            method,
            path,
            route,
            wishes,
            identity,
            headers,
            arrived,
            cache,
            sharing: if is_shared {
                Sharing::Same
            } else {
                Sharing::Alone
            },
        })
    }

    /// Whose request it is. Whoever has the token in the path needs no other, and is limited by itself.
    fn identify(
        &self,
        route: &Route,
        from: &HeaderMap,
        headers: &mut HeaderMap,
    ) -> Result<Identity, Refused> {
        if route.authenticates_by_path() {
            return Ok(Identity::none());
        }
        let brought = from.get(header::AUTHORIZATION).or(self.own_token.as_ref());
        let Some(value) = brought else {
            return Ok(Identity::none());
        };
        let identity = self.identities.take(value)?;
        let mut value = value.clone();
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
        Ok(identity)
    }

    /// Answers in the cache below a resource that is written to do not hold any more.
    fn note_write(&self, order: &Order) {
        if order.method == Method::Get {
            return;
        }
        self.cache.written(order.path.resource());
        if let Some(guild) = order.wishes.guild.or_else(|| order.route.guild()) {
            self.cache.written(resource(&format!("/guilds/{guild}")));
        }
    }
}

/// A write that was submitted. However it ends, answered or abandoned, reads from before its end do not hold.
struct Written<'a> {
    gate: &'a Gate,
    order: &'a Order,
}

impl Drop for Written<'_> {
    fn drop(&mut self) {
        self.gate.note_write(self.order);
    }
}

impl Order {
    fn raw(&self) -> RawRequest {
        let mut raw = RawRequest::new(self.identity.auth, self.method, self.path.whole());
        raw.headers = self.headers.clone();
        raw.priority = self.wishes.priority;
        raw.deadline = self.wishes.deadline.map(|within| self.arrived + within);
        raw.guild = self.wishes.guild;
        raw.sharing = self.sharing;
        raw
    }
}

fn number(reply: &mut Reply, id: RequestId) {
    let value = HeaderValue::from_str(&id.0.to_string()).expect("digits are a header");
    reply.headers_mut().insert(headers::REQUEST, value);
}

pub(super) fn unauthorized() -> Refused {
    let message = "this is shardkeep proxy, and the request has not its key: send X-Shardkeep-Key, or \
                   Proxy-Authorization: Bearer, or use a base URL with /_shardkeep/key/KEY before /api";
    Refused::new(Reason::Unauthorized, message)
}
