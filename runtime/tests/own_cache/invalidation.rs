//! What ends a value before its time, here and in other processes.

use std::sync::Arc;
use std::time::Duration;

use shardkeep::bus::{EventBus, LocalBus};
use shardkeep::cache::{OwnCache, OwnKey};
use tokio::time::sleep;

use crate::redis_support::until;
use crate::{HOUR, Source, alone, memory, tuned};

#[tokio::test]
async fn an_invalidation_beats_what_is_being_loaded() {
    let store = memory();
    let (here, there) = (alone(&store, tuned()), alone(&store, tuned()));
    let source = Source::default();
    let loading = {
        let (here, source) = (Arc::clone(&here), source.clone());
        tokio::spawn(async move {
            let load = source.load(Duration::from_millis(300));
            here.get_or_load(("user", 1), HOUR, load).await
        })
    };
    until("it is loading", Duration::from_secs(2), || async {
        source.asked() == 1
    })
    .await;
    there.invalidate(("user", 1)).await.expect("invalidated");
    assert_eq!(loading.await.expect("no panic").expect("loaded"), 1);
    assert_eq!(here.counts().superseded, 1);
    assert_eq!(here.local_len(), 0);
    assert_eq!(here.get::<u32>(("user", 1)).await.expect("reads"), None);
    // The next one to ask asks the source again.
    let load = source.load(Duration::ZERO);
    assert_eq!(
        there
            .get_or_load(("user", 1), HOUR, load)
            .await
            .expect("loaded"),
        2
    );
    // A value that the program sets wins in the same way.
    let loading = {
        let (here, source) = (Arc::clone(&here), source.clone());
        tokio::spawn(async move {
            let load = source.load(Duration::from_millis(300));
            here.get_or_load(("user", 2), HOUR, load).await
        })
    };
    until("it is loading", Duration::from_secs(2), || async {
        source.asked() == 3
    })
    .await;
    there.set(("user", 2), &99, HOUR).await.expect("set");
    assert_eq!(loading.await.expect("no panic").expect("loaded"), 3);
    assert_eq!(here.get(("user", 2)).await.expect("reads"), Some(99));
}

#[tokio::test]
async fn copies_elsewhere_go_by_the_bus_and_end_without_it() {
    let store = memory();
    let bus: Arc<dyn EventBus> = Arc::new(LocalBus::default());
    let mut short = tuned();
    short.local_for = Duration::from_millis(600);
    let on_bus =
        |bus: &Arc<dyn EventBus>| OwnCache::new(Arc::clone(&store), Arc::clone(bus), tuned());
    let (here, there) = (on_bus(&bus), on_bus(&bus));
    let deaf = alone(&store, short);
    here.set(("a", 1), &1, HOUR).await.expect("set");
    for cache in [&here, &there, &*deaf] {
        assert_eq!(cache.get(("a", 1)).await.expect("reads"), Some(1));
    }
    // Nobody listens yet: this test has not let anybody run. Listening begins with dropping what is there.
    here.set(("a", 1), &2, HOUR).await.expect("set");
    until("listening drops it", Duration::from_secs(2), || async {
        there.get(("a", 1)).await.expect("reads") == Some(2)
    })
    .await;
    let before = there.counts();
    here.set(("a", 1), &3, HOUR).await.expect("set");
    until("the bus brings it", Duration::from_secs(2), || async {
        there.get(("a", 1)).await.expect("reads") == Some(3)
    })
    .await;
    assert!(there.counts().invalidations_heard > before.invalidations_heard);
    // Who hears nothing serves its copy for as long as copies hold, and no longer.
    let copied: Option<u32> = deaf.get(("a", 1)).await.expect("reads");
    here.set(("a", 1), &4, HOUR).await.expect("set");
    assert_eq!(deaf.get(("a", 1)).await.expect("reads"), copied);
    sleep(Duration::from_millis(650)).await;
    assert_eq!(deaf.get(("a", 1)).await.expect("reads"), Some(4));
    // Something that cannot be read drops everything.
    let before = there.counts();
    there.get::<u32>(("a", 1)).await.expect("reads");
    bus.publish("cache.invalidate", b"?")
        .await
        .expect("published");
    until("copies are dropped", Duration::from_secs(2), || async {
        there.local_len() == 0
    })
    .await;
    assert_eq!(there.counts().cleared, before.cleared + 1);
}

#[tokio::test]
async fn a_guild_goes_as_a_whole() {
    let store = memory();
    let bus: Arc<dyn EventBus> = Arc::new(LocalBus::default());
    let cache = || OwnCache::new(Arc::clone(&store), Arc::clone(&bus), tuned());
    let (here, there) = (cache(), cache());
    let of = |guild: u64, id: u32| OwnKey::new("settings", id).of_guild(guild);
    for (guild, id) in [(5, 1), (5, 2), (6, 1)] {
        here.set(of(guild, id), &id, HOUR).await.expect("set");
        assert_eq!(there.get(of(guild, id)).await.expect("reads"), Some(id));
    }
    // What is being loaded for the guild meanwhile goes too.
    let loading = {
        let load = Source::default().load(Duration::from_millis(300));
        there.get_or_load(of(5, 3), HOUR, load)
    };
    let invalidating = async {
        sleep(Duration::from_millis(100)).await;
        here.invalidate_guild(5).await.expect("invalidated");
    };
    let (loaded, ()) = tokio::join!(loading, invalidating);
    assert_eq!(loaded.expect("loaded"), 1);
    until(
        "both have forgotten the guild",
        Duration::from_secs(2),
        || async {
            let mut left = 0;
            for cache in [&here, &there] {
                for id in 1..=3 {
                    let found: Option<u32> = cache.get(of(5, id)).await.expect("reads");
                    left += usize::from(found.is_some());
                }
            }
            left == 0
        },
    )
    .await;
    assert_eq!(there.get(of(6, 1)).await.expect("reads"), Some(1));
    here.set(of(5, 1), &8, HOUR).await.expect("set");
    assert_eq!(there.get(of(5, 1)).await.expect("reads"), Some(8));
}
