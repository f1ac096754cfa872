//! `/metrics`: the numbers as Prometheus reads them. Names and labels are stable.

use std::fmt::{self, Error};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, EncodeLabelSet, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::observed::{Numbers, ShardNumbers};

/// The content type of what [`text`] returns.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The numbers in OpenMetrics text.
///
/// Labels are kinds of dispatch, causes of disconnects and shards, all of them bounded: nothing that a user of the bot
/// does can make them grow.
pub(super) fn text(numbers: Numbers) -> Result<String, Error> {
    let mut registry = Registry::with_prefix("shardkeep");
    registry.register_collector(Box::new(Snapshot(numbers)));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

/// The numbers of one request, as a collector that reads them once.
#[derive(Debug)]
struct Snapshot(Numbers);

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut page = Page(encoder);
        page.shards(&self.0)?;
        page.events(&self.0)?;
        page.sessions(&self.0)?;
        page.queue(&self.0)?;
        let rest = self.0.rest.as_ref();
        rest.map_or(Ok(()), |rest| rest.encode(&mut page))?;
        let cache = self.0.cache.as_ref();
        cache.map_or(Ok(()), |cache| cache.encode(&mut page))?;
        let stored = self.0.stored_sessions.as_ref();
        stored.map_or(Ok(()), |stored| stored.encode(&mut page))
    }
}

pub(crate) struct Page<'a>(pub(crate) DescriptorEncoder<'a>);

impl Page<'_> {
    fn shards(&mut self, from: &Numbers) -> Result<(), Error> {
        let labels = |shard: &ShardNumbers| {
            [
                ("shard", shard.shard.index().to_string()),
                ("total", shard.shard.total().to_string()),
            ]
        };
        let up = |shard: &ShardNumbers| (labels(shard), i64::from(shard.established));
        let guilds = |shard: &ShardNumbers| (labels(shard), i64::from(shard.guilds));
        let latency = |shard: &ShardNumbers| Some((labels(shard), shard.latency?.as_secs_f64()));
        self.gauge(
            "shards",
            "Shards that this process runs.",
            from.shards_expected.map(u64::from),
        )?;
        self.gauges(
            "shard_up",
            "1 while the shard's session is established.",
            None,
            from.shards.iter().map(up),
        )?;
        self.gauges(
            "shard_guilds",
            "Guilds that the shard carries.",
            None,
            from.shards.iter().map(guilds),
        )?;
        self.gauges(
            "gateway_latency",
            "From the last acknowledged heartbeat to its acknowledgement.",
            Some(&Unit::Seconds),
            from.shards.iter().filter_map(latency),
        )
    }

    fn events(&mut self, from: &Numbers) -> Result<(), Error> {
        let kinds = from
            .events
            .iter()
            .map(|(kind, count)| ([("kind", kind.to_string())], *count));
        self.counters("events", "Dispatches received, by kind.", kinds)?;
        self.counter("events_delivered", "Dispatches handed on.", from.delivered)?;
        self.counter(
            "events_filtered",
            "Dispatches that the filter held back.",
            from.filtered,
        )?;
        self.counter(
            "events_replayed",
            "Dispatches that a resume brought after a disconnect.",
            from.replayed,
        )?;
        self.counter(
            "events_duplicates",
            "Dispatches replayed a second time, and dropped.",
            from.duplicates,
        )?;
        self.counter(
            "events_missed",
            "Dispatches that were skipped, or lost with a session.",
            from.missed,
        )?;
        self.counter(
            "received_bytes",
            "Bytes of messages received, before inflating.",
            from.bytes_received,
        )
    }

    fn sessions(&mut self, from: &Numbers) -> Result<(), Error> {
        let left = from.identify_remaining.map(u64::from);
        self.gauge(
            "identify_remaining",
            "Identifies left of the day's allowance.",
            left,
        )?;
        self.counter("identifies", "Identifies sent.", from.identifies)?;
        self.counter("resumes", "Sessions continued by RESUMED.", from.resumed)?;
        self.counter("sessions_lost", "Sessions given up.", from.sessions_lost)?;
        let causes = from
            .reconnects
            .iter()
            .map(|(cause, count)| ([("cause", snake(*cause))], *count));
        self.counters("reconnects", "Connections that ended, by cause.", causes)?;
        self.counter(
            "commands_sent",
            "Commands sent to Discord.",
            from.commands_sent,
        )?;
        self.counter(
            "commands_refused",
            "Commands refused before they were sent.",
            from.commands_refused,
        )
    }

    fn queue(&mut self, from: &Numbers) -> Result<(), Error> {
        let queue = &from.queue;
        self.gauge(
            "queue_events",
            "Events that wait for the user.",
            Some(queue.events),
        )?;
        self.gauge(
            "queue_bytes",
            "Bytes of events that wait for the user.",
            Some(queue.bytes),
        )?;
        self.gauge(
            "queue_events_peak",
            "The most events that ever waited.",
            Some(queue.events_peak),
        )?;
        self.counter(
            "queue_accepted",
            "Events put into the queue.",
            queue.accepted,
        )?;
        self.counter("queue_taken", "Events taken out of the queue.", queue.taken)?;
        self.counter(
            "queue_full",
            "Times the queue was full, so that shards stopped reading.",
            queue.full_times,
        )
    }

    pub(crate) fn counter(&mut self, name: &str, help: &str, value: u64) -> Result<(), Error> {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, u64, u64>(&value, None)
    }

    /// A number that is not known yet is left out.
    pub(crate) fn gauge(
        &mut self,
        name: &str,
        help: &str,
        value: Option<u64>,
    ) -> Result<(), Error> {
        let Some(value) = value else { return Ok(()) };
        self.0
            .encode_descriptor(name, help, None, MetricType::Gauge)?
            .encode_gauge(&value)
    }

    pub(crate) fn counters<L: EncodeLabelSet, V: EncodeCounterValue>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (L, V)>,
    ) -> Result<(), Error> {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in series {
            metric
                .encode_family(&labels)?
                .encode_counter::<NoLabelSet, V, u64>(&value, None)?;
        }
        Ok(())
    }

    pub(crate) fn gauges<L: EncodeLabelSet, V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        series: impl IntoIterator<Item = (L, V)>,
    ) -> Result<(), Error> {
        let mut metric = self
            .0
            .encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for (labels, value) in series {
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }
}

/// `ReconnectRequested` as `reconnect_requested`.
pub(crate) fn snake(name: impl fmt::Debug) -> String {
    let mut text = String::new();
    for c in format!("{name:?}").chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}
