//! The clients, each as its documentation suggests.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioIo};
use shardkeep::rest::{Client, Http1, RawRequest, Settings};
use shardkeep_core::Token;
use shardkeep_core::rest::route::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use twilight_model::id::Id;

use super::{Load, Meter, Outcome, Run, WARM_UP};

const AUTHORIZATION: &str = "Bot not.a.token";
/// Every request reads another user.
const FIRST_USER: u64 = 80_351_110_224_678_912;
const USER_AGENT: &str = "DiscordBot (https://github.com/shardkeep/shardkeep, 0.1.0)";

pub(super) fn run(name: &str, base: &str, load: Load) -> Outcome<Run> {
    match name {
        "ureq" => ureq_threads(base, load, load.in_flight),
        "ureq-10" => ureq_threads(base, load, 10),
        "legacy" => runtime()?.block_on(pooled(base, load)),
        "floor" => runtime()?.block_on(floor(base, load)),
        "thread" => runtime()?.block_on(shardkeep(base, load, true)),
        "task" => runtime()?.block_on(shardkeep(base, load, false)),
        "twilight" => runtime()?.block_on(twilight(base, load)),
        "conn" => runtime()?.block_on(connections(base, load)),
        _ => Err(format!("there is no client {name}").into()),
    }
}

fn runtime() -> Outcome<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

fn url(base: &str, n: usize) -> String {
    format!("{base}/users/{}", FIRST_USER + n as u64)
}

fn authority(base: &str) -> &str {
    base.trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap_or_default()
}

fn ureq_threads(base: &str, load: Load, threads: usize) -> Outcome<Run> {
    let config = ureq::Agent::config_builder()
        .user_agent(USER_AGENT)
        .max_idle_connections(threads)
        .max_idle_connections_per_host(threads);
    let agent = config.build().new_agent();
    let all = |requests: usize| {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let worker = || -> Result<(), ureq::Error> {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= requests {
                        return Ok(());
                    }
                    let request = agent
                        .get(url(base, n))
                        .header("Authorization", AUTHORIZATION);
                    request.call()?.body_mut().read_to_vec()?;
                }
            };
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().unwrap_or(Ok(())))
        })
    };
    all(WARM_UP)?;
    let meter = Meter::start();
    all(load.requests)?;
    Ok(meter.stop(load.requests))
}

fn request(uri: String) -> Outcome<Request<Empty<Bytes>>> {
    let request = Request::get(uri)
        .header("authorization", AUTHORIZATION)
        .header("user-agent", USER_AGENT);
    Ok(request.body(Empty::new())?)
}

async fn pooled(base: &str, load: Load) -> Outcome<Run> {
    let client: legacy::Client<_, Empty<Bytes>> =
        legacy::Client::builder(TokioExecutor::new()).build_http();
    let base: Arc<str> = base.into();
    let all = async |requests: usize| -> Outcome<()> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..load.in_flight {
            let (client, next, base) = (client.clone(), Arc::clone(&next), Arc::clone(&base));
            workers.spawn(async move {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= requests {
                        return Ok::<(), String>(());
                    }
                    let request = request(url(&base, n)).map_err(|error| error.to_string())?;
                    let response = client
                        .request(request)
                        .await
                        .map_err(|error| error.to_string())?;
                    response
                        .into_body()
                        .collect()
                        .await
                        .map_err(|error| error.to_string())?;
                }
            });
        }
        workers
            .join_all()
            .await
            .into_iter()
            .collect::<Result<(), String>>()?;
        Ok(())
    };
    all(WARM_UP).await?;
    let meter = Meter::start();
    all(load.requests).await?;
    Ok(meter.stop(load.requests))
}

/// A connection that the task which uses it drives itself.
struct Wire {
    sender: SendRequest<Empty<Bytes>>,
    connection: Connection<TokioIo<TcpStream>, Empty<Bytes>>,
}

impl Wire {
    async fn open(authority: &str) -> Outcome<Self> {
        let tcp = TcpStream::connect(authority).await?;
        tcp.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(tcp)).await?;
        Ok(Self { sender, connection })
    }

    async fn exchange(&mut self, request: Request<Empty<Bytes>>) -> Outcome<Bytes> {
        let connection = &mut self.connection;
        let mut answer = std::pin::pin!(async {
            let response = self.sender.send_request(request).await?;
            Ok(response.into_body().collect().await?.to_bytes())
        });
        poll_fn(|cx| {
            if let Poll::Ready(ended) = Pin::new(&mut *connection).poll(cx) {
                ended?;
            }
            answer.as_mut().poll(cx)
        })
        .await
    }
}

