//! The cache's store in a table: five operations, and versioned reads and writes that are atomic.

use std::sync::Arc;
use std::time::Duration;

use shardkeep::clock;
use shardkeep::store::{Answer, Held, Life, RemoteStore, StoreError, TTL, Version, Write, Written};

use crate::database::{Database, Failed};

/// Newer versions have greater texts.
const NEWER_STAYS: &str = "
    INSERT INTO records AS held (namespace, id, value, version, ends_at)
    VALUES ($1, $2, $3, $4, now() + $5 * interval '1 second')
    ON CONFLICT (namespace, id) DO UPDATE
        SET value = excluded.value, version = excluded.version, ends_at = excluded.ends_at
        WHERE held.version IS NULL OR held.version <= excluded.version
    RETURNING true";

const SET: &str = "
    INSERT INTO records (namespace, id, value, ends_at)
    VALUES ($1, $2, $3, now() + $4 * interval '1 second')
    ON CONFLICT (namespace, id) DO UPDATE SET value = excluded.value, ends_at = excluded.ends_at";

const GET: &str = "
    SELECT id, CASE WHEN ends_at > now() THEN value END, version
    FROM records WHERE namespace = $1 AND id = ANY ($2)";

/// Another timeline begins when a replica is promoted: what it had not received is lost.
const LIFE: &str = "
    SELECT system.system_identifier::text || '-' || checkpoint.timeline_id
    FROM pg_control_system() AS system, pg_control_checkpoint() AS checkpoint";

/// By how much the epoch of a new life lies beyond the clock that names it: other clocks may be ahead.
const AHEAD_MS: u64 = 60_000;

/// Records in PostgreSQL.
#[derive(Debug)]
pub(crate) struct PostgresStore {
    database: Arc<Database>,
}

impl PostgresStore {
    pub(crate) fn new(database: Arc<Database>) -> Self {
        Self { database }
    }

    /// What is held of each id, in their order.
    async fn held(&self, namespace: &str, ids: &[&str]) -> Result<Vec<Held>, StoreError> {
        let reader = self.database.reader().await.map_err(told)?;
        let rows = reader.query(GET, &[&namespace, &ids]).await.map_err(failed)?;
        let mut held = vec![Held::default(); ids.len()];
        for row in rows {
            let (id, value, version): (String, Option<String>, Option<String>) =
                (row.get(0), row.get(1), row.get(2));
            for (place, _) in held.iter_mut().zip(ids).filter(|(_, wanted)| **wanted == id) {
                *place = Held { value: value.clone(), version: version.as_deref().and_then(parse) };
            }
        }
        Ok(held)
    }

    async fn write_one(&self, write: &Write) -> Result<Written, StoreError> {
        let primary = self.database.primary().await.map_err(told)?;
        let version = text(write.version);
        let seconds = write.ttl.unwrap_or(TTL).as_secs_f64();
        let Write { namespace, id, value, .. } = write;
        let written =
            primary.query_opt(NEWER_STAYS, &[namespace, id, value, &version, &seconds]).await;
        if written.map_err(failed)?.is_some() {
            return Ok(Written::Done);
        }
        let newer = "SELECT version FROM records WHERE namespace = $1 AND id = $2";
        let row = primary.query_opt(newer, &[namespace, id]).await.map_err(failed)?;
        let by = row.and_then(|row| parse(row.get(0)));
        Ok(by.map_or(Written::Done, |by| Written::Superseded { by }))
    }
}

