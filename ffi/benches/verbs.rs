//! What a call through the C interface costs beside the same call in Rust: `cargo xtask bench ffi`.
//!
//! Each row is the median of eleven rounds. The machine is the same on both sides, so the difference is the border:
//! looking whose handle it is, letting one caller in, the panic barrier, and turning records.

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use core::ffi::c_char;
use core::hint::black_box;
use core::ptr;

use shardkeep::clock;
use shardkeep_core::gateway::Session;
use shardkeep_core::record::{Flat, Record, Start, route_text};
use shardkeep_core::wire::Miniz;
use shardkeep_core::{Instant, Machine, ShardId, Snowflake};
use shardkeep_ffi::plain::{shardkeep_route, shardkeep_shard_of_guild};
use shardkeep_ffi::session::{
    shardkeep_session, shardkeep_session_count, shardkeep_session_free,
    shardkeep_session_handle_input, shardkeep_session_handle_timeout, shardkeep_session_new,
    shardkeep_session_poll_output, shardkeep_session_poll_timeout, shardkeep_session_snapshot,
};
use shardkeep_ffi::types::{
    shardkeep_config, shardkeep_config_init, shardkeep_record, shardkeep_text,
};

const TOKEN: &str = "not.a.token";
const ROUNDS: usize = 11;
const CALLS: u32 = 100_000;

