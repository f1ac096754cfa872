//! A plan for people: its steps, folded where there are many of a kind, and what they cost.

use std::fmt::Write;

use shardkeep::core::fleet::plan::Span;
use shardkeep::core::fleet::{Facts, Plan};

use super::Limits;

/// So many steps of one kind in a row are shown in full; of more, the first two and the last.
const SHOWN: usize = 5;

/// The screen. Writing to a string cannot fail.
pub(super) fn of(plan: &Plan, facts: &Facts, limits: Limits) -> String {
    let mut out = format!("{} -> {}\n\n", plan.before(), plan.after());
    let mut number = 0;
    for run in plan.steps().chunk_by(|a, b| a.kind() == b.kind()) {
        let folded = if run.len() > SHOWN { run.len() - 3 } else { 0 };
        for (position, step) in run.iter().enumerate() {
            number += 1;
            if folded == 0 || position < 2 || position + 1 == run.len() {
                let _ = writeln!(out, "{number:>6}  {step}");
            } else if position == 2 {
                let _ = writeln!(out, "   ...  {folded} more like these");
            }
        }
    }
    if plan.steps_left() > 0 {
        let _ = writeln!(
            out,
            "   ...  {} more, left for another day",
            plan.steps_left()
        );
    }
    out.push('\n');
    figures(&mut out, plan, facts, limits);
    out
}

fn figures(out: &mut String, plan: &Plan, facts: &Facts, limits: Limits) {
    let estimate = plan.estimate();
    let spendable = facts.spendable();
    let mut row = |name: &str, text: String| {
        let _ = writeln!(out, "{name:<12}{text}");
    };
    row(
        "identifies",
        format!(
            "{} of {spendable} that may be spent until the day ends in {}; {} are left",
            estimate.identifies,
            Span(estimate.resets_in),
            estimate.budget_left
        ),
    );
    let keys = facts.limit.max_concurrency.max(1);
    row(
        "time",
        format!(
            "{}: {keys} {} every {} ms, {} of overlap in each step",
            Span(estimate.duration),
            if keys == 1 { "identify" } else { "identifies" },
            5_000 + facts.margin.as_millis(),
            Span(facts.overlap)
        ),
    );
    row(
        "sessions",
        format!(
            "{} now, {} at most at once ({}), {} afterwards",
            estimate.sessions_before,
            estimate.peak_sessions,
            times(estimate.peak_sessions_per_mille),
            estimate.sessions_after
        ),
    );
    row(
        "memory",
        format!(
            "guilds are held {} at most: those of one step twice",
            times(estimate.peak_guilds_per_mille)
        ),
    );
    if let Some(guilds) = estimate.guilds_per_shard {
        row(
            "guilds",
            format!("about {guilds} on each of the largest new shards"),
        );
    }
    if let Some(milli) = estimate.shared_with_milli {
        let (whole, rest) = (milli / 1_000, milli % 1_000);
        row(
            "guilds",
            format!("{whole}.{rest:03} others are to be expected on the overlay"),
        );
    }
    let from = match limits {
        Limits::Asked => "as Discord says now",
        Limits::Given => "as given",
        Limits::Assumed => "assumed; set DISCORD_TOKEN to ask Discord, or give --remaining",
    };
    row("limits", from.to_owned());
}

/// `1.063 x`, of a number for each thousand.
fn times(per_mille: u32) -> String {
    format!("{}.{:03} x", per_mille / 1_000, per_mille % 1_000)
}
