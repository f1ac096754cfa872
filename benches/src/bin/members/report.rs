//! Tables and pictures of what was found, and whether it is what was wanted.

use std::io::{Write as _, stdout};

use shardkeep_benches::document::{self, table};
use shardkeep_benches::lines::{self, Line, Panel};
use shardkeep_benches::plot::{self, Group, number};

use super::compare::{Full, Round};
use super::fill::Filled;
use super::flow::{BUDGET, Flowed, Sample};
use super::{Job, Outcome};

/// Bytes that a member may take, everything of its guild and its user included.
const BYTES_MAX: f64 = 200.0;

/// How much less than others Shardkeep is to take.
const LESS: [(&str, f64); 2] = [("twilight-cache-inmemory", 4.0), ("discord.js", 8.0)];

/// What memory may be of the budget.
const OVER_MAX: f64 = 1.05;

/// Places of a line in the picture.
const PLACES: usize = 200;

const MIB: f64 = 1_048_576.0;

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
const fn f64_of(count: u64) -> f64 {
    count as f64
}

impl Filled {
    /// Bytes for each member that there is.
    fn each(&self) -> f64 {
        f64_of(self.grown_kib) * 1_024.0 / f64_of(self.members.max(1))
    }
}

fn texts<const N: usize>(row: [&str; N]) -> Vec<String> {
    row.map(str::to_owned).to_vec()
}

const fn met(is_met: bool) -> &'static str {
    if is_met { "met" } else { "missed" }
}

fn each(round: &Round, what: &str) -> Option<f64> {
    let full = round.full.iter().find(|full| full.what == what)?;
    Some(full.filled.each())
}

/// What of the goals a round comes to.
fn judge(round: &Round) -> String {
    let Some(ours) = each(round, "Shardkeep") else {
        return String::new();
    };
    let mut lines = vec![format!(
        "* {}: at most {BYTES_MAX} bytes a member: {} ({}).",
        round.name,
        met(ours <= BYTES_MAX),
        number(ours)
    )];
    for (what, less) in LESS {
        let Some(theirs) = each(round, what) else {
            lines.push(format!("* {}: {what} was not measured.", round.name));
            continue;
        };
        let ratio = theirs / ours;
        let (name, met, ratio) = (round.name, met(ratio >= less), number(ratio));
        lines.push(format!(
            "* {name}: at least {less} times less than {what}: {met} ({ratio})."
        ));
    }
    lines.join("\n")
}

fn row(round: &Round, full: &Full) -> Vec<String> {
    let ours = each(round, "Shardkeep").unwrap_or(f64::NAN);
    let filled = &full.filled;
    let given_back = full.given_back.map(|filled| number(filled.each()));
    vec![
        format!("{}, {}", full.what, round.name),
        filled.members.to_string(),
        number(f64_of(filled.grown_kib) / 1_024.0),
        number(filled.each()),
        number(filled.each() / ours),
        given_back.unwrap_or_default(),
        number(f64_of(round.sizes.bytes) / 1e6 / filled.cpu_s),
    ]
}

pub(super) fn filled(rounds: &[Round], docs: bool) -> Outcome<()> {
    let mut rows = vec![texts([
        "cache",
        "members in it",
        "grown by MiB",
        "bytes a member",
        "Shardkeep = 1",
        "bytes a member, freed memory given back",
        "taken in, MB of JSON a second of CPU",
    ])];
    let (mut goals, mut groups, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
    for round in rounds {
        rows.extend(round.full.iter().map(|full| row(round, full)));
        goals.push(judge(round));
        let bars = round.full.iter();
        groups.push(Group {
            name: round.name.to_owned(),
            bars: bars
                .map(|full| (full.what.to_owned(), full.filled.each()))
                .collect(),
        });
        sizes.push(format!(
            "{}: {} members in {} guilds, {} MB of JSON.",
            round.name,
            round.sizes.members,
            round.sizes.guilds,
            number(f64_of(round.sizes.bytes) / 1e6)
        ));
    }
    let text = format!(
        "{}\n\n{}\n\n{}",
        sizes.join(" "),
        table(&rows),
        goals.join("\n")
    );
    writeln!(stdout(), "{text}\n")?;
    if docs {
        let title = "Memory for each member";
        let svg = plot::bars(title, "bytes, less is better", "Shardkeep", &groups);
        document::put("members", &text)?;
        document::picture("members.svg", &svg)?;
    }
    Ok(())
}

/// The most of something over all samples, in MiB.
fn most(flowed: &Flowed, of: impl Fn(&Sample) -> f64) -> f64 {
    flowed.samples.iter().map(of).fold(0.0, f64::max)
}

pub(super) fn flowed(job: &Job, all: &[(&str, Flowed)], docs: bool) -> Outcome<()> {
    let budget = BUDGET as f64 / MIB;
    let mut rows = vec![texts([
        "under the cache",
        "put, MiB",
        "JSON, MB",
        "written",
        "failed or dropped",
        "most in the hot set, MiB",
        "most own memory, MiB",
        "of the budget",
        "most resident, MiB",
        "in the store, MiB",
        "s",
    ])];
    let mut goals = Vec::new();
    for (what, flowed) in all {
        let (own, held) = (
            most(flowed, |at| at.own_mib),
            most(flowed, |at| at.held_mib),
        );
        rows.push(vec![
            (*what).to_owned(),
            number(flowed.put_bytes / MIB),
            number(f64_of(flowed.json_bytes) / 1e6),
            flowed.written.to_string(),
            flowed.failed.to_string(),
            number(held),
            number(own),
            format!("{:.2}", own / budget),
            number(most(flowed, |at| at.grown_mib)),
            number(f64_of(flowed.store_bytes) / MIB),
            number(flowed.samples.last().map_or(0.0, |at| at.seconds)),
        ]);
        let of = |mib: f64| {
            format!(
                "{} ({:.3} of it)",
                met(mib <= budget * OVER_MAX),
                mib / budget
            )
        };
        goals.push(format!(
            "* {what}: within 5 % of the budget: what the cache says that it holds: {}; the process's own memory: {}.",
            of(held),
            of(own)
        ));
    }
    let text = format!(
        "{} guilds with {} members in all, again and again, a budget of {budget} MiB.\n\n{}\n\n{}",
        job.sizes.guilds,
        job.sizes.members,
        table(&rows),
        goals.join("\n")
    );
    writeln!(stdout(), "{text}\n")?;
    if docs {
        let title = "Memory while ten times the budget flows through";
        let panels: Vec<Panel> = all
            .iter()
            .map(|(what, flowed)| panel(what, flowed))
            .collect();
        document::put("members_flow", &text)?;
        document::picture(
            "members_flow.svg",
            &lines::panels(title, ("s", "MiB"), &panels),
        )?;
    }
    Ok(())
}

fn panel(what: &str, flowed: &Flowed) -> Panel {
    let step = (flowed.samples.len() / PLACES).max(1);
    let line = |name: &str, is_bound: bool, of: &dyn Fn(&Sample) -> f64| Line {
        name: name.to_owned(),
        points: flowed
            .samples
            .iter()
            .step_by(step)
            .map(|sample| (sample.seconds, of(sample)))
            .collect(),
        is_bound,
    };
    Panel {
        name: what.replace('`', ""),
        lines: vec![
            line("resident", false, &|at| at.grown_mib),
            line("the process's own", false, &|at| at.own_mib),
            line("in the hot set", false, &|at| at.held_mib),
            line("budget", true, &|_| BUDGET as f64 / MIB),
        ],
    }
}