impl RemoteStore for PostgresStore {
    fn get_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
    ) -> Answer<'a, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            let held = self.held(namespace, &[id]).await?;
            Ok(held.into_iter().next().and_then(|held| held.value))
        })
    }

    fn get_entities<'a>(
        &'a self,
        namespace: &'a str,
        ids: &'a [&'a str],
    ) -> Answer<'a, Result<Vec<Option<String>>, StoreError>> {
        Box::pin(async move {
            let held = self.held(namespace, ids).await?;
            Ok(held.into_iter().map(|held| held.value).collect())
        })
    }

    fn get_all_entities<'a>(
        &'a self,
        namespace: &'a str,
    ) -> Answer<'a, Result<Vec<String>, StoreError>> {
        Box::pin(async move {
            let all = "SELECT value FROM records
                       WHERE namespace = $1 AND value IS NOT NULL AND ends_at > now()";
            let reader = self.database.reader().await.map_err(told)?;
            let rows = reader.query(all, &[&namespace]).await.map_err(failed)?;
            Ok(rows.into_iter().map(|row| row.get(0)).collect())
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
            let seconds = ttl.unwrap_or(TTL).as_secs_f64();
            let primary = self.database.primary().await.map_err(told)?;
            let set = primary.execute(SET, &[&namespace, &id, &value, &seconds]).await;
            set.map(drop).map_err(failed)
        })
    }

    fn remove_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
    ) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let remove = "UPDATE records SET value = NULL WHERE namespace = $1 AND id = $2";
            let primary = self.database.primary().await.map_err(told)?;
            let removed = primary.execute(remove, &[&namespace, &id]).await;
            removed.map(drop).map_err(failed)
        })
    }

    fn write<'a>(&'a self, batch: &'a [Write]) -> Answer<'a, Vec<Result<Written, StoreError>>> {
        Box::pin(async move {
            // One connection takes them all at once and answers in order.
            let writes = batch.iter().map(|write| self.write_one(write));
            futures_util::future::join_all(writes).await
        })
    }

    fn read<'a>(
        &'a self,
        namespace: &'a str,
        ids: &'a [&'a str],
    ) -> Answer<'a, Result<Vec<Held>, StoreError>> {
        Box::pin(self.held(namespace, ids))
    }

    fn life<'a>(&'a self) -> Answer<'a, Result<Option<Life>, StoreError>> {
        Box::pin(async move {
            let primary = self.database.primary().await.map_err(told)?;
            let name: String = primary.query_one(LIFE, &[]).await.map_err(failed)?.get(0);
            let epoch = i64::try_from(clock::unix_ms() + AHEAD_MS).unwrap_or(i64::MAX);
            let first = "INSERT INTO lives VALUES ($1, $2) ON CONFLICT DO NOTHING";
            primary.execute(first, &[&name, &epoch]).await.map_err(failed)?;
            let agreed = "SELECT epoch FROM lives WHERE name = $1";
            let epoch: i64 = primary.query_one(agreed, &[&name]).await.map_err(failed)?.get(0);
            Ok(Some(Life { name, epoch: u64::try_from(epoch).unwrap_or(0) }))
        })
    }

    fn clear<'a>(
        &'a self,
        namespace: &'a str,
        before: Version,
    ) -> Answer<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let clear = "UPDATE records SET value = NULL WHERE namespace = $1 AND version < $2";
            let primary = self.database.primary().await.map_err(told)?;
            let cleared = primary.execute(clear, &[&namespace, &text(before)]).await;
            cleared.map(drop).map_err(failed)
        })
    }
}

/// 32 hexadecimal digits, whose order as text is that of versions.
fn text(version: Version) -> String {
    format!("{:016x}{:016x}", version.epoch, version.seq)
}

fn parse(text: &str) -> Option<Version> {
    let (epoch, seq) = text.split_at_checked(16)?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    Some(Version::new(number(epoch)?, number(seq)?))
}

/// There is no connection: nothing was done.
fn told(error: Failed) -> StoreError {
    StoreError::Away { reason: error.to_string() }
}

/// The connection may have broken before or after it was done; what the server itself refuses is refused again.
fn failed(error: tokio_postgres::Error) -> StoreError {
    let error = Failed::from(error);
    if error.is_away() {
        StoreError::Uncertain { reason: error.to_string() }
    } else {
        StoreError::own(error)
    }
}
