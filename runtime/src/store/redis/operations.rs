//! The operations of a store, in Redis' commands and scripts.

use std::time::Duration;

use futures_util::future::join_all;

use super::super::memory::millis;
use super::super::remote::{LOCKS, check_key};
use super::super::{Answer, Held, Life, RemoteStore, StoreError, Version, Write, Written};
use super::RedisStore;
use crate::redis::{AT_ONCE, Command, Reply};

impl RemoteStore for RedisStore {
    fn get_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
    ) -> Answer<'a, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            let values = self.get_entities(namespace, &[id]).await?;
            Ok(values.into_iter().next().flatten())
        })
    }

    fn get_entities<'a>(
        &'a self,
        namespace: &'a str,
        ids: &'a [&'a str],
    ) -> Answer<'a, Result<Vec<Option<String>>, StoreError>> {
        Box::pin(async move {
            ids.iter().try_for_each(|id| check_key(namespace, id))?;
            let values = self.values(namespace, ids).await?;
            let found = ids.iter().zip(&values);
            let found = found.filter(|(_, value)| value.is_some());
            self.prolong(namespace, found.map(|(id, _)| *id)).await;
            Ok(values)
        })
    }

    fn get_all_entities<'a>(
        &'a self,
        namespace: &'a str,
    ) -> Answer<'a, Result<Vec<String>, StoreError>> {
        Box::pin(async move {
            check_key(namespace, "all")?;
            self.list(namespace).await
        })
    }

    fn set_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
        value: &'a str,
        ttl: Option<Duration>,
    ) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async move {
            check_key(namespace, id)?;
            let set = self.set(namespace, id, value, ttl).await;
            set.map_err(|error| self.failed(error))
        })
    }

    fn remove_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
    ) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async move {
            check_key(namespace, id)?;
            let command = Command::new("DEL").key(self.keys.value(namespace, id));
            let reply = self.redis.run(&command.repeatable()).await;
            let count = reply.and_then(Reply::into_int);
            count.map(drop).map_err(|error| self.failed(error))
        })
    }

    fn write<'a>(&'a self, batch: &'a [Write]) -> Answer<'a, Vec<Result<Written, StoreError>>> {
        Box::pin(async move {
            let unnoted = self.note_batch(batch).await;
            let unnoted = &unnoted;
            let mut outcomes = Vec::with_capacity(batch.len());
            for some in batch.chunks(AT_ONCE) {
                let written = some.iter().map(|write| async move {
                    check_key(&write.namespace, &write.id)?;
                    if write.value.is_some()
                        && let Some(error) = unnoted.get(&write.namespace)
                    {
                        return Err(self.failed(error.clone()));
                    }
                    let written = self.write_one(write).await;
                    written.map_err(|error| self.failed(error))
                });
                outcomes.extend(join_all(written).await);
            }
            outcomes
        })
    }

    fn read<'a>(
        &'a self,
        namespace: &'a str,
        ids: &'a [&'a str],
    ) -> Answer<'a, Result<Vec<Held>, StoreError>> {
        Box::pin(async move {
            ids.iter().try_for_each(|id| check_key(namespace, id))?;
            let held = self.held(namespace, ids).await?;
            let found = ids.iter().zip(&held);
            let found = found.filter(|(_, held)| held.value.is_some());
            self.prolong(namespace, found.map(|(id, _)| *id)).await;
            Ok(held)
        })
    }

    fn life<'a>(&'a self) -> Answer<'a, Result<Option<Life>, StoreError>> {
        Box::pin(self.present_life())
    }

    fn doubts(&self) -> u64 {
        let counts = self.redis.counts();
        counts.connected + counts.moved
    }

    fn clear<'a>(
        &'a self,
        namespace: &'a str,
        before: Version,
    ) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async move {
            check_key(namespace, "all")?;
            self.clear_namespace(namespace, before).await
        })
    }

    fn try_lock<'a>(
        &'a self,
        name: &'a str,
        token: &'a str,
        ttl: Duration,
    ) -> Answer<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            check_key(LOCKS, name)?;
            let command = Command::new("SET")
                .key(self.keys.value(LOCKS, name))
                .arg(token)
                .arg("NX")
                .arg("PX")
                .arg(millis(ttl).max(1).to_string());
            let reply = self.redis.run(&command).await;
            let answer = reply.and_then(Reply::into_maybe_bytes);
            let answer = answer.map_err(|error| self.failed(error))?;
            Ok(answer.is_some())
        })
    }

    fn unlock<'a>(&'a self, name: &'a str, token: &'a str) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async move {
            check_key(LOCKS, name)?;
            let key = self.keys.value(LOCKS, name);
            let (keys, args) = ([key.as_bytes()], [token.as_bytes()]);
            let unlocked = self.redis.run_script(&self.scripts.unlock, &keys, &args);
            let count = unlocked.await.and_then(Reply::into_int);
            count.map(drop).map_err(|error| self.failed(error))
        })
    }
}
