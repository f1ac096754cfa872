//! The fleet for people.

use std::fmt::Write;

use serde_json::Value;
use shardkeep::core::fleet::lease::{MemberView, View};
use shardkeep::core::fleet::plan::Span;
use shardkeep::core::fleet::reshard::across::Course;
use shardkeep::core::fleet::{Shards, Topology};

/// The screen. Writing to a string cannot fail.
pub(super) fn of(view: &View) -> String {
    let mut out = String::new();
    if view.topology.is_empty() {
        out.push_str("nobody has said yet which shards there are\n");
    } else {
        let _ = writeln!(out, "shards {}, revision {}", view.topology, view.revision);
    }
    if let Some(course) = view.course.as_deref().and_then(Course::read) {
        change(&mut out, &course);
    }
    if view.opens_in_ms > 0 {
        let _ = writeln!(
            out,
            "the register is new: it gives shards out in {} ms, so that whoever held some before can say so",
            view.opens_in_ms
        );
    }
    out.push('\n');
    members(&mut out, view);
    let missing = missing(view);
    if !missing.is_empty() {
        let _ = writeln!(out, "\nnobody runs {missing}");
    }
    if let Some(account) = view.account {
        let _ = writeln!(
            out,
            "\nidentifies  {} of {} left until the day ends in {}; {} at once",
            account.remaining,
            account.total,
            Span(std::time::Duration::from_millis(account.resets_in_ms)),
            account.max_concurrency
        );
    }
    out
}

/// The change of shards that is under way, or was the last.
fn change(out: &mut String, course: &Course) {
    let _ = match (&course.ended, &course.step) {
        (Some(ended), _) => writeln!(
            out,
            "the last change, from {}: {}; {} identifies, {} possibly lost",
            course.from,
            ended.outcome,
            ended.identifies,
            ended.account.old.possibly_lost + ended.account.new.possibly_lost
        ),
        (None, Some(step)) => writeln!(
            out,
            "changing from {}: {} of {} steps taken, {}: {step}",
            course.from,
            course.taken,
            course.steps,
            course.stage.name()
        ),
        (None, None) => writeln!(
            out,
            "changing from {}: {} of {} steps taken",
            course.from, course.taken, course.steps
        ),
    };
}

fn members(out: &mut String, view: &View) {
    if view.members.is_empty() {
        out.push_str("no process is there\n");
        return;
    }
    let name = |member: &MemberView| member.name.chars().count();
    let width = view
        .members
        .iter()
        .map(name)
        .max()
        .unwrap_or(0)
        .max("process".len());
    let _ = writeln!(
        out,
        "{:width$}  shards  ready  guilds  capacity  seen      ",
        "process"
    );
    for member in &view.members {
        let said: Value = serde_json::from_str(&member.status).unwrap_or_default();
        let number = |key: &str| {
            said[key]
                .as_u64()
                .map_or_else(|| "?".to_owned(), |n| n.to_string())
        };
        let mut remarks = Vec::new();
        if member.is_standby {
            remarks.push("standby");
        }
        if member.is_leaving {
            remarks.push("leaving");
        }
        if !member.label.is_empty() {
            remarks.push(&member.label);
        }
        let line = format!(
            "{:width$}  {:>6}  {:>5}  {:>6}  {:>8}  {:>6} ms  {}",
            member.name,
            member.shards,
            number("ready"),
            number("guilds"),
            member.capacity,
            member.seen_ms,
            remarks.join(", ")
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// Shards of the topology without a lease, as `shards` writes them.
fn missing(view: &View) -> String {
    let Ok(Shards::Fixed(topology)) = view.topology.parse() else {
        return String::new();
    };
    let held = |shard| view.leases.iter().any(|lease| lease.shard == shard);
    let missing = topology
        .shards()
        .iter()
        .copied()
        .filter(|&shard| !held(shard));
    Topology::new(missing).map_or_else(|_| String::new(), |missing| missing.to_string())
}
