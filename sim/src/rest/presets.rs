//! Rules to start from: what is known of Discord's limits, and the workload of the bench.

use core::time::Duration;

use shardkeep_core::Instant;

use super::best::Bound;
use super::config::{GlobalLimit, Kind, Latency, Major, RestConfig, Rule, Scope, Sublimit};
use super::limits::{Limits, Request};

const DAY_MS: u64 = 86_400_000;

/// A hash as Discord writes them, from a name.
fn hash(name: &str) -> String {
    let digest = crate::digest(name.as_bytes());
    format!(
        "{digest:016x}{:016x}",
        digest.rotate_left(29) ^ 0x5bd1_e995_9e37_79b9
    )
}

fn rule(methods: &str, path: &str, name: &str, limit: u32, window_ms: u64) -> Rule {
    Rule::new(methods, path, &hash(name), limit, window_ms)
}

fn leaky(methods: &str, path: &str, name: &str, limit: u32, window_ms: u64) -> Rule {
    rule(methods, path, name, limit, window_ms).kind(Kind::Leaky)
}

fn hidden(name: &str, limit: u32, window_ms: u64, per: Major, scope: Scope) -> Sublimit {
    Sublimit {
        name: name.to_owned(),
        limit,
        window_ms,
        kind: Kind::Fixed,
        per,
        fields: Vec::new(),
        scope,
    }
}

/// Discord-like rules: the figures that were observed where there are any, plausible ones elsewhere.
pub(super) fn discord() -> Vec<Rule> {
    let mut rules = channels();
    rules.extend(guilds());
    rules.extend(others());
    rules
}

fn channels() -> Vec<Rule> {
    let message = "/channels/{channel_id}/messages/{message_id}";
    let young = || hidden("message.delete", 5, 1_000, Major::Channel, Scope::User);
    let rename = Sublimit {
        fields: vec!["name".to_owned(), "topic".to_owned()],
        ..hidden("channel.rename", 2, 600_000, Major::Channel, Scope::User)
    };
    vec![
        leaky(
            "POST",
            "/channels/{channel_id}/messages",
            "message.create",
            5,
            5_000,
        ),
        leaky(
            "GET",
            "/channels/{channel_id}/messages",
            "message.list",
            10,
            5_000,
        ),
        rule(
            "POST",
            "/channels/{channel_id}/messages/bulk-delete",
            "message.bulk_delete",
            1,
            1_000,
        ),
        leaky("PATCH", message, "message.edit", 5, 5_000),
        // Deletions count by the message's age; old ones also count towards the limit of young ones.
        rule("DELETE", message, "message.delete.old", 30, 4_000)
            .age(14 * DAY_MS, u64::MAX)
            .sublimit(young()),
        rule("DELETE", message, "message.delete", 3, 333).age(10_000, 14 * DAY_MS),
        rule("DELETE", message, "message.delete.young", 5, 1_000),
        rule(
            "PUT DELETE",
            "/channels/{channel_id}/messages/{message_id}/reactions/**",
            "reaction",
            1,
            250,
        ),
        rule(
            "PUT DELETE",
            "/channels/{channel_id}/pins/{message_id}",
            "pin",
            5,
            4_000,
        ),
        rule(
            "PUT DELETE",
            "/channels/{channel_id}/messages/pins/{message_id}",
            "pin",
            5,
            4_000,
        ),
        rule("PATCH", "/channels/{channel_id}", "channel.edit", 5, 15_000).sublimit(rename),
        leaky("POST", "/channels/{channel_id}/typing", "typing", 5, 5_000),
        rule(
            "POST",
            "/channels/{channel_id}/threads",
            "thread.create",
            10,
            60_000,
        ),
        rule(
            "POST",
            "/channels/{channel_id}/messages/{message_id}/threads",
            "thread.create",
            10,
            60_000,
        ),
        rule(
            "PUT DELETE",
            "/channels/{channel_id}/permissions/{overwrite_id}",
            "overwrite",
            10,
            10_000,
        ),
        leaky(
            "POST",
            "/channels/{channel_id}/invites",
            "invite.create",
            5,
            15_000,
        ),
        rule(
            "POST",
            "/channels/{channel_id}/webhooks",
            "webhook.create",
            5,
            10_000,
        ),
    ]
}

