//! Every option: name, type, default, what it does. Files, environment, builders and documentation all read this table.

use super::option::{ConfigOption, Kind};

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

pub(super) const fn option(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    doc: &'static str,
) -> ConfigOption {
    ConfigOption {
        name,
        kind,
        default,
        variable: None,
        doc,
    }
}

const fn with_variable(variable: &'static str, option: ConfigOption) -> ConfigOption {
    ConfigOption {
        variable: Some(variable),
        ..option
    }
}

pub(super) const fn integer(min: u64, max: u64) -> Kind {
    Kind::Integer { min, max }
}

/// The ways the gateway compresses, the short names beside Discord's own.
const COMPRESSIONS: Kind = Kind::Choice(&[
    "none",
    "payload",
    "zlib",
    "zstd",
    "zlib-stream",
    "zstd-stream",
]);

/// The options of a bot and its sessions, by section.
pub(super) const BOT: &[ConfigOption] = &[
    with_variable(
        "DISCORD_TOKEN",
        option(
            "token",
            Kind::Secret,
            "",
            "The bot's token, with or without `Bot ` before it. It is never logged.",
        ),
    ),
    with_variable(
        "DISCORD_API_BASE",
        option(
            "api_base",
            Kind::BaseUrl,
            "\"https://discord.com/api/v10\"",
            "Where Discord's REST API is. An address without path gets `/api/v10`. Only one that is not Discord's own \
             may use plain `http://`, and only then may the gateway use `ws://`.",
        ),
    ),
    option(
        "shards",
        Kind::Shards,
        "\"auto\"",
        "Which shards this process runs: `auto` (all of as many as Discord recommends), a count, ranges, or pairs.",
    ),
    with_variable(
        "SHARD_ID",
        option(
            "shard_id",
            Kind::ShardIndex,
            "",
            "The one shard this process runs, of `total_shards`; a pod name such as `bot-3` counts as its ordinal.",
        ),
    ),
    with_variable(
        "TOTAL_SHARDS",
        option(
            "total_shards",
            Kind::Shards,
            "",
            "How many shards there are: a count or `auto`. Without `shard_id`, this process runs them all.",
        ),
    ),
    option(
        "shards_per_pod",
        integer(1, 65_535),
        "1",
        "With `shard_id`: how many shards each pod runs, from `shards_per_pod * shard_id` on.",
    ),
    option(
        "intents",
        Kind::Intents,
        "[\"non_privileged\"]",
        "Which events Discord sends: names, `all`, `non_privileged`, or the bits as a number.",
    ),
    option(
        "compress",
        COMPRESSIONS,
        "\"zlib\"",
        "How Discord compresses events. zlib-stream needs least memory, zstd-stream least CPU.",
    ),
    option(
        "events",
        Kind::Events,
        "",
        "Hand on these events only. What is left out costs an envelope scan and nothing else. Default: all.",
    ),
    option(
        "disabled_events",
        Kind::Events,
        "[]",
        "Events that are not handed on.",
    ),
    option(
        "handler_concurrency",
        integer(1, 65_536),
        "64",
        "How many handlers may run at once. Events of one shard start in order.",
    ),
    option(
        "large_threshold",
        integer(50, 250),
        "50",
        "Members above which a guild's offline members are left out of GUILD_CREATE.",
    ),
    option(
        "on_shutdown",
        Kind::Choice(&["resume", "transfer", "close"]),
        "\"resume\"",
        "What a stop does to sessions: `resume` keeps them for a few minutes, so that a restart loses nothing; \
         `transfer` gives them to the other processes at once (with `fleet.kind = redis`; else it is `resume`); \
         `close` ends them and shows the bot offline at once.",
    ),
    option(
        "shutdown_timeout_ms",
        integer(100, 10 * MINUTE_MS),
        "10000",
        "How long a stop waits for handlers and close frames, in milliseconds.",
    ),
    option(
        "log_format",
        Kind::Choice(&["human", "json"]),
        "\"human\"",
        "How log lines look.",
    ),
    option(
        "log_level",
        Kind::Choice(&["off", "error", "warn", "info", "debug", "trace"]),
        "\"info\"",
        "What is logged.",
    ),
    option(
        "presence.status",
        Kind::Choice(&["online", "dnd", "idle", "invisible", "offline"]),
        "",
        "The coloured dot.",
    ),
    option(
        "presence.activities",
        Kind::Activities,
        "",
        "What the bot is doing.",
    ),
    option(
        "presence.since",
        integer(0, u64::MAX),
        "",
        "Since when the bot is idle, in milliseconds since 1970.",
    ),
    option(
        "presence.afk",
        Kind::Flag,
        "",
        "Whether the bot is away from keyboard.",
    ),
    option(
        "properties.os",
        Kind::Text,
        "\"linux\"",
        "What identify calls the operating system.",
    ),
    option(
        "properties.browser",
        Kind::Text,
        "\"shardkeep\"",
        "What identify calls the library.",
    ),
    option(
        "properties.device",
        Kind::Text,
        "\"shardkeep\"",
        "What identify calls the device.",
    ),
    option(
        "queue.events_max",
        integer(1, 16_777_216),
        "65536",
        QUEUE_EVENTS_DOC,
    ),
    option(
        "queue.bytes_max",
        integer(1 << 20, 1 << 40),
        "268435456",
        "How many bytes of events may wait for handlers before the shards stop reading.",
    ),
    option(
        "queue.batch_max",
        integer(1, 65_536),
        "256",
        "The most events one batch holds.",
    ),
    option(
        "identify.reserve",
        integer(0, 100_000),
        "50",
        "How many identifies of a day are never spent: who spends them all loses every session and the token.",
    ),
    option(
        "identify.margin_ms",
        integer(0, MINUTE_MS),
        "250",
        "Added to the 5 s that Discord asks for between two identifies of one key.",
    ),
    option(
        "identify.shared_file",
        Kind::Text,
        "",
        "A file that processes of one machine share: their identifies are spaced and counted together.",
    ),
    option(
        "identify.limits_max_age_ms",
        integer(1_000, DAY_MS),
        "600000",
        "How old an answer of `/gateway/bot` may be before an identify.",
    ),
    option(
        "identify.start_rounds",
        integer(1, 1_000),
        "2",
        "How many rounds of identifies ahead of their slot shards are connected.",
    ),
    option(
        "identify.start_patience_ms",
        integer(100, 60 * MINUTE_MS),
        "30000",
        "How long a started shard may take to ask for its slot before the next one starts in its place.",
    ),
    option(
        "identify.healthy_after_ms",
        integer(0, DAY_MS),
        "60000",
        "How long a session must live for its identify not to count as wasted.",
    ),
    option(
        "identify.damping_base_ms",
        integer(0, DAY_MS),
        "5000",
        "The pause after a shard's first wasted identify; each further one in a row doubles it.",
    ),
    option(
        "identify.damping_cap_ms",
        integer(0, DAY_MS),
        "900000",
        "The longest such pause.",
    ),
    option(
        "identify.waste_percent",
        integer(1, 100),
        "20",
        "How much of the day's allowance may be wasted before wasteful shards share a trickle.",
    ),
    option(
        "identify.fleet_min",
        integer(1, 65_535),
        "5",
        "How many shards must waste at the same time before all of them slow down.",
    ),
    option(
        "gateway.connect_timeout_ms",
        integer(100, 10 * MINUTE_MS),
        "30000",
        "How long opening a socket may take, TLS included.",
    ),
    option(
        "gateway.hello_timeout_ms",
        integer(100, 10 * MINUTE_MS),
        "60000",
        "How long Discord's greeting may take.",
    ),
    option(
        "gateway.ready_timeout_ms",
        integer(100, 60 * MINUTE_MS),
        "60000",
        "How long READY may take after identify, or the next event after resume.",
    ),
    option(
        "gateway.close_timeout_ms",
        integer(0, MINUTE_MS),
        "5000",
        "How long a socket may take to close.",
    ),
    option(
        "gateway.stable_after_ms",
        integer(0, DAY_MS),
        "30000",
        "A session shorter than this does not reset the backoff.",
    ),
    option(
        "gateway.backoff_max_ms",
        integer(1_000, 60 * MINUTE_MS),
        "60000",
        "The longest wait between attempts.",
    ),
    option(
        "gateway.resume_attempts_max",
        integer(1, 100),
        "3",
        "How many resumes in a row may fail before the session is given up.",
    ),
    option(
        "gateway.escalate_after",
        integer(1, 1_000),
        "3",
        "How often in a row Discord may close a connection over a command before that is reported as a bug.",
    ),
    option(
        "gateway.zombie_rule",
        Kind::Choice(&["acknowledged", "any_message"]),
        "\"acknowledged\"",
        "What counts as a sign of life: the acknowledgement of a heartbeat, as Discord documents it, or any message.",
    ),
    option(
        "gateway.payload_bytes_max",
        integer(1_024, 1 << 20),
        "4096",
        "The largest command that is sent, in bytes. Discord documents 4,096.",
    ),
    option(
        "gateway.message_bytes_max",
        integer(64 << 10, 1 << 32),
        "67108864",
        "The largest event that is received, in inflated bytes.",
    ),
    option(
        "gateway.command_queue_max",
        integer(1, 1_000_000),
        "1000",
        "How many commands may wait in one shard.",
    ),
    option(
        "gateway.capabilities",
        integer(0, u64::MAX),
        "0",
        "Identify's `capabilities` bits.",
    ),
    option(
        "gateway.seed",
        integer(0, u64::MAX),
        "",
        "Where jitter comes from. Without it every start draws another one; set it to repeat a run.",
    ),
    option(
        "tls.roots",
        Kind::Choice(&["bundled", "platform"]),
        "\"bundled\"",
        "Which certificate authorities are trusted: Mozilla's list as bundled, or those of the machine.",
    ),
    option(
        "ops.listen",
        Kind::Address,
        "",
        "Where `/health`, `/ready`, `/status` and `/metrics` are served. Default: nowhere.",
    ),
    option(
        "ops.allow_remote",
        Kind::Flag,
        "false",
        "Whether `ops.listen` may be an address that other machines reach. There are no access tokens yet.",
    ),
    option(
        "ops.connections_max",
        integer(1, 10_000),
        "64",
        "How many connections the ops endpoint holds at once.",
    ),
    option(
        "ops.request_timeout_ms",
        integer(100, MINUTE_MS),
        "5000",
        "How long one request to the ops endpoint may take.",
    ),
];

const QUEUE_EVENTS_DOC: &str =
    "How many events may wait for handlers before the shards stop reading.";
