//! Handlers: who is called, how many at once, in which order, and what a panic does.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shardkeep::core::wire::EventKind;
use shardkeep::{Error, Failure, Subscription, Topic};
use shardkeep_sim::{Control, WorldConfig};
use support::{bot, config, serve, world};
use tokio::sync::mpsc;

#[tokio::test]
async fn handlers_hear_what_they_asked_for_and_the_rest_is_filtered() {
    let server = serve(WorldConfig {
        recommended_shards: 1,
        ..world()
    })
    .await;
    let bot = bot(config(&server).set("handler_concurrency", 1));
    let (heard, mut hears) = mpsc::unbounded_channel();
    for to in [
        Subscription::Kind(EventKind::MessageCreate),
        Subscription::Topic(Topic::Ready),
    ] {
        let heard = heard.clone();
        bot.on(to, move |event| {
            let heard = heard.clone();
            async move {
                heard
                    .send((event.name().to_owned(), event.sequence()))
                    .expect("the test listens");
            }
        });
    }
    let running = tokio::spawn({
        let bot = bot.clone();
        async move { bot.run().await }
    });
    assert_eq!(
        hears.recv().await.map(|(name, _)| name).as_deref(),
        Some("ready")
    );
    server.control(Control::Burst { events: 50 }).await;
    let mut last = 0;
    for _ in 0..50 {
        let (name, sequence) = hears.recv().await.expect("a message");
        assert_eq!(name, "MESSAGE_CREATE");
        assert!(sequence > last, "one at a time is in order");
        last = sequence;
    }
    let status = bot.status();
    assert!(status.filtered > 0 && status.delivered == 50, "{status:?}");
    bot.shutdown(false).await;
    running
        .await
        .expect("no panic")
        .expect("it was only stopped");
}

#[tokio::test]
async fn no_more_run_at_once_than_allowed_and_a_panic_stops_only_its_handler() {
    let server = serve(WorldConfig {
        recommended_shards: 1,
        ..world()
    })
    .await;
    let bot = bot(config(&server).set("handler_concurrency", 3));
    let (running_now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (done, mut dones) = mpsc::unbounded_channel();
    let peak = Arc::clone(&most);
    bot.on(EventKind::MessageCreate, move |event| {
        let (now, most, done) = (Arc::clone(&running_now), Arc::clone(&peak), done.clone());
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(2)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            done.send(()).expect("the test listens");
            assert!(
                !event.sequence().is_multiple_of(10),
                "a handler that panics now and then"
            );
        }
    });
    let ready = Arc::new(tokio::sync::Notify::new());
    let waiting = Arc::clone(&ready);
    bot.on(Topic::Ready, move |_| {
        waiting.notify_one();
        async {}
    });
    let running = tokio::spawn({
        let bot = bot.clone();
        async move { bot.run().await }
    });
    ready.notified().await;
    server.control(Control::Burst { events: 60 }).await;
    for _ in 0..60 {
        dones.recv().await.expect("every handler runs");
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
    bot.shutdown(false).await;
    running
        .await
        .expect("no panic")
        .expect("it was only stopped");
    assert_eq!(bot.status().handler_panics, 6);
}

#[tokio::test]
async fn run_returns_why_discord_refused_the_bot() {
    let server = serve(world()).await;
    let bot = bot(config(&server).token("wrong.token.entirely"));
    let told = Arc::new(Mutex::new(Vec::new()));
    let tells = Arc::clone(&told);
    bot.on(Topic::ShardError, move |event| {
        tells
            .lock()
            .expect("no panic")
            .push(event.json().into_owned());
        async {}
    });
    let outcome = bot.run().await;
    assert!(
        matches!(outcome, Err(Error::Failed(Failure::Token(_)))),
        "{outcome:?}"
    );
    assert_eq!(told.lock().expect("no panic").len(), 1);
}
