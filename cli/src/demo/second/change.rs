//! A bot gets twice as many shards while people write.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shardkeep::bot::ReshardReport;
use shardkeep::config::Config;
use shardkeep::core::fleet::reshard::Outcome;
use shardkeep::{Bot, ReshardError, Resharding, Topic, clock};
use shardkeep_sim::{Control, DEFAULT_TOKEN, digest};
use tokio::task::JoinHandle;

use super::{AFTER, BEFORE, COMPARED, GUILDS, counter, sent, serve};
use crate::demo::screen::Screen;
use crate::failure::Failure;

/// How long the change may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long the traffic is shown before, and what is under way has to arrive after.
const PAUSE: Duration = Duration::from_millis(1_500);

/// How the change ended, and what the bot was handed.
pub(super) struct Changed {
    report: Arc<ReshardReport>,
    messages: usize,
    lost: usize,
    twice: usize,
    /// Messages that Discord sent on an old and a new session.
    doubled: usize,
    identifies: u64,
    violations: u64,
}

pub(super) async fn tell(screen: &Screen, seed: u64, rate: u32) -> Result<Changed, Failure> {
    let server = serve(seed, rate).await?;
    let config = Config::builder()
        .token(DEFAULT_TOKEN)
        .api_base(&server.api_base())
        .set("shards", BEFORE)
        .set("intents", "all")
        .build()?;
    let bot = Bot::new(config)?;
    let start = clock::now();
    let say = |line: &str| {
        let at = clock::now().since(start).as_secs_f64();
        screen.say(&format!("{at:5.1} s  {line}"));
    };
    screen.say("");
    say(&format!(
        "another bot: {BEFORE} shards, {GUILDS} guilds, {rate} events a second"
    ));
    let listening = listen(&bot);
    bot.ready().await?;
    tokio::time::sleep(PAUSE).await;
    let refused = |error: ReshardError| Failure::Failed(error.to_string());
    let change = bot.reshard_to(AFTER).await.map_err(refused)?;
    say(&format!("it is to have {AFTER} shards: {}", change.plan()));
    let report = tokio::time::timeout(PATIENCE, watch(change, &say))
        .await
        .map_err(|_| Failure::Failed("the change of shards takes too long".to_owned()))?
        .map_err(refused)?;
    say(&format!(
        "{} in {:.1} s, {} identifies; {} events came twice and were handed on once",
        report.outcome,
        report.duration.as_secs_f64(),
        report.identifies,
        report.totals.suppressed
    ));
    server.control(Control::Calm).await;
    tokio::time::sleep(PAUSE).await;
    bot.shutdown(true).await;
    let handed = listening
        .await
        .map_err(|error| Failure::Failed(error.to_string()))?;

    let mut sessions: BTreeMap<u64, usize> = BTreeMap::new();
    for (_, message) in sent(&server).await? {
        *sessions.entry(message.digest).or_default() += 1;
    }
    let changed = Changed {
        report,
        messages: sessions.len(),
        lost: sessions
            .keys()
            .filter(|digest| !handed.contains_key(digest))
            .count(),
        twice: handed.values().filter(|times| **times > 1).count(),
        doubled: sessions.values().filter(|times| **times > 1).count(),
        identifies: counter(&server, "identifies").await?,
        violations: counter(&server, "violations").await?,
    };
    server.shutdown().await;
    Ok(changed)
}

/// Tells the steps as they happen.
async fn watch(
    mut change: Resharding,
    say: &impl Fn(&str),
) -> Result<Arc<ReshardReport>, ReshardError> {
    let mut last = String::new();
    while change.changed().await {
        let status = change.status();
        let now = format!("{} ({})", status.step, status.stage);
        if now != last && !status.step.is_empty() {
            say(&now);
        }
        last = now;
    }
    change.finished().await
}

/// How often each message was handed to the bot.
fn listen(bot: &Bot) -> JoinHandle<BTreeMap<u64, usize>> {
    let bot = bot.clone();
    tokio::spawn(async move {
        let mut handed = BTreeMap::new();
        while let Some(batch) = bot.next_batch(1_024).await {
            for entry in &batch {
                if entry.topic == Topic::Dispatch && entry.name == COMPARED {
                    *handed.entry(digest(entry.data)).or_default() += 1;
                }
            }
        }
        handed
    })
}

impl Changed {
    pub(super) fn table(&self) -> String {
        let totals = &self.report.totals;
        let rows = [
            (
                "messages",
                self.messages as u64,
                "sent on two shards",
                self.doubled as u64,
            ),
            (
                "lost",
                self.lost as u64,
                "handed on twice",
                self.twice as u64,
            ),
            (
                "identified",
                self.identifies,
                "rules broken",
                self.violations,
            ),
            (
                "ledger: handed on",
                totals.dispatched,
                "suppressed",
                totals.suppressed,
            ),
            (
                "held back",
                totals.held_back,
                "joins that were none",
                totals.overlap,
            ),
            (
                "possibly lost",
                totals.possibly_lost,
                "possibly doubled",
                totals.possibly_duplicated,
            ),
        ];
        super::super::report::rows(
            &format!(
                "  {BEFORE} shards became {} while events flowed",
                self.report.serving
            ),
            &rows,
        )
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "serving": self.report.serving,
            "messages": self.messages,
            "lost": self.lost,
            "twice": self.twice,
            "doubled": self.doubled,
            "identified": self.identifies,
            "violations": self.violations,
            "ledger": self.report.totals,
            "seconds": self.report.duration.as_secs_f64(),
        })
    }

    pub(super) fn wrong(&self) -> Vec<String> {
        let wrong = [
            (
                self.report.outcome != Outcome::Done,
                "the change of shards did not end as planned",
            ),
            (self.lost > 0, "messages were lost in the change of shards"),
            (
                self.twice > 0,
                "messages were handed on twice in the change of shards",
            ),
            (
                self.doubled == 0,
                "no message came on two shards, so nothing was shown",
            ),
            (
                self.report.totals.possibly_lost > 0,
                "the ledger says that events may be lost",
            ),
            (
                self.identifies != u64::from(BEFORE + AFTER),
                "the plan said other identifies",
            ),
            (
                self.violations > 0,
                "Discord's rules were broken in the change of shards",
            ),
        ];
        let wrong = wrong.into_iter().filter(|(is, _)| *is);
        wrong.map(|(_, what)| what.to_owned()).collect()
    }
}
