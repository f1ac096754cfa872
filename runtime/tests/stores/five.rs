//! A store as a user writes it: the five operations and nothing else.

use std::time::Duration;

use shardkeep::store::{Answer, MemoryStore, RemoteStore, StoreError};

/// Keeps what it is given in memory, and leaves versions to the default.
#[derive(Debug)]
pub(crate) struct Five(pub(crate) MemoryStore);

impl RemoteStore for Five {
    fn get_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
    ) -> Answer<'a, Result<Option<String>, StoreError>> {
        self.0.get_entity(namespace, id)
    }

    fn get_entities<'a>(
        &'a self,
        namespace: &'a str,
        ids: &'a [&'a str],
    ) -> Answer<'a, Result<Vec<Option<String>>, StoreError>> {
        self.0.get_entities(namespace, ids)
    }

    fn get_all_entities<'a>(
        &'a self,
        namespace: &'a str,
    ) -> Answer<'a, Result<Vec<String>, StoreError>> {
        self.0.get_all_entities(namespace)
    }

    fn set_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
        value: &'a str,
        ttl: Option<Duration>,
    ) -> Answer<'a, Result<(), StoreError>> {
        self.0.set_entity(namespace, id, value, ttl)
    }

    fn remove_entity<'a>(
        &'a self,
        namespace: &'a str,
        id: &'a str,
    ) -> Answer<'a, Result<(), StoreError>> {
        self.0.remove_entity(namespace, id)
    }
}
