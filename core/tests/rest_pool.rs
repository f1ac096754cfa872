//! The pool's side of the scheduler, with ledgers that are scripted, silent, or talk nonsense.

use shardkeep_core::rest::pool::PoolConfig;
use shardkeep_core::rest::route::Method;
use shardkeep_core::rest::{
    Auth, Config, Event, Input, Output, Place, RequestId, Scheduler, Submit, Wait,
};
use shardkeep_core::wire::rate_limit::RateLimit;
use shardkeep_core::{Instant, Machine, Rng};

const AUTH: Auth = Auth(1);
const PATH: &str = "/channels/81384788765712384/messages";

fn ms(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn scheduler() -> Scheduler {
    let mut config = Config::default();
    config.pool = Some(PoolConfig::new("one".to_owned(), 7));
    let mut scheduler = Scheduler::new(config, Instant::ZERO);
    let pooled = Input::Pooled {
        auth: AUTH,
        name: 9,
    };
    scheduler
        .handle_input(Instant::ZERO, pooled)
        .expect("an identity may be shared");
    scheduler
}

fn submit(scheduler: &mut Scheduler, now: Instant, id: u64) {
    let submit = Submit::new(RequestId(id), AUTH, Method::Post, PATH);
    scheduler
        .handle_input(now, Input::Submit(submit))
        .expect("a request");
}

/// Everything the scheduler says, and the words of its exchange as JSON.
fn listen(scheduler: &mut Scheduler) -> (Vec<Output>, Option<serde_json::Value>) {
    let (mut outputs, mut words) = (Vec::new(), None);
    while let Some(output) = scheduler.poll_output() {
        if output == Output::Exchange {
            let exchange = scheduler.exchange().expect("the words of the exchange");
            assert_eq!(scheduler.exchange(), None, "they are taken once");
            words = Some(serde_json::from_str(&exchange.body).expect("JSON"));
        }
        outputs.push(output);
    }
    (outputs, words)
}

/// An answer that gives `got` of every limit that something is wanted of.
fn grant(words: &serde_json::Value, now_us: u64, got: u32) -> String {
    let items = words["items"].as_array().expect("a list").iter();
    let items: Vec<String> = items
        .map(|item| {
            let wanted = item["want"].as_u64().expect("a number");
            let got = u64::from(got).min(wanted);
            format!("[{got},-1,2,5,5000000,\"\"]")
        })
        .collect();
    format!(
        "{{\"now\":{now_us},\"inc\":\"a\",\"state\":\"open\",\"closed\":0,\"revision\":0,\"peers\":[\"two\"],\
         \"notes\":[],\"items\":[{}]}}",
        items.join(",")
    )
}

fn answer(scheduler: &mut Scheduler, now: Instant, answer: &str) {
    let input = Input::Exchanged {
        answer: Some(answer.as_bytes()),
    };
    scheduler.handle_input(now, input).expect("an answer");
}

fn sends(outputs: &[Output]) -> usize {
    let is_send = |output: &&Output| matches!(output, Output::Send { .. });
    outputs.iter().filter(is_send).count()
}

#[test]
fn nothing_goes_without_a_token_of_every_limit() {
    let mut scheduler = scheduler();
    submit(&mut scheduler, ms(0), 1);
    let (outputs, words) = listen(&mut scheduler);
    assert_eq!(sends(&outputs), 0, "{outputs:?}");
    let place = scheduler.explain(RequestId(1)).unwrap().place;
    assert!(
        matches!(
            place,
            Place::Waiting {
                why: Wait::Pool,
                ..
            }
        ),
        "{place:?}"
    );
    let words = words.expect("the ledger is asked at once");
    let kinds: Vec<&str> = words["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["route", "log", "invalid"]);
    answer(&mut scheduler, ms(2), &grant(&words, 1_000, 1_000));
    let (outputs, _) = listen(&mut scheduler);
    assert_eq!(sends(&outputs), 1, "{outputs:?}");
    assert!(outputs.contains(&Output::Event(Event::PoolInTouch)));
}

#[test]
fn tokens_that_ran_out_are_not_used() {
    let mut scheduler = scheduler();
    submit(&mut scheduler, ms(0), 1);
    let (_, words) = listen(&mut scheduler);
    // The answer takes longer than what it grants may be used.
    answer(&mut scheduler, ms(1_100), &grant(&words.unwrap(), 1_000, 1));
    let (outputs, _) = listen(&mut scheduler);
    assert_eq!(sends(&outputs), 0, "{outputs:?}");
}

#[test]
fn an_exchange_that_failed_is_told_again() {
    let mut scheduler = scheduler();
    submit(&mut scheduler, ms(0), 1);
    let (_, words) = listen(&mut scheduler);
    answer(&mut scheduler, ms(1), &grant(&words.unwrap(), 1_000, 1_000));
    let (outputs, _) = listen(&mut scheduler);
    assert_eq!(sends(&outputs), 1);
    let headers = [
        ("x-ratelimit-bucket", &b"abc"[..]),
        ("x-ratelimit-limit", b"5"),
        ("x-ratelimit-remaining", b"4"),
        ("x-ratelimit-reset-after", b"5"),
    ];
    let limit = RateLimit::from_headers(headers);
    let response = Input::Response {
        id: RequestId(1),
        status: 200,
        limit,
        body: b"",
    };
    scheduler.handle_input(ms(40), response).unwrap();
    let told = |words: &serde_json::Value| {
        let items = words["items"].as_array().unwrap();
        let bucket = items.iter().find(|item| item["kind"] == "bucket");
        bucket.map(|bucket| bucket["seen"].clone())
    };
    scheduler.handle_timeout(ms(60));
    let (_, words) = listen(&mut scheduler);
    let first = told(&words.expect("what was learned is told")).expect("of the bucket");
    assert_eq!(first[0][0], 5);
    scheduler
        .handle_input(ms(70), Input::Exchanged { answer: None })
        .unwrap();
    scheduler.handle_timeout(ms(400));
    let (_, words) = listen(&mut scheduler);
    assert_eq!(told(&words.expect("once more")), Some(first));
}

#[test]
fn without_the_ledger_it_lives_on_its_share_and_no_longer_than_that_holds() {
    let mut scheduler = scheduler();
    submit(&mut scheduler, ms(0), 1);
    let (_, words) = listen(&mut scheduler);
    answer(&mut scheduler, ms(1), &grant(&words.unwrap(), 1_000, 1_000));
    let mut sent = Vec::new();
    let mut next = 2;
    for now in (1..600_000).step_by(50) {
        scheduler.handle_timeout(ms(now));
        let (outputs, words) = listen(&mut scheduler);
        for output in &outputs {
            let Output::Send { id, .. } = *output else {
                continue;
            };
            sent.push(now);
            // No bucket: only the global limit is shared from here on.
            let limit = RateLimit::default();
            let (status, body) = (200, &b""[..]);
            let response = Input::Response {
                id,
                status,
                limit,
                body,
            };
            scheduler.handle_input(ms(now + 10), response).unwrap();
        }
        if words.is_some() {
            scheduler
                .handle_input(ms(now + 20), Input::Exchanged { answer: None })
                .unwrap();
        }
        while scheduler.queued() < 60 {
            submit(&mut scheduler, ms(now + 20), next);
            next += 1;
        }
    }
    let alone: Vec<u64> = sent.iter().copied().filter(|&at| at > 1_001).collect();
    let first = *alone.first().expect("it goes on without the ledger");
    // Silent for 1.5 s, tokens of 1 s, 1 s on their way, a window of 1 s.
    assert!((4_500..5_000).contains(&first), "{first}");
    // Half of 50, for a window and the time that a request may be under way.
    let most = alone
        .iter()
        .map(|&at| {
            alone
                .iter()
                .filter(|&&other| other >= at && other < at + 2_000)
                .count()
        })
        .max();
    assert_eq!(most, Some(25));
    let last = *alone.last().unwrap();
    assert!((297_000..300_001).contains(&last), "{last}");
}

#[test]
fn nonsense_is_counted_and_changes_nothing() {
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let mut scheduler = scheduler();
        let mut now = 0;
        let mut open = Vec::new();
        for id in 0..60 {
            now += rng.below(400);
            submit(&mut scheduler, ms(now), id);
            scheduler.handle_timeout(ms(now));
            let (outputs, words) = listen(&mut scheduler);
            for output in outputs {
                if let Output::Send { id, .. } = output {
                    open.push(id);
                }
            }
            if let Some(words) = words {
                let mut text = grant(&words, now * 1_000, 3).into_bytes();
                match rng.below(6) {
                    0 => text.truncate(usize::try_from(rng.below(text.len() as u64)).unwrap()),
                    1 => {
                        for _ in 0..3 {
                            let at = usize::try_from(rng.below(text.len() as u64)).unwrap();
                            text[at] = u8::try_from(rng.below(256)).unwrap();
                        }
                    }
                    2 => text = br#"{"now":-9,"inc":"b","state":"join","closed":0,"revision":9,"peers":[],"notes":["r:9:1:1:0","-","s:9:z","1","h:1"],"items":[]}"#.to_vec(),
                    3 => text = br#"{"now":1,"inc":"b","state":"stay","closed":18446744073709551615,"revision":9,"peers":[],"notes":[],"items":[]}"#.to_vec(),
                    _ => {}
                }
                let input = Input::Exchanged {
                    answer: Some(&text),
                };
                scheduler.handle_input(ms(now + 1), input).unwrap();
            }
            if rng.below(2) == 0
                && let Some(id) = open.pop()
            {
                let failed = Input::Failed {
                    id,
                    failure: shardkeep_core::rest::Failure::Unanswered,
                };
                scheduler.handle_input(ms(now + 2), failed).unwrap();
            }
        }
        let pool = scheduler.pool().expect("it is in a pool");
        assert!(pool.stats.exchanges + pool.stats.failed > 0);
    }
}

#[test]
fn who_leaves_gives_back_what_it_holds_and_says_no_more() {
    let mut scheduler = scheduler();
    submit(&mut scheduler, ms(0), 1);
    let (_, words) = listen(&mut scheduler);
    answer(&mut scheduler, ms(1), &grant(&words.unwrap(), 1_000, 1_000));
    listen(&mut scheduler);
    scheduler.handle_input(ms(100), Input::LeavePool).unwrap();
    let (_, words) = listen(&mut scheduler);
    let words = words.expect("a goodbye");
    assert_eq!(words["bye"], true);
    answer(&mut scheduler, ms(101), &grant(&words, 100_000, 0));
    for now in (200..5_000).step_by(100) {
        scheduler.handle_timeout(ms(now));
        assert!(listen(&mut scheduler).1.is_none());
    }
    let later = scheduler.poll_timeout().map(|timeout| timeout.at);
    assert!(later.is_none_or(|at| at > ms(4_900)), "{later:?}");
}
