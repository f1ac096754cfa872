//! Rules to start from: what is known of Discord's limits, and the workload of the bench.

use core::time::Duration;

use shardkeep_core::Instant;

use super::best::Bound;
use super::config::{GlobalLimit, Guard, Latency, RestConfig};
use super::limits::{Limits, Request};
use super::rule::{Kind, Major, Rule, Scope, Sublimit};

const DAY_MS: u64 = 86_400_000;

/// A hash as Discord writes them, from a name.
fn hash(name: &str) -> String {
    let digest = crate::digest(name.as_bytes());
    format!(
        "{digest:016x}{:016x}",
        digest.rotate_left(29) ^ 0x5bd1_e995_9e37_79b9
    )
}

/// Discord-like rules: the figures that were observed where there are any, plausible ones elsewhere. The columns are
/// methods, path, the name of the hash, limit/window in milliseconds, how it counts; then what is special.
///
/// Deletions count by the message's age: above 14 days, above 10 seconds, below; old ones also count towards the limit
/// of young ones.
const DISCORD: &str = "
POST       /channels/{channel_id}/messages                                 message.create    5/5000   leaky
GET        /channels/{channel_id}/messages                                 message.list      10/5000  leaky
POST       /channels/{channel_id}/messages/bulk-delete                     message.bulk      1/1000   fixed
PATCH      /channels/{channel_id}/messages/{message_id}                    message.edit      5/5000   leaky
DELETE     /channels/{channel_id}/messages/{message_id}                    message.delete.old 30/4000  fixed old young
DELETE     /channels/{channel_id}/messages/{message_id}                    message.delete    3/333    fixed settled
DELETE     /channels/{channel_id}/messages/{message_id}                    message.delete.new 5/1000   fixed
PUT,DELETE /channels/{channel_id}/messages/{message_id}/reactions/**       reaction          1/250    fixed
PUT,DELETE /channels/{channel_id}/pins/{message_id}                        pin               5/4000   fixed
PUT,DELETE /channels/{channel_id}/messages/pins/{message_id}               pin               5/4000   fixed
PATCH      /channels/{channel_id}                                          channel.edit      5/15000  fixed rename
POST       /channels/{channel_id}/typing                                   typing            5/5000   leaky
POST       /channels/{channel_id}/threads                                  thread.create     10/60000 fixed
POST       /channels/{channel_id}/messages/{message_id}/threads            thread.create     10/60000 fixed
PUT,DELETE /channels/{channel_id}/permissions/{overwrite_id}               overwrite         10/10000 fixed
POST       /channels/{channel_id}/invites                                  invite.create     5/15000  leaky
POST       /channels/{channel_id}/webhooks                                 webhook.create    5/10000  fixed
PATCH,DELETE /guilds/{guild_id}                                            guild.edit        5/10000  leaky
GET        /guilds/{guild_id}/members                                      member.list       10/10000 leaky
GET        /guilds/{guild_id}/members/search                               member.search     10/10000 leaky
GET        /guilds/{guild_id}/members/{user_id}                            member.get        5/1000   leaky
PATCH      /guilds/{guild_id}/members/@me                                  member.edit.own   2/10000  leaky
PATCH      /guilds/{guild_id}/members/{user_id}                            member.edit       10/10000 leaky
DELETE     /guilds/{guild_id}/members/{user_id}                            member.kick       5/1000   leaky
PUT,DELETE /guilds/{guild_id}/members/{user_id}/roles/{role_id}            member.role       10/10000 fixed
PUT,DELETE /guilds/{guild_id}/bans/{user_id}                               ban               5/1000   leaky
POST       /guilds/{guild_id}/roles                                        role.create       250/172800000 fixed
PATCH,DELETE /guilds/{guild_id}/roles/{role_id}                            role.edit         10/10000 leaky
POST,PATCH /guilds/{guild_id}/channels                                     channel.create    10/10000 leaky
POST       /guilds/{guild_id}/emojis                                       emoji.create      10/30000 fixed emoji
PATCH,DELETE /guilds/{guild_id}/emojis/{emoji_id}                          emoji.edit        10/30000 fixed emoji
GET        /guilds/{guild_id}/audit-logs                                   audit_log         10/10000 leaky
POST       /webhooks/{webhook_id}/{webhook_token}                          webhook.execute   5/2000   leaky hook
GET,PATCH,DELETE /webhooks/{webhook_id}/{webhook_token}/messages/{message_id} webhook.message   5/2000   leaky
GET,PATCH,DELETE /webhooks/{webhook_id}/{webhook_token}/messages/@original webhook.message   5/2000   leaky
PATCH,DELETE /webhooks/{webhook_id}                                        webhook.edit      5/5000   leaky
POST       /applications/{application_id}/commands                         command.create    5/20000  leaky command
PUT        /applications/{application_id}/commands                         command.overwrite 2/20000  leaky
POST /applications/{application_id}/guilds/{guild_id}/commands command.guild 5/20000 leaky guild command
PUT        /applications/{application_id}/guilds/{guild_id}/commands       command.guild.all 2/20000  leaky guild
GET        /users/{user_id}                                                user.get          30/30000 leaky
PATCH      /users/@me                                                      user.edit         2/3600000 fixed
GET        /users/@me/guilds                                               user.guilds       1/1000   leaky
POST       /users/@me/channels                                             dm.create         10/10000 leaky
GET        /invites/{code}                                                 invite.get        10/10000 leaky
POST       /stage-instances                                                stage.create      5/10000  leaky
";

pub(super) fn discord() -> Vec<Rule> {
    DISCORD.lines().filter_map(row).collect()
}

/// A rule from a line of a table; `None` for an empty line.
fn row(line: &str) -> Option<Rule> {
    let mut words = line.split_whitespace();
    let (methods, path, name) = (words.next()?, words.next()?, words.next()?);
    let (limit, window_ms) = words.next()?.split_once('/')?;
    let (limit, window_ms) = (limit.parse().ok()?, window_ms.parse().ok()?);
    let rule = Rule::new(
        &methods.replace(',', " "),
        path,
        &hash(name),
        limit,
        window_ms,
    );
    Some(words.fold(rule, special))
}

fn special(rule: Rule, word: &str) -> Rule {
    let hidden = |name: &str, limit, window_ms, per, scope| Sublimit {
        name: name.to_owned(),
        limit,
        window_ms,
        per,
        scope,
        ..Sublimit::default()
    };
    let by_guild = rule.major == Some(Major::Guild);
    match word {
        "leaky" => rule.kind(Kind::Leaky),
        "log" => rule.kind(Kind::Log),
        "old" => rule.age(14 * DAY_MS, u64::MAX),
        "settled" => rule.age(10_000, 14 * DAY_MS),
        "guild" => rule.major(Major::Guild),
        "young" => rule.sublimit(hidden(
            "message.delete",
            5,
            1_000,
            Major::Channel,
            Scope::User,
        )),
        "rename" => rule.sublimit(Sublimit {
            fields: vec!["name".to_owned(), "topic".to_owned()],
            ..hidden("channel.rename", 2, 600_000, Major::Channel, Scope::User)
        }),
        "emoji" => rule.sublimit(hidden("emoji", 50, 3_600_000, Major::Guild, Scope::Shared)),
        "hook" => rule.sublimit(hidden("webhook", 30, 60_000, Major::Channel, Scope::Shared)),
        "command" => {
            let per = if by_guild { Major::Guild } else { Major::None };
            rule.sublimit(hidden("command.create", 200, DAY_MS, per, Scope::User))
        }
        _ => rule,
    }
}

/// The rules of the bench.
const BENCH: &str = "
POST /channels/{channel_id}/messages            bench.messages  5/500  fixed
GET  /guilds/{guild_id}/members/{user_id}       bench.member    5/1000 leaky
GET  /users/{user_id}                           bench.user     30/1000 leaky
GET  /channels/{channel_id}                     bench.channel  10/1000 log
";

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
            rules: BENCH.lines().filter_map(row).collect(),
            global: GlobalLimit {
                limit: 200,
                limit_per_address: 200,
                ..GlobalLimit::default()
            },
            guard: Guard::default(),
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
    fn every_line_of_the_tables_is_a_rule() {
        for table in [DISCORD, BENCH] {
            let lines = table.lines().filter(|line| !line.is_empty()).count();
            let rules: Vec<Rule> = table.lines().filter_map(row).collect();
            assert_eq!(rules.len(), lines);
            for (line, rule) in table.lines().skip(1).zip(&rules) {
                let kind = format!("{:?}", rule.kind).to_lowercase();
                assert!(
                    line.split_whitespace().any(|word| word == kind),
                    "{line}: {kind}"
                );
            }
        }
    }

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
