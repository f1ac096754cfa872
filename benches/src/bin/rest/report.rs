//! Tables and pictures of what was found.

use std::io::{Write as _, stdout};
use std::time::Duration;

use shardkeep_benches::document::{self, table};
use shardkeep_benches::plot::{self, Group, number};

use super::compare::Found;
use super::sim::Judged;
use super::{Job, Outcome, Run};

impl Found {
    /// The median over its runs.
    fn median(&self, value: impl Fn(&Run, &Judged) -> f64) -> f64 {
        let values = self.runs.iter().map(|(run, judged)| value(run, judged));
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn failures(&self) -> usize {
        self.runs.iter().map(|(run, _)| run.failures).sum()
    }

    /// The classes of the run with most refusals.
    fn classes(&self) -> String {
        let worst = self.runs.iter().max_by_key(|(_, judged)| judged.all);
        let classes = worst.into_iter().flat_map(|(_, judged)| &judged.classes);
        let names: Vec<String> = classes
            .map(|(class, count)| format!("{class} {count}"))
            .collect();
        names.join(", ")
    }
}

fn texts<const N: usize>(row: [&str; N]) -> Vec<String> {
    row.map(str::to_owned).to_vec()
}

fn medians(rounds: usize) -> String {
    match rounds {
        1 => "one run each".to_owned(),
        rounds => format!("medians of {rounds} interleaved runs"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(super) fn crowd(
    job: &Job,
    bound: Duration,
    rounds: usize,
    found: &[Found],
    docs: bool,
) -> Outcome<()> {
    let requests = job.requests.len();
    let mut rows = vec![texts([
        "client",
        "makespan s",
        "over the bound",
        "429s",
        "its fault",
        "failed in all",
        "CPU us/request",
    ])];
    let mut bars = vec![("no client can be faster".to_owned(), bound.as_secs_f64())];
    let mut classes = Vec::new();
    for one in found {
        let makespan = one.median(|run, _| run.makespan_s);
        let cpu_us = one.median(|run, _| run.cpu_s * 1e6) / requests as f64;
        rows.push(vec![
            one.what.to_owned(),
            format!("{makespan:.2}"),
            format!("{:.2}", makespan / bound.as_secs_f64()),
            format!("{:.0}", one.median(|_, judged| judged.all as f64)),
            format!("{:.0}", one.median(|_, judged| judged.faults as f64)),
            one.failures().to_string(),
            number(cpu_us),
        ]);
        bars.push((one.what.to_owned(), makespan));
        let its = one.classes();
        if !its.is_empty() {
            classes.push(format!("{}: {its}", one.what));
        }
    }
    let mut text = format!(
        "{requests} requests at once, {} a second allowed, bound {:.2} s, {}.\n\n{}",
        job.global_limit,
        bound.as_secs_f64(),
        medians(rounds),
        table(&rows)
    );
    if !classes.is_empty() {
        text += &format!("\n\n429s by class:\n\n* {}", classes.join("\n* "));
    }
    writeln!(stdout(), "{text}\n")?;
    if docs {
        let groups = [Group {
            name: format!("{requests} requests at once"),
            bars,
        }];
        let svg = plot::bars("Makespan", "s, less is better", "Shardkeep", &groups);
        document::put("rest_crowd", &text)?;
        document::picture("rest_crowd.svg", &svg)?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(super) fn unlimited(job: &Job, rounds: usize, found: &[Found], docs: bool) -> Outcome<()> {
    let requests = job.requests.len() - job.warm_up;
    let mut rows = vec![texts([
        "client",
        "requests a second",
        "CPU us/request",
        "failed in all",
    ])];
    let mut bars = Vec::new();
    for one in found {
        let rate = one.median(|run, _| requests as f64 / run.makespan_s);
        let cpu_us = one.median(|run, _| run.cpu_s * 1e6) / requests as f64;
        rows.push(vec![
            one.what.to_owned(),
            format!("{rate:.0}"),
            number(cpu_us),
            one.failures().to_string(),
        ]);
        bars.push((one.what.to_owned(), cpu_us));
    }
    let text = format!(
        "{requests} GETs, {} at a time, no limit, {}.\n\n{}",
        job.in_flight,
        medians(rounds),
        table(&rows)
    );
    writeln!(stdout(), "{text}")?;
    if docs {
        let groups = [Group {
            name: format!("{requests} GETs without limits"),
            bars,
        }];
        let title = "Processor time for each REST request";
        let svg = plot::bars(title, "us, less is better", "Shardkeep", &groups);
        document::put("rest_unlimited", &text)?;
        document::picture("rest_unlimited.svg", &svg)?;
    }
    Ok(())
}
