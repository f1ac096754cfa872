//! Rules made ready for use: parsed paths, numbered counters, and the bucket that a request falls into.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::config::{Denial, RestConfig};
use super::known::HiddenKey;
use super::route::{Path, Template};
use super::rule::{Rule, Scope, Sublimit};
use super::window::Spec;

/// Milliseconds between 1970 and the first snowflake.
const DISCORD_EPOCH_MS: u64 = 1_420_070_400_000;

/// A hash, from when on, and the counters behind it.
#[derive(Debug)]
struct Phase {
    from_us: u64,
    hash: Arc<str>,
    counter: u32,
}

#[derive(Debug)]
pub(crate) struct Hidden {
    pub(crate) number: u32,
    pub(crate) spec: Spec,
    pub(crate) scope: Scope,
    pub(crate) name: String,
    sublimit: Sublimit,
}

#[derive(Debug)]
pub(crate) struct Compiled {
    rule: Rule,
    template: Template,
    pub(crate) spec: Spec,
    phases: Vec<Phase>,
    alternate: Option<Arc<str>>,
    hidden: Vec<Hidden>,
}

impl Compiled {
    fn phase(&self, age_us: u64) -> &Phase {
        self.phases
            .iter()
            .rev()
            .find(|phase| phase.from_us <= age_us)
            .unwrap_or(&self.phases[0])
    }

    /// When counters begin anew, in microseconds after the configuration began.
    pub(crate) fn changes_us(&self) -> impl Iterator<Item = u64> {
        let changes = self.phases.windows(2);
        changes
            .filter(|pair| pair[0].counter != pair[1].counter)
            .map(|pair| pair[1].from_us)
    }
}

/// The bucket that a request falls into.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    pub(crate) rule: u32,
    pub(crate) counter: u32,
    pub(crate) hash: Arc<str>,
    pub(crate) major: u64,
}

/// All rules.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    compiled: Vec<Compiled>,
    denied: Vec<(Denial, Template)>,
    /// The channels of webhooks.
    channels: BTreeMap<u64, u64>,
    tick: bool,
}

impl Rules {
    pub(crate) fn new(config: &RestConfig) -> Self {
        let (mut counters, mut names) = (BTreeMap::new(), BTreeMap::new());
        let is_something = |rule: &&Rule| rule.limit > 0 && rule.window_ms > 0;
        let compiled = config.rules.iter().filter(is_something).filter_map(|rule| {
            let template = Template::parse(&rule.path)?;
            let mut number = |hash: &str| {
                let name = match &rule.counter {
                    Some(counter) => format!("counter {counter}"),
                    None => format!("hash {hash}"),
                };
                let next = small(counters.len());
                *counters.entry(name).or_insert(next)
            };
            let first = core::iter::once((0, &rule.hash));
            let later = rule
                .hash_changes
                .iter()
                .map(|change| (change.at_ms, &change.hash));
            let phases = first.chain(later).map(|(at_ms, hash)| Phase {
                from_us: at_ms.saturating_mul(1_000),
                hash: hash.as_str().into(),
                counter: number(hash),
            });
            let phases = phases.collect();
            let hidden = rule
                .sublimits
                .iter()
                .filter(|sub| sub.limit > 0 && sub.window_ms > 0)
                .map(|sublimit| {
                    let next = small(names.len());
                    Hidden {
                        number: *names.entry(sublimit.name.clone()).or_insert(next),
                        spec: Spec::new(sublimit.kind, sublimit.limit, sublimit.window_ms),
                        scope: sublimit.scope,
                        name: sublimit.name.clone(),
                        sublimit: sublimit.clone(),
                    }
                });
            Some(Compiled {
                template,
                spec: Spec::new(rule.kind, rule.limit, rule.window_ms),
                phases,
                alternate: rule.alternate.as_deref().map(Into::into),
                hidden: hidden.collect(),
                rule: rule.clone(),
            })
        });
        let compiled = compiled.collect();
        let denied = config
            .denied
            .iter()
            .filter_map(|denial| Some((denial.clone(), Template::parse(&denial.path)?)));
        Self {
            compiled,
            denied: denied.collect(),
            channels: BTreeMap::new(),
            tick: false,
        }
    }

    pub(crate) fn bind(&mut self, webhook: u64, channel: u64) {
        self.channels.insert(webhook, channel);
    }

    pub(crate) fn get(&self, rule: u32) -> &Compiled {
        &self.compiled[usize::try_from(rule).unwrap_or(0)]
    }

