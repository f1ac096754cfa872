//! Medians over the rounds, each beside that of the same store when it is well.

use shardkeep_benches::document::table;
use shardkeep_benches::plot::number;

use super::case::Measured;

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn micros(ns: u64) -> String {
    number(ns as f64 / 1_000.0)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn ratio(of: u64, to: u64) -> String {
    format!("{:.2}", of as f64 / to.max(1) as f64)
}

pub(crate) fn report(all: &[Measured], seconds: u64) -> String {
    let mut names: Vec<&str> = Vec::new();
    for measured in all {
        if !names.contains(&measured.name.as_str()) {
            names.push(&measured.name);
        }
    }
    let median_of = |name: &str, field: fn(&Measured) -> u64| {
        let some = all.iter().filter(|measured| measured.name == name);
        median(some.map(field).collect())
    };
    let head = [
        "the store",
        "p50, us",
        "p99, us",
        "p99.9, us",
        "at most, us",
        "p99, well = 1",
        "p99.9, well = 1",
        "writes made",
        "written",
        "coalesced",
        "dropped",
        "open at the end",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for name in names {
        let well = name.split_once(',').map_or(name, |(store, _)| store);
        let (p99, p999) = (
            median_of(name, |one| one.p99_ns),
            median_of(name, |one| one.p999_ns),
        );
        let counts = [
            median_of(name, |one| one.made),
            median_of(name, |one| one.written),
            median_of(name, |one| one.coalesced),
            median_of(name, |one| one.dropped),
            median_of(name, |one| one.open),
        ];
        let mut row = vec![
            name.to_owned(),
            micros(median_of(name, |one| one.p50_ns)),
            micros(p99),
            micros(p999),
            micros(median_of(name, |one| one.max_ns)),
            ratio(p99, median_of(well, |one| one.p99_ns)),
            ratio(p999, median_of(well, |one| one.p999_ns)),
        ];
        row.extend(counts.map(|count| count.to_string()));
        rows.push(row);
    }
    let dispatches = all.first().map_or(0, |one| one.dispatches);
    let rounds = all.iter().filter(|one| one.name == "no store").count();
    format!(
        "{dispatches} dispatches in {seconds} s, medians of {rounds} rounds.\n\n{}",
        table(&rows)
    )
}
