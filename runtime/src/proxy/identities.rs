//! Tokens that clients bring, as identities of the scheduler: a bounded number, known by fingerprints alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use shardkeep_core::rest::Auth;
use shardkeep_core::{Instant, Token};

use super::access::{Fingerprint, Fingerprints};
use super::answer::Refused;
use super::reason::Reason;
use crate::clock;
use crate::rest::Client;

/// The identities. A place belongs to one token until nobody has used it for a while and another needs it.
pub(super) struct Identities {
    client: Client,
    fingerprints: Fingerprints,
    places_max: usize,
    /// How long a place rests before another token gets it: until then an answer to the last one may still come.
    rest: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    places: Vec<Place>,
    known: HashMap<Fingerprint, usize>,
    replaced: u64,
}

struct Place {
    auth: Auth,
    owner: Fingerprint,
    users: usize,
    used: Instant,
}

/// An identity in use: its place stays its own until this is dropped.
pub(super) struct Identity {
    pub(super) auth: Auth,
    /// Whose it is, for keys of the cache; `None` for requests without `Authorization`.
    pub(super) owner: Option<Fingerprint>,
    home: Option<(Arc<Identities>, usize)>,
    is_bot: bool,
}

impl Identities {
    pub(super) fn new(client: Client, places_max: usize, rest: Duration) -> Self {
        Self {
            client,
            fingerprints: Fingerprints::default(),
            places_max: places_max.max(1),
            rest,
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The identity that an `Authorization` stands for.
    pub(super) fn take(self: &Arc<Self>, value: &HeaderValue) -> Result<Identity, Refused> {
        let owner = self.fingerprints.of(value.as_bytes());
        let now = clock::now();
        let mut state = self.lock();
        let at = match state.known.get(&owner) {
            Some(&at) => at,
            None => self.place(&mut state, owner, value, now)?,
        };
        let place = &mut state.places[at];
        place.users += 1;
        Ok(Identity {
            auth: place.auth,
            owner: Some(owner),
            home: Some((Arc::clone(self), at)),
            is_bot: value.as_bytes().starts_with(b"Bot "),
        })
    }

    /// A place for a token that has none: a new one, or that of whoever was away longest.
    fn place(
        &self,
        state: &mut State,
        owner: Fingerprint,
        value: &HeaderValue,
        now: Instant,
    ) -> Result<usize, Refused> {
        let count = state.places.len();
        let at = if count < self.places_max {
            let auth = self.client.add_token(&stand_in(count));
            state.places.push(Place {
                auth,
                owner,
                users: 0,
                used: now,
            });
            count
        } else {
            let away = state.places.iter().enumerate();
            let longest = away
                .filter(|(_, place)| place.users == 0)
                .min_by_key(|(_, place)| place.used);
            let Some((at, place)) = longest else {
                return Err(full().wait(Duration::from_secs(1)));
            };
            let rested = now.since(place.used);
            if rested < self.rest {
                return Err(full().wait(self.rest - rested));
            }
            let (auth, before) = (place.auth, place.owner);
            state.known.remove(&before);
            // What was learned of the last owner's token does not hold for this one's.
            self.client.replace_token(auth, &stand_in(at));
            state.replaced += 1;
            state.places[at].owner = owner;
            at
        };
        // What stands in for the token is the same in every proxy: limits are shared under the token itself.
        self.client.share(state.places[at].auth, value);
        state.known.insert(owner, at);
        Ok(at)
    }

    /// How many tokens are known, how many are in use, and how often one took the place of another.
    pub(super) fn counts(&self) -> (usize, usize, u64) {
        let state = self.lock();
        let used = state.places.iter().filter(|place| place.users > 0).count();
        (state.places.len(), used, state.replaced)
    }
}

fn full() -> Refused {
    let message = "as many tokens are in use as the proxy tells apart: raise --identities";
    Refused::new(Reason::IdentitiesFull, message)
}

/// What the client holds in the place of a token: the tokens themselves travel with their requests and are not kept.
fn stand_in(at: usize) -> Token {
    Token::new(&format!("place-{at}")).expect("letters and digits are a token")
}

impl Identity {
    /// Requests without `Authorization`.
    pub(super) const fn none() -> Self {
        Self {
            auth: Auth::NONE,
            owner: None,
            home: None,
            is_bot: false,
        }
    }

    /// Discord answered 401. A bot's token is then refused for good; what OAuth grants may merely not reach so far as
    /// this route, so that the next request is sent again.
    pub(super) fn rejected(&self) {
        if let Some((identities, _)) = self.home.as_ref().filter(|_| !self.is_bot) {
            identities.client.accept_again(self.auth);
        }
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        if let Some((identities, at)) = &self.home {
            let place = &mut identities.lock().places[*at];
            place.users -= 1;
            place.used = clock::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::Settings;

    fn identities(places: usize, rest: Duration) -> Arc<Identities> {
        let client = Client::start(Settings::new("http://127.0.0.1:9")).unwrap();
        Arc::new(Identities::new(client, places, rest))
    }

    fn auth(identities: &Arc<Identities>, token: &'static str) -> Result<Identity, Refused> {
        identities.take(&HeaderValue::from_static(token))
    }

    #[test]
    fn a_token_keeps_its_place_and_others_have_their_own() {
        let identities = identities(8, Duration::ZERO);
        let first = auth(&identities, "Bot a").unwrap();
        let second = auth(&identities, "Bearer a").unwrap();
        assert_ne!(first.auth, second.auth);
        assert_eq!(first.auth, auth(&identities, "Bot a").unwrap().auth);
        assert_eq!(identities.counts(), (2, 2, 0));
    }

    #[test]
    fn the_longest_away_makes_room_and_nobody_who_is_there() {
        let identities = identities(2, Duration::ZERO);
        let stays = auth(&identities, "Bot a").unwrap();
        let left = auth(&identities, "Bot b").unwrap().auth;
        assert_eq!(auth(&identities, "Bot c").unwrap().auth, left);
        let c = auth(&identities, "Bot c").unwrap();
        let refused = auth(&identities, "Bot d").err().unwrap();
        assert_eq!(refused.reason, Reason::IdentitiesFull);
        drop((stays, c));
        assert_eq!(identities.counts(), (2, 0, 1));
    }

    #[test]
    fn a_place_rests_before_another_gets_it() {
        let identities = identities(1, Duration::from_secs(3_600));
        drop(auth(&identities, "Bot a").unwrap());
        let refused = auth(&identities, "Bot b").err().unwrap();
        assert!(refused.wait > Some(Duration::from_secs(3_000)));
        assert!(auth(&identities, "Bot a").is_ok());
    }
}
