//! A course and a letter as they are written: read as the same, and nothing else is read.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde_json::{Value, json};

use super::super::{Course, Ended, Letter, Steer};
use super::world::facts;
use super::{changes, shard};
use crate::fleet::cutover::Account;
use crate::fleet::reshard::Stage;
use crate::fleet::{Plan, Serving, Target};
use crate::id::Snowflake;

fn course(before: &Serving, target: Target) -> Course {
    let plan = Plan::new(before.topology(), target, &facts(before.overlays())).unwrap();
    Course {
        leader: "00000000000000ab".to_string(),
        target,
        from: before.to_string(),
        serving: before.clone(),
        stage: Stage::Starting,
        step: plan.steps().first().cloned(),
        cutover: u64::MAX >> 11,
        is_prepared: true,
        may_ask: false,
        is_paused: false,
        is_aborted: false,
        steps: plan.steps().len(),
        taken: 0,
        began_ms: 1_796_000_000_000,
        permits: 3,
        ended: None,
    }
}

fn courses() -> Vec<Course> {
    let (two, _) = changes()[0].clone();
    let overlay = Serving::new(two.topology().clone(), [shard(5, 6)]).unwrap();
    let guild = Snowflake(5 << 22 | 1);
    let mut courses: Vec<_> = changes()
        .map(|(before, target)| course(&before, target))
        .to_vec();
    courses.push(course(&two, Target::Isolate(guild)));
    courses.push(course(&overlay, Target::Rejoin(shard(5, 6))));
    courses
}

#[test]
fn a_course_is_read_as_it_was_written_at_every_stage() {
    for mut course in courses() {
        for stage in Stage::ALL.iter().copied() {
            course.stage = stage;
            assert_eq!(Course::read(&course.write()).as_ref(), Some(&course));
        }
        course.step = None;
        (course.is_paused, course.is_aborted, course.may_ask) = (true, true, true);
        course.ended = Some(Ended {
            outcome: "all \"steps\" were taken\n".to_string(),
            is_done: true,
            account: Account::default(),
            identifies: 4,
            took_ms: u64::MAX,
        });
        assert_eq!(Course::read(&course.write()), Some(course));
    }
}

#[test]
fn what_is_no_course_is_refused() {
    let (before, target) = changes()[0].clone();
    let text = course(&before, target).write();
    let changed = |key: &str, value: Value| {
        let mut written: Value = serde_json::from_str(&text).unwrap();
        written[key] = value;
        written.to_string()
    };
    assert!(Course::read(&changed("taken", json!(1))).is_some());
    let wrong = [
        ("version", json!(2)),
        ("version", json!("1")),
        ("serving", json!("0,1,1/4")),
        ("serving", json!("auto")),
        ("serving", json!("0/2")),
        ("serving", json!("")),
        ("overlays", json!("0/2")),
        ("overlays", json!("x")),
        ("stage", json!("flying")),
        ("target", json!({"shards": -1})),
        ("target", json!({"split": ""})),
        ("target", json!("everything")),
        ("step", json!({"kind": "leap", "start": "", "stop": ""})),
        ("step", json!({"kind": "split", "start": "9/4", "stop": ""})),
        ("step", json!(7)),
        ("taken", json!(-1)),
        ("began_ms", json!(null)),
        ("ended", json!({"outcome": "well"})),
        ("more", json!(true)),
    ];
    for (key, value) in wrong {
        let told = changed(key, value);
        assert_eq!(Course::read(&told), None, "{told}");
    }
    for at in 0..text.len() {
        assert_eq!(Course::read(&text[..at]), None);
    }
    for text in ["", "null", "[]", "{}", "\u{0}", "{\"version\":1}"] {
        assert_eq!(Course::read(text), None);
    }
}

#[test]
fn any_changed_byte_of_a_course_is_read_as_something_or_not_at_all() {
    for course in courses() {
        let text = course.write();
        for at in 0..text.len() {
            for new in [b'"', b'0', b'/', b'z', b'-'] {
                let mut bytes = text.clone().into_bytes();
                bytes[at] = new;
                let changed = String::from_utf8(bytes).unwrap();
                if let Some(read) = Course::read(&changed) {
                    let again = Course::read(&read.write());
                    assert_eq!(again.as_ref(), Some(&read), "{changed}");
                    // Whatever it says, it can be followed.
                    let _sessions = (read.sessions(), read.sides());
                }
            }
        }
    }
}

#[test]
fn what_is_no_letter_is_refused() {
    let letters = [
        Letter::News { revision: 7 },
        Letter::Steer(Steer::Abort),
        Letter::Guilds {
            cutover: 3,
            from: shard(1, 4),
            to: shard(1, 2),
            guilds: [Snowflake(1), Snowflake(u64::MAX)].to_vec(),
            is_last: true,
        },
    ];
    for letter in letters {
        let bytes = letter.write();
        assert_eq!(Letter::read(&bytes), Some(letter));
        for at in 0..bytes.len() {
            assert_eq!(Letter::read(&bytes[..at]), None);
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x80;
            assert_eq!(Letter::read(&bytes), None);
        }
    }
    assert_eq!(Letter::read(&[b' '; 1 << 20]), None);
    let nowhere = br#"{"guilds":{"cutover":3,"from":"9/4","to":"1/2","guilds":[],"is_last":true}}"#;
    assert_eq!(Letter::read(nowhere), None);
}
