//! Events as twilight's models.

use shardkeep_core::ShardId;
use shardkeep_core::wire::EventKind;
use twilight_model::gateway::event::DispatchEvent;

use super::*;

fn event(topic: Topic, name: &str, data: &str) -> Event {
    let mut chunk = Chunk::default();
    let kind = EventKind::from_name(name.as_bytes());
    let head = Head {
        shard: ShardId::SINGLE,
        sequence: 1,
        topic,
        kind,
        replayed: false,
        session: 0,
    };
    assert!(chunk.push(head, name, data.as_bytes()));
    let queue = std::sync::Arc::new(Queue::new(10, 1_000));
    queue.publish(&mut chunk);
    let batch = queue.take(1).expect("one event");
    batch.into_events().next().expect("one event")
}

#[test]
fn a_dispatch_becomes_twilights_model_of_it() {
    let typing = r#"{"channel_id":"2","guild_id":"3","timestamp":1500000000,"user_id":"1"}"#;
    let event = event(Topic::Dispatch, "TYPING_START", typing);
    match event.twilight() {
        Ok(DispatchEvent::TypingStart(typing)) => assert_eq!(typing.user_id.get(), 1),
        other => panic!("{other:?}"),
    }
    assert_eq!(event.guild_id(), Some(shardkeep_core::Snowflake(3)));
}

#[test]
fn what_does_not_fit_or_is_not_discords_is_an_error() {
    let wrong = event(Topic::Dispatch, "TYPING_START", "{}")
        .twilight()
        .unwrap_err();
    assert!(
        wrong.to_string().starts_with("TYPING_START does not fit"),
        "{wrong}"
    );
    assert!(event(Topic::Ready, "", "{}").twilight().is_err());
}
