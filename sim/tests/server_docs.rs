//! The guide names every route, every field, every fault and every target that there is.

#![cfg(feature = "server")]

mod common_server;

use common_server::{http, server, world};

const GUIDE: &str = include_str!("../../docs/simulator.md");

/// What stands between backticks in an error message of serde: the names that it would have taken.
fn names(error: &str) -> Vec<&str> {
    let expected = error
        .split("expected one of ")
        .nth(1)
        .expect("a list of names");
    expected.split('`').skip(1).step_by(2).collect()
}

#[tokio::test]
async fn every_route_and_field_is_described() {
    let server = server(world()).await;
    let (_, answer) = http(&server, "GET", "/sim", "").await;
    for route in answer["routes"].as_array().unwrap() {
        let (method, path) = (
            route["method"].as_str().unwrap(),
            route["path"].as_str().unwrap(),
        );
        assert!(
            GUIDE.contains(&format!("{method} {path}")),
            "{method} {path}"
        );
        for field in route["fields"].as_array().unwrap() {
            let field = field.as_str().unwrap();
            let plain = field.trim_end_matches('?');
            let told = GUIDE.contains(&format!("`{field}`"))
                || GUIDE.contains(&format!("`{plain}`"))
                || GUIDE.contains(&format!("{plain}=ID"))
                || field.contains(' ');
            assert!(told, "{path} {field}");
        }
    }
}

#[tokio::test]
async fn every_fault_and_target_is_described() {
    let server = server(world()).await;
    let wish = r#"{"target":"all","fault":{"kind":"?"}}"#;
    let (_, answer) = http(&server, "POST", "/sim/faults", wish).await;
    for fault in names(answer["error"].as_str().unwrap()) {
        assert!(
            GUIDE.contains(&format!(r#"{{"kind": "{fault}""#)),
            "{fault}"
        );
    }
    let wish = r#"{"target":"?","fault":{"kind":"drop"}}"#;
    let (_, answer) = http(&server, "POST", "/sim/faults", wish).await;
    for target in names(answer["error"].as_str().unwrap()) {
        assert!(GUIDE.contains(&format!("\"{target}\"")), "{target}");
    }
}

#[tokio::test]
async fn every_fault_in_the_guide_is_taken() {
    let server = server(world()).await;
    let faults: Vec<&str> = GUIDE
        .lines()
        .filter_map(|line| line.strip_prefix("| `{\"kind\"")?.split('`').next())
        .collect();
    assert_eq!(faults.len(), 19);
    for fault in faults {
        let wish = format!(r#"{{"target":"any","fault":{{"kind"{fault}}}"#);
        let (status, answer) = http(&server, "POST", "/sim/faults", &wish).await;
        assert_eq!(status, 200, "{wish}: {answer}");
    }
}