/// Nanoseconds a call, the median of the rounds.
fn measure(mut call: impl FnMut(u64)) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|round| {
            let start = clock::now();
            for n in 0..CALLS {
                call(round as u64 * u64::from(CALLS) + u64::from(n));
            }
            (clock::now() - start).as_secs_f64() * 1e9 / f64::from(CALLS)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

fn row(what: &str, rust: f64, c: f64) {
    println!("| {what} | {rust:.1} | {c:.1} | {:.1} |", c - rust);
}

/// A message whose sequence can be set in place: all of one length.
struct Message {
    bytes: Vec<u8>,
    digits: core::ops::Range<usize>,
}

impl Message {
    fn new() -> Self {
        let content = "a message of middling length, as people write them ".repeat(8);
        let text = format!(
            r#"{{"t":"MESSAGE_CREATE","s":10000000,"op":0,"d":{{"id":"1","channel_id":"2","content":"{content}"}}}}"#
        );
        let at = text.find("10000000").expect("the sequence");
        Self {
            bytes: text.into_bytes(),
            digits: at..at + 8,
        }
    }

    fn with_sequence(&mut self, sequence: u64) -> &[u8] {
        let mut left = 10_000_000 + sequence;
        for digit in self.bytes[self.digits.clone()].iter_mut().rev() {
            *digit = b'0' + u8::try_from(left % 10).unwrap_or_default();
            left /= 10;
        }
        &self.bytes
    }
}

const HELLO: &str = r#"{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250}}"#;
const READY: &str = r#"{"t":"READY","s":1,"op":0,"d":{"session_id":"bench","guilds":[],"resume_gateway_url":"wss://gateway.discord.gg"}}"#;

/// What brings a session to where events flow: kinds of inputs, and their data.
const OPENING: [(u32, &str); 4] = [(1, ""), (2, HELLO), (5, ""), (2, READY)];

fn rust_session() -> Session {
    let start = Start {
        settings: "",
        token: TOKEN,
        snapshot: "",
        now: Instant::ZERO,
        inflate: |_| Some(Box::new(Miniz::new())),
    };
    let mut session = Session::start(start).expect("a session");
    session.handle_timeout(Instant::ZERO);
    for (kind, data) in OPENING {
        while session.next_output(&mut ()).is_some() {}
        let data = data.as_bytes();
        let record = Record {
            kind,
            data,
            ..Record::default()
        };
        session
            .feed(Instant::ZERO, record)
            .expect("an input that is in place");
    }
    while session.next_output(&mut ()).is_some() {}
    session
}

fn c_record(kind: u32, data: &str) -> shardkeep_record {
    shardkeep_record {
        kind,
        code: 0,
        id: 0,
        value: 0,
        text: ptr::null(),
        text_len: 0,
        data: data.as_ptr(),
        data_len: data.len(),
    }
}

fn c_drain(session: *mut shardkeep_session) {
    let mut out = c_record(0, "");
    // SAFETY: the handle is live.
    while unsafe { shardkeep_session_poll_output(session, &raw mut out) } == 0 {}
}

fn c_session() -> *mut shardkeep_session {
    let mut session = ptr::null_mut();
    // SAFETY: zero is what every member may be, and pointers are as long as they say.
    unsafe {
        let mut config: shardkeep_config = core::mem::zeroed();
        assert_eq!(
            shardkeep_config_init(&raw mut config, size_of::<shardkeep_config>()),
            0
        );
        (config.token, config.token_len) = (TOKEN.as_ptr().cast(), TOKEN.len());
        assert_eq!(
            shardkeep_session_new(&raw const config, &raw mut session),
            0
        );
        assert_eq!(shardkeep_session_handle_timeout(session, 0), 0);
        for (kind, data) in OPENING {
            c_drain(session);
            let record = c_record(kind, data);
            assert_eq!(
                shardkeep_session_handle_input(session, 0, &raw const record),
                0
            );
        }
    }
    c_drain(session);
    session
}

fn still_verbs(rust: &mut Session, c: *mut shardkeep_session) {
    let mut out = c_record(0, "");
    let mut count = 0;
    row(
        "`handle_timeout`, too early",
        measure(|_| rust.handle_timeout(black_box(Instant::ZERO))),
        measure(|_| {
            // SAFETY: the handle is live.
            let status = unsafe { shardkeep_session_handle_timeout(c, black_box(0)) };
            assert_eq!(status, 0);
        }),
    );
    row(
        "`poll_output`, nothing",
        measure(|_| assert!(rust.next_output(&mut ()).is_none())),
        measure(|_| {
            // SAFETY: as above.
            let status = unsafe { shardkeep_session_poll_output(c, &raw mut out) };
            assert_eq!(status, 1);
        }),
    );
    row(
        "`poll_timeout`",
        measure(|_| assert!(black_box(rust.next_timeout()).is_some())),
        measure(|_| {
            // SAFETY: as above.
            let status = unsafe { shardkeep_session_poll_timeout(c, &raw mut out) };
            assert_eq!(status, 0);
        }),
    );
    let name = "heartbeats";
    let at: *const c_char = name.as_ptr().cast();
    row(
        "`count`",
        measure(|_| assert!(black_box(rust.counted(name)).is_some())),
        measure(|_| {
            // SAFETY: as above.
            let status = unsafe { shardkeep_session_count(c, at, name.len(), &raw mut count) };
            assert_eq!(status, 0);
        }),
    );
    let mut text = shardkeep_text {
        ptr: ptr::null(),
        len: 0,
    };
    row(
        "`snapshot`, as JSON",
        measure(|_| assert!(!black_box(rust.snapshot_text()).is_empty())),
        measure(|_| {
            // SAFETY: as above.
            let status = unsafe { shardkeep_session_snapshot(c, &raw mut text) };
            assert_eq!(status, 0);
        }),
    );
}

/// An event goes in and comes out.
fn an_event(rust: &mut Session, c: *mut shardkeep_session) {
    let mut message = Message::new();
    let mut out = c_record(0, "");
    let of_rust = measure(|n| {
        let data = message.with_sequence(n);
        let record = Record {
            kind: 2,
            data,
            ..Record::default()
        };
        rust.feed(Instant::ZERO, record).expect("an event");
        assert!(black_box(rust.next_output(&mut ())).is_some());
        assert!(black_box(rust.next_output(&mut ())).is_none());
    });
    let of_c = measure(|n| {
        let mut record = c_record(2, "");
        let data = message.with_sequence(n);
        (record.data, record.data_len) = (data.as_ptr(), data.len());
        // SAFETY: the handle is live, and the record's views are.
        unsafe {
            assert_eq!(shardkeep_session_handle_input(c, 0, &raw const record), 0);
            assert_eq!(shardkeep_session_poll_output(c, &raw mut out), 0);
            assert_eq!(shardkeep_session_poll_output(c, &raw mut out), 1);
        }
    });
    let bytes = message.bytes.len();
    let what = format!("an event of {bytes} bytes: `handle_input` and `poll_output` twice");
    row(&what, of_rust, of_c);
}

fn plain() {
    let mut index = 0;
    row(
        "shard of a guild",
        measure(|n| assert!(black_box(ShardId::of_guild(Snowflake(n << 22), 16)).is_some())),
        measure(|n| {
            // SAFETY: the place is there.
            let status = unsafe { shardkeep_shard_of_guild(n << 22, 16, &raw mut index) };
            assert_eq!(status, 0);
        }),
    );
    let path = "PUT /channels/81384788765712384/pins/81384788765712385";
    let mut buffer = [0_u8; 512];
    let mut len = 0;
    let at: *const c_char = path.as_ptr().cast();
    row(
        "route of a path, as JSON",
        measure(|_| assert!(black_box(route_text(path)).is_ok())),
        measure(|_| {
            let out: *mut c_char = buffer.as_mut_ptr().cast();
            // SAFETY: text and buffer are as long as they say.
            let status = unsafe { shardkeep_route(at, path.len(), out, 512, &raw mut len) };
            assert_eq!(status, 0);
        }),
    );
}

fn main() {
    println!("| call | Rust, ns | C, ns | border, ns |\n|---|--:|--:|--:|");
    let mut rust = rust_session();
    let c = c_session();
    still_verbs(&mut rust, c);
    an_event(&mut rust, c);
    plain();
    // SAFETY: the handle is live and not used again.
    assert_eq!(unsafe { shardkeep_session_free(c) }, 0);
}