async fn connections(base: &str, load: Load) -> Outcome<Run> {
    let authority = authority(base);
    let mut idle = Vec::new();
    for _ in 0..load.in_flight {
        idle.push(Wire::open(authority).await?);
    }
    let mut all = async |requests: usize| -> Outcome<()> {
        let mut under_way = FuturesUnordered::new();
        let (mut sent, mut done) = (0, 0);
        while done < requests {
            while sent < requests {
                let Some(mut wire) = idle.pop() else { break };
                let path = url("/api/v10", sent);
                let mut request = request(path)?;
                let host = hyper::header::HeaderValue::from_str(authority)?;
                request.headers_mut().insert("host", host);
                under_way.push(async move {
                    let body = wire.exchange(request).await;
                    (wire, body)
                });
                sent += 1;
            }
            let Some((wire, body)) = under_way.next().await else {
                break;
            };
            body?;
            idle.push(wire);
            done += 1;
        }
        Ok(())
    };
    all(WARM_UP).await?;
    let meter = Meter::start();
    all(load.requests).await?;
    Ok(meter.stop(load.requests))
}

/// What sockets alone take: requests written as they are, answers read without being understood.
async fn floor(base: &str, load: Load) -> Outcome<Run> {
    let authority = authority(base);
    let mut sockets = Vec::new();
    for _ in 0..load.in_flight {
        sockets.push(TcpStream::connect(authority).await?);
    }
    let sockets = spin(authority, WARM_UP, sockets).await?;
    let meter = Meter::start();
    spin(authority, load.requests, sockets).await?;
    Ok(meter.stop(load.requests))
}

async fn spin(
    authority: &str,
    requests: usize,
    sockets: Vec<TcpStream>,
) -> Outcome<Vec<TcpStream>> {
    let left = Cell::new(requests);
    let work = async |mut tcp: TcpStream| -> Outcome<TcpStream> {
        let mut room = vec![0; 8_192];
        while left.get() > 0 {
            left.set(left.get() - 1);
            let path = url("/api/v10", left.get());
            let text = format!(
                "GET {path} HTTP/1.1\r\nhost: {authority}\r\nauthorization: {AUTHORIZATION}\r\n\
                 user-agent: {USER_AGENT}\r\n\r\n"
            );
            tcp.write_all(text.as_bytes()).await?;
            let n = tcp.read(&mut room).await?;
            if !room[..n].ends_with(b"}") {
                return Err("an answer came in two pieces".into());
            }
        }
        Ok(tcp)
    };
    let mut under_way: FuturesUnordered<_> = sockets.into_iter().map(work).collect();
    let mut sockets = Vec::new();
    while let Some(socket) = under_way.next().await {
        sockets.push(socket?);
    }
    Ok(sockets)
}

/// Shardkeep itself, scheduler and all, with its own thread or on the caller's.
async fn shardkeep(base: &str, load: Load, own_thread: bool) -> Outcome<Run> {
    let mut settings = Settings::new(base);
    settings.scheduler.max_in_flight = load.in_flight;
    settings.scheduler.reserved_in_flight = 0;
    settings.scheduler.global_limit = 10_000_000;
    let client = if own_thread {
        Client::start(settings)?
    } else {
        let transport = Arc::new(Http1::for_settings(&settings)?);
        let (client, driver) = Client::new(settings, transport)?;
        tokio::spawn(driver.run());
        client
    };
    let auth = client.add_token(&Token::new("not.a.token")?);
    let all = async |requests: usize| -> Outcome<()> {
        let next = Cell::new(0);
        let work = async |_| -> Outcome<()> {
            loop {
                let n = next.get();
                if n >= requests {
                    return Ok(());
                }
                next.set(n + 1);
                let answer = client
                    .submit(RawRequest::new(auth, Method::Get, url("", n)))?
                    .await?;
                if answer.status != 200 {
                    return Err("not what was asked for".into());
                }
            }
        };
        let mut workers: FuturesUnordered<_> = (0..load.in_flight).map(work).collect();
        while let Some(worked) = workers.next().await {
            worked?;
        }
        Ok(())
    };
    all(WARM_UP).await?;
    let meter = Meter::start();
    all(load.requests).await?;
    Ok(meter.stop(load.requests))
}

/// As it comes, but for the address and without its limiter: this compares how requests are carried.
async fn twilight(base: &str, load: Load) -> Outcome<Run> {
    let client = twilight_http::Client::builder()
        .token("not.a.token".to_owned())
        .proxy(authority(base).to_owned(), true)
        .ratelimiter(None)
        .build();
    let all = async |requests: usize| -> Outcome<()> {
        let next = Cell::new(0);
        let work = async |_| -> Outcome<()> {
            loop {
                let n = next.get();
                if n >= requests {
                    return Ok(());
                }
                next.set(n + 1);
                let user = Id::new(FIRST_USER + n as u64);
                client.user(user).await?.bytes().await?;
            }
        };
        let mut workers: FuturesUnordered<_> = (0..load.in_flight).map(work).collect();
        while let Some(worked) = workers.next().await {
            worked?;
        }
        Ok(())
    };
    all(WARM_UP).await?;
    let meter = Meter::start();
    all(load.requests).await?;
    Ok(meter.stop(load.requests))
}