fn guilds() -> Vec<Rule> {
    let emojis = || hidden("emoji", 50, 3_600_000, Major::Guild, Scope::Shared);
    vec![
        leaky(
            "PATCH DELETE",
            "/guilds/{guild_id}",
            "guild.edit",
            5,
            10_000,
        ),
        leaky(
            "GET",
            "/guilds/{guild_id}/members",
            "member.list",
            10,
            10_000,
        ),
        leaky(
            "GET",
            "/guilds/{guild_id}/members/search",
            "member.search",
            10,
            10_000,
        ),
        leaky(
            "GET",
            "/guilds/{guild_id}/members/{user_id}",
            "member.get",
            5,
            1_000,
        ),
        leaky(
            "PATCH",
            "/guilds/{guild_id}/members/{user_id}",
            "member.edit",
            10,
            10_000,
        ),
        leaky(
            "PATCH",
            "/guilds/{guild_id}/members/@me",
            "member.edit.own",
            2,
            10_000,
        ),
        leaky(
            "DELETE",
            "/guilds/{guild_id}/members/{user_id}",
            "member.kick",
            5,
            1_000,
        ),
        rule(
            "PUT DELETE",
            "/guilds/{guild_id}/members/{user_id}/roles/{role_id}",
            "member.role",
            10,
            10_000,
        ),
        leaky(
            "PUT DELETE",
            "/guilds/{guild_id}/bans/{user_id}",
            "ban",
            5,
            1_000,
        ),
        rule(
            "POST",
            "/guilds/{guild_id}/roles",
            "role.create",
            250,
            2 * DAY_MS,
        ),
        leaky(
            "PATCH DELETE",
            "/guilds/{guild_id}/roles/{role_id}",
            "role.edit",
            10,
            10_000,
        ),
        leaky(
            "POST PATCH",
            "/guilds/{guild_id}/channels",
            "channel.create",
            10,
            10_000,
        ),
        rule(
            "POST",
            "/guilds/{guild_id}/emojis",
            "emoji.create",
            10,
            30_000,
        )
        .sublimit(emojis()),
        rule(
            "PATCH DELETE",
            "/guilds/{guild_id}/emojis/{emoji_id}",
            "emoji.edit",
            10,
            30_000,
        )
        .sublimit(emojis()),
        leaky(
            "GET",
            "/guilds/{guild_id}/audit-logs",
            "audit_log",
            10,
            10_000,
        ),
    ]
}

fn others() -> Vec<Rule> {
    let commands = |per| hidden("command.create", 200, DAY_MS, per, Scope::User);
    let by_channel = || hidden("webhook.channel", 30, 60_000, Major::Channel, Scope::Shared);
    let hook = "/webhooks/{webhook_id}/{webhook_token}";
    let hook_message = "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}";
    let hook_original = "/webhooks/{webhook_id}/{webhook_token}/messages/@original";
    let own = "/applications/{application_id}/commands";
    let in_guild = "/applications/{application_id}/guilds/{guild_id}/commands";
    vec![
        leaky("POST", hook, "webhook.execute", 5, 2_000).sublimit(by_channel()),
        leaky(
            "GET PATCH DELETE",
            hook_message,
            "webhook.message",
            5,
            2_000,
        ),
        leaky(
            "GET PATCH DELETE",
            hook_original,
            "webhook.message",
            5,
            2_000,
        ),
        leaky(
            "PATCH DELETE",
            "/webhooks/{webhook_id}",
            "webhook.edit",
            5,
            5_000,
        ),
        leaky("POST", own, "command.create", 5, 20_000).sublimit(commands(Major::None)),
        leaky("PUT", own, "command.overwrite", 2, 20_000),
        leaky("POST", in_guild, "command.guild.create", 5, 20_000)
            .major(Major::Guild)
            .sublimit(commands(Major::Guild)),
        leaky("PUT", in_guild, "command.guild.overwrite", 2, 20_000).major(Major::Guild),
        leaky("GET", "/users/{user_id}", "user.get", 30, 30_000),
        rule("PATCH", "/users/@me", "user.edit", 2, 3_600_000),
        leaky("GET", "/users/@me/guilds", "user.guilds", 1, 1_000),
        leaky("POST", "/users/@me/channels", "dm.create", 10, 10_000),
        leaky("GET", "/invites/{code}", "invite.get", 10, 10_000),
        leaky("POST", "/stage-instances", "stage.create", 5, 10_000),
    ]
}

