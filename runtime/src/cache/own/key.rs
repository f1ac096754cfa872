//! What an entry is called, and to which guild it belongs.

/// What an entry is called: its kind, such as `settings`, and its id within.
///
/// ```
/// use shardkeep::cache::OwnKey;
///
/// let user = OwnKey::from(("user_data", 80351110224678912_u64));
/// let settings = OwnKey::new("settings", "41771983423143937").of_guild(41771983423143937_u64);
/// # let _ = (user, settings);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OwnKey {
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) guild: Option<String>,
}

impl OwnKey {
    /// An entry of a kind.
    pub fn new(kind: impl Into<String>, id: impl ToString) -> Self {
        Self {
            kind: kind.into(),
            id: id.to_string(),
            guild: None,
        }
    }

    /// It holds no longer once its guild is invalidated. Say it wherever the entry is used: the guild is a part of what
    /// an entry is called.
    #[must_use]
    pub fn of_guild(mut self, guild: impl ToString) -> Self {
        self.guild = Some(guild.to_string());
        self
    }

    /// Where it lies in the store.
    pub(super) fn namespace(&self) -> String {
        match &self.guild {
            Some(guild) => format!("own:{}:{guild}", self.kind),
            None => format!("own:{}", self.kind),
        }
    }

    /// The name of the lock for loading it.
    pub(super) fn lock(&self) -> String {
        format!("{}:{}", self.namespace(), self.id)
    }
}

impl<K: Into<String>, I: ToString> From<(K, I)> for OwnKey {
    fn from((kind, id): (K, I)) -> Self {
        Self::new(kind, id)
    }
}
