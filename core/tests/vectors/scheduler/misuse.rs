//! Calls that break the interface: each is refused, and changes nothing.

use super::super::model::{Rec, Vector};
use super::{BOT, Scene, VIA, scene};

const GET: &str = "GET /channels/1";

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = numbers();
    vectors.extend(routes());
    vectors.extend(options());
    vectors.extend(codes());
    vectors
}

fn numbers() -> Vec<Vector> {
    let twice = scene(
        "number_in_use_is_refused",
        "interface: numbers are unique among the requests that are not finished",
    )
    .ask(1, GET)
    .ask(1, "GET /channels/2")
    .returns("duplicate_request")
    .gives(&[])
    .ok(1, VIA)
    .gives(&["deliver id=1"])
    .ask(1, "GET /channels/2")
    .returns("ok")
    .gives(&["send id=1"])
    .end();
    let unknown = scene(
        "unknown_number_is_refused",
        "interface: there is no such request, or it is finished",
    )
    .ok(1, VIA)
    .returns("unknown_request")
    .not_sent(1)
    .returns("unknown_request")
    .cancel(1)
    .returns("unknown_request")
    .ask(1, GET)
    .ok(1, VIA)
    .gives(&["deliver id=1"])
    .ok(1, VIA)
    .returns("unknown_request")
    .counts(&[("answered", 1)])
    .end();
    let waiting = scene(
        "answer_to_a_waiting_request_is_refused",
        "interface: only what is in flight can be answered or fail",
    )
    .ask(1, GET)
    .ask(2, GET)
    .ok(2, VIA)
    .returns("not_in_flight")
    .unanswered(2)
    .returns("not_in_flight")
    .ok(1, VIA)
    .gives(&["deliver id=1", "send id=2"])
    .end();
    let cancelled = scene(
        "cancelled_request_cannot_be_cancelled_again",
        "interface: its caller has heard of its end",
    )
    .ask(1, GET)
    .cancel(1)
    .gives(&["refuse code=4 id=1"])
    .cancel(1)
    .returns("unknown_request")
    .ask(1, GET)
    .returns("duplicate_request")
    .ok(1, VIA)
    .gives(&[])
    .end();
    let large = scene(
        "number_of_2_to_the_53_is_refused",
        "records: a request's number is exact in a JavaScript number",
    )
    .ask(1 << 53, GET)
    .returns("bad_request_id")
    .ask((1 << 53) - 1, GET)
    .gives(&["send id=9007199254740991"])
    .end();
    vec![twice, unknown, waiting, cancelled, large]
}

fn refused(name: &str, rule: &str, status: &str, calls: &[(&str, &str)]) -> Vector {
    let start = scene(name, rule);
    let refuse = |scene: Scene, (route, options): &(&str, &str)| {
        scene.ask_with(1, route, options).returns(status).gives(&[])
    };
    let scene = calls.iter().fold(start, refuse);
    scene.counts(&[("submitted", 0), ("queued", 0)]).end()
}

fn routes() -> Vec<Vector> {
    let rule = "interface: a request names a method and a path that begins with a slash";
    vec![refused(
        "bad_route_is_refused",
        rule,
        "bad_route",
        &[
            ("", ""),
            ("GET", ""),
            ("FETCH /channels/1", ""),
            ("GET channels/1", ""),
            ("GET /", ""),
            ("GET /channels/{channel_id}", ""),
            ("GET /channels/../guilds/1", ""),
            ("GET /channels/1 2", ""),
        ],
    )]
}

fn options() -> Vec<Vector> {
    let bad = refused(
        "bad_option_is_refused",
        "interface: an option that there is not, or a value that it cannot have",
        "bad_option",
        &[
            (GET, "priority"),
            (GET, "priority: high"),
            (GET, "Priority: normal"),
            (GET, "guild: abc"),
            (GET, "class: 256"),
            (GET, "sharing: all"),
            (GET, "repeatable: yes"),
            (GET, "deadline: 5"),
        ],
    );
    let all = scene(
        "options_are_lines",
        "records: every option of a request",
    )
    .ask_with(
        1,
        GET,
        "priority: background\nguild: 81384788765712384\nclass: 255\nsharing: last_wins\nrepeatable: true\n",
    )
    .gives(&["send id=1"])
    .end();
    vec![bad, all]
}

fn codes() -> Vec<Vector> {
    let codes = scene(
        "code_out_of_its_range_is_refused",
        "records: a status has 16 bits, a failure is one of two",
    )
    .ask(1, GET)
    .answer(1, 65_736, VIA, "")
    .returns("bad_code")
    .failed(1, 0)
    .returns("bad_code")
    .failed(1, 3)
    .returns("bad_code")
    .ok(1, VIA)
    .gives(&["deliver id=1"])
    .end();
    let kinds = scene(
        "unknown_kind_is_refused",
        "records: a number that no input has",
    )
    .feed(Rec {
        code: BOT,
        ..Rec::new("no_such_kind")
    })
    .returns("unknown_kind")
    .gives(&[])
    .end();
    vec![codes, kinds]
}