/// A request of the bench: method and path.
type Wanted = (&'static str, String);

impl RestConfig {
    /// The limits of the bench over sockets: posts 5 per 0.5 s and channel with fixed windows, reads of members leaky,
    /// reads of users leaky in one bucket, 200 requests per second in all, 10 ms each way.
    ///
    /// ```
    /// use shardkeep_sim::rest::{Kind, RestConfig};
    ///
    /// let config = RestConfig::bench();
    /// assert_eq!((config.rules[0].limit, config.rules[0].window_ms, config.rules[0].kind), (5, 500, Kind::Fixed));
    /// ```
    #[must_use]
    pub fn bench() -> Self {
        Self {
            rules: vec![
                rule(
                    "POST",
                    "/channels/{channel_id}/messages",
                    "bench.messages",
                    5,
                    500,
                ),
                leaky(
                    "GET",
                    "/guilds/{guild_id}/members/{user_id}",
                    "bench.member",
                    5,
                    1_000,
                ),
                leaky("GET", "/users/{user_id}", "bench.user", 30, 1_000),
                rule("GET", "/channels/{channel_id}", "bench.channel", 10, 1_000).kind(Kind::Log),
            ],
            global: GlobalLimit {
                limit: 200,
                limit_per_address: 200,
                ..GlobalLimit::default()
            },
            guard: super::config::Guard::default(),
            latency: Latency {
                there_ms: [10, 10],
                back_ms: [10, 10],
            },
            ..Self::unlimited()
        }
    }

    /// The bench's workload, all at once: 35 posts on each of 40 channels and 100 on the first of them more, 5 reads of
    /// members in each of 60 guilds, 100 reads of users and 100 of channels. In the order in which a client is handed
    /// them: mixed, the same every time. Ids are taken in turn from the lists; each must have at least one.
    #[must_use]
    pub fn bench_workload(channels: &[u64], guilds: &[(u64, u64)], users: &[u64]) -> Vec<Wanted> {
        let nth = |ids: &[u64], at: usize| ids[at % ids.len()];
        let mut wanted: Vec<Wanted> = Vec::with_capacity(2_000);
        for at in 0..1_400 {
            wanted.push((
                "POST",
                format!("/channels/{}/messages", nth(channels, 1 + at % 40)),
            ));
        }
        wanted.extend((0..100).map(|_| ("POST", format!("/channels/{}/messages", channels[0]))));
        for at in 0..300 {
            let (guild, member) = guilds[at % 60 % guilds.len()];
            wanted.push(("GET", format!("/guilds/{guild}/members/{member}")));
        }
        for at in 0..100 {
            wanted.push(("GET", format!("/users/{}", nth(users, at))));
            wanted.push(("GET", format!("/channels/{}", nth(channels, at))));
        }
        // A fixed shuffle: every request at the place that a multiplication gives it.
        let length = wanted.len();
        let mut order: Vec<usize> = (0..length).collect();
        order.sort_by_key(|&at| (at * 7_919 + 13) % length);
        order.into_iter().map(|at| wanted[at].clone()).collect()
    }

    /// How long a workload takes at best under these limits if all of it may be sent at once: until the last request
    /// is let through, without the way there and back.
    #[must_use]
    pub fn bound(&self, workload: &[(&str, String)]) -> (Duration, Bound) {
        let limits = Limits::new(self.clone(), 0, Instant::ZERO, 1_795_305_600_000);
        let requests: Vec<Request<'_>> = (0..)
            .zip(workload)
            .map(|(id, (method, path))| Request::new(id, method, path, Instant::ZERO))
            .collect();
        let bound = limits.best_finish(&requests);
        (bound.finish.since(Instant::ZERO), bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bench_takes_nine_and_a_half_seconds_at_best() {
        let channels: Vec<u64> = (1..=41).map(|id| id << 22).collect();
        let guilds: Vec<(u64, u64)> = (1..=60).map(|id| (id << 30, id)).collect();
        let workload = RestConfig::bench_workload(&channels, &guilds, &[7, 8, 9]);
        assert_eq!(workload.len(), 2_000);
        let (bound, by) = RestConfig::bench().bound(&workload);
        assert_eq!(bound, Duration::from_millis(9_500), "{by:?}");
    }
}