    /// The hash, or one of the hashes, of these counters.
    pub(crate) fn name(&self, counter: u32) -> &str {
        let mut phases = self.compiled.iter().flat_map(|compiled| &compiled.phases);
        let phase = phases.find(|phase| phase.counter == counter);
        phase.map_or("", |phase| &phase.hash)
    }

    /// The bucket of a request; `age_us` is the age of the configuration.
    pub(crate) fn find(
        &self,
        method: &str,
        path: &Path<'_>,
        age_us: u64,
        unix_us: u64,
    ) -> Option<Hit> {
        let (at, compiled) = self.compiled.iter().enumerate().find(|(_, compiled)| {
            let methods = &compiled.rule.methods;
            (methods.is_empty() || methods.iter().any(|there| there == method))
                && compiled.template.fits(path)
                && compiled.is_of_age(path, unix_us)
        })?;
        let phase = compiled.phase(age_us);
        Some(Hit {
            rule: small(at),
            counter: phase.counter,
            hash: Arc::clone(&phase.hash),
            major: compiled
                .template
                .major(path, compiled.rule.major, |webhook| {
                    self.channels.get(&webhook).copied()
                }),
        })
    }

    /// The hash that an answer carries: every other one has the alternate, if there is one.
    pub(crate) fn shown(&mut self, hit: &Hit) -> Arc<str> {
        match &self.compiled[usize::try_from(hit.rule).unwrap_or(0)].alternate {
            Some(alternate) => {
                self.tick = !self.tick;
                if self.tick {
                    Arc::clone(&hit.hash)
                } else {
                    Arc::clone(alternate)
                }
            }
            None => Arc::clone(&hit.hash),
        }
    }

    /// The hidden limits that a request counts towards, with their keys. Shared ones do not depend on who asks.
    pub(crate) fn hidden<'a>(
        &'a self,
        hit: &Hit,
        path: &Path<'_>,
        identity: u32,
        body: &[u8],
    ) -> Vec<(&'a Hidden, HiddenKey)> {
        let compiled = self.get(hit.rule);
        if compiled.hidden.is_empty() {
            return Vec::new();
        }
        let channel_of = |webhook| self.channels.get(&webhook).copied();
        let mut keys = None;
        compiled
            .hidden
            .iter()
            .filter(|hidden| {
                let fields = &hidden.sublimit.fields;
                fields.is_empty() || {
                    let keys = keys.get_or_insert_with(|| keys_of(body));
                    fields.iter().any(|field| keys.contains(field))
                }
            })
            .map(|hidden| {
                let identity = match hidden.scope {
                    Scope::User => identity,
                    Scope::Shared => u32::MAX,
                };
                let major = compiled
                    .template
                    .major(path, Some(hidden.sublimit.per), channel_of);
                (hidden, (identity, hidden.number, major))
            })
            .collect()
    }

    /// Whether the bot has no access, or there is nothing: status and code.
    pub(crate) fn denial(&self, path: &Path<'_>) -> Option<(u16, u32)> {
        let (denial, _) = self.denied.iter().find(|(denial, template)| {
            template.fits(path)
                && (denial.placeholder.is_empty()
                    || template
                        .find(path, &denial.placeholder)
                        .is_some_and(|id| denies(denial, id)))
        })?;
        Some((denial.status, denial.code))
    }
}

impl Compiled {
    fn is_of_age(&self, path: &Path<'_>, unix_us: u64) -> bool {
        let Some(age) = self.rule.age else {
            return true;
        };
        let Some(Ok(id)) = self
            .template
            .find(path, "message_id")
            .map(str::parse::<u64>)
        else {
            return false;
        };
        let old_ms = (unix_us / 1_000).saturating_sub((id >> 22) + DISCORD_EPOCH_MS);
        (age.from_ms..age.below_ms).contains(&old_ms)
    }
}

fn denies(denial: &Denial, id: &str) -> bool {
    let listed = denial.ids.iter().any(|there| there == id);
    let leaves = |[divisor, remainder]: [u64; 2]| {
        divisor > 0
            && id
                .parse::<u64>()
                .is_ok_and(|id| (id >> 22) % divisor == remainder)
    };
    listed || denial.remainder.is_some_and(leaves)
}

/// The keys of a JSON object; none for anything else.
fn keys_of(body: &[u8]) -> BTreeSet<String> {
    serde_json::from_slice::<BTreeMap<String, serde::de::IgnoredAny>>(body)
        .map(|map| map.into_keys().collect())
        .unwrap_or_default()
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
