//! Dispatches taken where they lie are those that would have been polled, in the same order among all other outputs.

use shardkeep_core::gateway::{Config, Dispatch, Input, Output, Session};
use shardkeep_core::wire::{EventFilter, EventKind, Intents, Miniz};
use shardkeep_core::{Instant, Machine, ShardId, Token};

const HELLO: &str = r#"{"op":10,"d":{"heartbeat_interval":41250}}"#;
const READY: &str = r#"{"t":"READY","s":1,"op":0,"d":{"session_id":"one","guilds":[{"id":"1"}]}}"#;

/// Messages of every kind that can come between dispatches, some with several documents.
const MESSAGES: [&str; 9] = [
    r#"{"t":"TYPING_START","s":2,"op":0,"d":{"user_id":"3"}}"#,
    r#"{"t":"NOT_\u0041_NAME","s":3,"op":0,"d":[1,2]} {"t":"GUILD_CREATE","s":4,"op":0,"d":{"id":"1"}}"#,
    r#"{"op":11}{"t":"MESSAGE_CREATE","s":5,"op":0,"d":{"content":"behind an acknowledgement"}}"#,
    r#"{"op":99}{"t":"MESSAGE_CREATE","s":6,"op":0,"d":{"content":"behind something unknown"}}"#,
    r#"{"t":"RATE_LIMITED","s":7,"op":0,"d":{"opcode":8,"retry_after":1.5,"meta":{}}}"#,
    r#"{"t":"PRESENCE_UPDATE","s":8,"op":0,"d":{"filtered":true}}"#,
    r#"{"t":"READY","s":9,"op":0,"d":{"session_id":"two"}}{"t":"TYPING_START","s":10,"op":0,"d":{}}"#,
    r#"{"t":"TYPING_START","s":11,"op":0,"d":{}}{"op":7,"d":null}{"t":"TYPING_START","s":12,"op":0,"d":{}}"#,
    r#"{"t":"TYPING_START","s":13,"op":0,"d":{}}"#,
];

fn session() -> Session {
    let token = Token::new("not.a.token").expect("a token");
    let mut config = Config::new(
        ShardId::SINGLE,
        token,
        Intents::ALL,
        "wss://gateway.discord.gg",
    );
    config.filter = EventFilter::all().without(EventKind::PresenceUpdate);
    Session::new(config, Box::new(Miniz::new()), Instant::ZERO).expect("a valid config")
}

fn words(dispatch: &Dispatch<'_>) -> String {
    let data = String::from_utf8_lossy(dispatch.data);
    format!("{dispatch:?} {} {data}", dispatch.kind.number())
}

/// Feeds one input; what came out, in order.
fn feed(session: &mut Session, input: Input<'_>, in_place: bool) -> Vec<String> {
    let mut seen = Vec::new();
    let fed = if in_place {
        session.handle_input_with(Instant::ZERO, input, &mut |dispatch| {
            seen.push(words(&dispatch))
        })
    } else {
        session.handle_input(Instant::ZERO, input)
    };
    fed.expect("an input in place");
    while let Some(output) = session.poll_output() {
        seen.push(match output {
            Output::Dispatch(dispatch) => words(&dispatch),
            other => format!("{other:?}"),
        });
    }
    seen
}

fn life(in_place: bool) -> (Vec<Vec<String>>, String) {
    let mut session = session();
    session.handle_timeout(Instant::ZERO);
    while session.poll_output().is_some() {}
    let beginning = [
        Input::Connected,
        Input::Text(HELLO.as_bytes()),
        Input::IdentifyGranted,
        Input::Text(READY.as_bytes()),
    ];
    let messages = MESSAGES.map(|message| Input::Text(message.as_bytes()));
    let seen = beginning
        .into_iter()
        .chain(messages)
        .map(|input| feed(&mut session, input, in_place))
        .collect();
    let mut stats = session.stats();
    stats.buffer_bytes = 0;
    (seen, format!("{stats:?}"))
}

#[test]
fn taking_in_place_changes_neither_what_comes_out_nor_its_order() {
    let (polled, taken) = (life(false), life(true));
    assert_eq!(polled, taken);
    let dispatches = polled.0.iter().flatten().filter(|s| s.starts_with("Dis"));
    assert!(dispatches.count() >= 10, "{polled:?}");
}

#[test]
fn a_dispatch_waits_behind_outputs_that_were_not_polled() {
    let mut session = session();
    session.handle_timeout(Instant::ZERO);
    while session.poll_output().is_some() {}
    for input in [
        Input::Connected,
        Input::Text(HELLO.as_bytes()),
        Input::IdentifyGranted,
    ] {
        feed(&mut session, input, true);
    }
    let mut taken = 0;
    let input = Input::Text(READY.as_bytes());
    let fed = session.handle_input_with(Instant::ZERO, input, &mut |_| taken += 1);
    fed.expect("an input in place");
    assert_eq!(taken, 0);
    assert!(matches!(session.poll_output(), Some(Output::Event(_))));
    assert!(matches!(session.poll_output(), Some(Output::Dispatch(_))));
}
