//! What is not as it should be.

use serde_json::Value;

use super::World;

impl World {
    /// Breaks one thing, somewhere.
    pub(super) fn spoil(&mut self, value: &mut Value) {
        let inner = match value {
            Value::Object(object) if !object.is_empty() => {
                let keys: Vec<String> = object.keys().cloned().collect();
                let key = &keys[self.below(keys.len() as u64) as usize];
                if self.one_in(6) {
                    object.remove(key);
                    return;
                }
                object.get_mut(key)
            }
            Value::Array(array) if !array.is_empty() => {
                let at = self.below(array.len() as u64) as usize;
                array.get_mut(at)
            }
            _ => None,
        };
        match inner {
            Some(inner) if !self.one_in(4) => self.spoil(inner),
            _ => {
                const JUNK: [&str; 13] = [
                    "null",
                    "5",
                    "\"x\"",
                    "[]",
                    "{}",
                    "true",
                    "\"0\"",
                    "-1",
                    "1.5",
                    "{\"id\":7}",
                    "[null]",
                    "\"007\"",
                    "18446744073709551616",
                ];
                let text = JUNK[self.below(JUNK.len() as u64) as usize];
                *value = serde_json::from_str(text).unwrap();
            }
        }
    }
}
