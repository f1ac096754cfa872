//! The clients that are written in Rust, each as its documentation suggests.

use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::json;
use shardkeep::core::rest::route::Method;
use shardkeep::core::{Snowflake, Token};
use shardkeep::rest::{Client, Http1, Rest, RestError, Settings};
use shardkeep_benches::usage;
use twilight_http::client::Client as Twilight;
use twilight_http_ratelimiting::RateLimiter;
use twilight_model::id::Id;

use super::{Job, Outcome, Run};

/// Connections: enough for the global limit, and as many as the other part of the bench has requests at a time.
const WORKERS: usize = 32;

pub(super) fn run(name: &str, job: &Job) -> Outcome<Run> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match name {
            "shardkeep" => shardkeep(job, true).await,
            "shardkeep-task" => shardkeep(job, false).await,
            "twilight" => twilight(job).await,
            _ => Err(format!("there is no client {name}").into()),
        }
    })
}

/// Sends all that is asked for, so many at a time. `send` says whether it went well.
async fn measure<F: Future<Output = bool>>(
    job: &Job,
    send: impl Fn(Call) -> F + Copy,
) -> Outcome<Run> {
    let calls: Vec<Call> = job.requests.iter().map(call).collect::<Outcome<_>>()?;
    let (warm_up, counted) = calls.split_at(job.warm_up);
    fire(warm_up, job.in_flight, send).await;
    let (wall, cpu) = (usage::wall_ns(), usage::cpu_ns());
    let failures = fire(counted, job.in_flight, send).await;
    let seconds = |ns: u64| ns as f64 / 1e9;
    Ok(Run {
        makespan_s: seconds(usage::wall_ns() - wall),
        failures,
        cpu_s: seconds(usage::cpu_ns() - cpu),
    })
}

async fn fire<F: Future<Output = bool>>(
    calls: &[Call],
    in_flight: usize,
    send: impl Fn(Call) -> F + Copy,
) -> usize {
    let (next, failures) = (Cell::new(0), Cell::new(0));
    let work = async || {
        while let Some(call) = calls.get(next.get()) {
            next.set(next.get() + 1);
            if !send(*call).await {
                failures.set(failures.get() + 1);
            }
        }
    };
    let mut under_way: FuturesUnordered<_> = (0..in_flight).map(|_| work()).collect();
    while under_way.next().await.is_some() {}
    drop(under_way);
    failures.get()
}

/// One of the bench's requests. Ids are never 0.
#[derive(Clone, Copy)]
enum Call {
    Post(u64),
    Member(u64, u64),
    User(u64),
    Channel(u64),
}

fn call((method, path): &(String, String)) -> Outcome<Call> {
    let words: Vec<&str> = path.trim_matches('/').split('/').collect();
    Ok(match (method.as_str(), &words[..]) {
        ("POST", ["channels", channel, "messages"]) => Call::Post(channel.parse()?),
        ("GET", ["guilds", guild, "members", user]) => Call::Member(guild.parse()?, user.parse()?),
        ("GET", ["users", user]) => Call::User(user.parse()?),
        ("GET", ["channels", channel]) => Call::Channel(channel.parse()?),
        _ => return Err(format!("no client has a call for {method} {path}").into()),
    })
}

/// With the driver on its own thread or on the caller's.
async fn shardkeep(job: &Job, own_thread: bool) -> Outcome<Run> {
    let mut settings = Settings::new(&job.base);
    settings.scheduler.max_in_flight = WORKERS;
    settings.scheduler.global_limit = job.global_limit;
    let token = Token::new(job.token.as_str())?;
    let rest = if own_thread {
        Rest::start(&token, settings)?
    } else {
        let transport = Arc::new(Http1::for_settings(&settings)?);
        let (client, driver) = Client::new(settings, transport)?;
        tokio::spawn(driver.run());
        let auth = client.add_token(&token);
        Rest::new(client, auth)
    };
    let rest = &rest;
    let run = measure(job, |call| async move {
        let sent = match call {
            Call::Post(channel) => {
                let message = json!({ "content": "x" });
                rest.create_message(Snowflake(channel), &message).send()
            }
            // What is asked for twice is to be sent twice, as the others do.
            Call::Member(guild, user) => {
                let path = format!("/guilds/{guild}/members/{user}");
                rest.request(Method::Get, path).no_coalesce().send()
            }
            Call::User(user) => {
                let path = format!("/users/{user}");
                rest.request(Method::Get, path).no_coalesce().send()
            }
            Call::Channel(channel) => rest.get_channel(Snowflake(channel)).no_coalesce().send(),
        };
        sent.await.inspect_err(tell).is_ok()
    });
    run.await
}

fn tell(error: &RestError) {
    eprintln!("shardkeep: {error}");
}

async fn twilight(job: &Job) -> Outcome<Run> {
    let authority = job.base.trim_start_matches("http://");
    let authority = authority.split('/').next().unwrap_or_default();
    let limit = u16::try_from(job.global_limit).unwrap_or(u16::MAX);
    let client = Twilight::builder()
        .token(job.token.clone())
        .proxy(authority.to_owned(), true)
        .ratelimiter(Some(RateLimiter::new(limit)))
        .build();
    let client = &client;
    let run = measure(job, |call| async move {
        let body = match call {
            Call::Post(channel) => match client.create_message(Id::new(channel)).content("x").await
            {
                Ok(answer) => answer.bytes().await,
                Err(_) => return false,
            },
            Call::Member(guild, user) => {
                match client.guild_member(Id::new(guild), Id::new(user)).await {
                    Ok(answer) => answer.bytes().await,
                    Err(_) => return false,
                }
            }
            Call::User(user) => match client.user(Id::new(user)).await {
                Ok(answer) => answer.bytes().await,
                Err(_) => return false,
            },
            Call::Channel(channel) => match client.channel(Id::new(channel)).await {
                Ok(answer) => answer.bytes().await,
                Err(_) => return false,
            },
        };
        body.is_ok()
    });
    run.await
}
