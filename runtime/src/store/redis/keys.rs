//! The names of keys: values where any client expects them, their companions in the same slot of a cluster.

use super::super::StoreError;

/// Names keys below a prefix.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    prefix: String,
    /// The prefix has a hash tag: all keys lie in one slot.
    has_tag: bool,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Result<Self, StoreError> {
        let braces = prefix.matches(['{', '}']).count();
        let tag = prefix
            .split_once('{')
            .and_then(|(_, rest)| rest.split_once('}'));
        let has_tag = tag.is_some_and(|(inner, _)| !inner.is_empty());
        if braces > 0 && !(braces == 2 && has_tag) {
            return Err(StoreError::Key {
                reason: "the prefix may have one {hash tag}, and no other braces",
            });
        }
        Ok(Self {
            prefix: prefix.to_owned(),
            has_tag,
        })
    }

    /// Where a value is.
    pub(super) fn value(&self, namespace: &str, id: &str) -> String {
        format!("{}{namespace}:{id}", self.prefix)
    }

    /// Where the version of a value is.
    pub(super) fn version(&self, namespace: &str, id: &str) -> String {
        self.companion(&self.value(namespace, id), "version")
    }

    /// Where the ids of a namespace are.
    pub(super) fn index(&self, namespace: &str) -> String {
        self.companion(&format!("{}{namespace}", self.prefix), "index")
    }

    /// A key in the slot of `plain`: a cluster looks at what stands in the first braces alone. Namespaces and ids have
    /// none, so that it cannot be the key of a value.
    fn companion(&self, plain: &str, what: &str) -> String {
        if self.has_tag {
            format!("{plain}{{{what}}}")
        } else {
            format!("{{{plain}}}{what}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::slot_of;

    #[test]
    fn values_stand_under_plain_names_and_companions_in_their_slots() {
        for (prefix, value) in [
            ("zira:", "zira:user:80351110224678912"),
            ("", "user:80351110224678912"),
            ("{zira}:", "{zira}:user:80351110224678912"),
        ] {
            let keys = Keys::new(prefix).unwrap();
            let id = "80351110224678912";
            assert_eq!(keys.value("user", id), value);
            let slot = slot_of(value.as_bytes());
            assert_eq!(slot_of(keys.version("user", id).as_bytes()), slot);
            assert_ne!(keys.version("user", id), value);
            assert_ne!(keys.index("user"), keys.index("member:1"));
        }
        let keys = Keys::new("zira:").unwrap();
        assert_eq!(keys.version("user", "1"), "{zira:user:1}version");
        assert_eq!(keys.index("member:1"), "{zira:member:1}index");
        for bad in ["{", "}", "{}", "a{b", "{a}{b}", "}a{"] {
            assert!(Keys::new(bad).is_err(), "{bad}");
        }
    }
}
