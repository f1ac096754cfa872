//! Connections: one to the primary, one to each replica, made again when they break.

use std::fmt;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Mutex;
use tokio_postgres::{Client, Config, Error, NoTls};

/// A write counts as done when replicas that read for us have it too: set `synchronous_standby_names` to those. So
/// nobody reads something older than what a write has confirmed.
const CONFIRMED_BY_REPLICAS: &str = "SET synchronous_commit = remote_apply";

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS records (
        namespace text, id text, value text, version text, ends_at timestamptz,
        PRIMARY KEY (namespace, id)
    );
    CREATE TABLE IF NOT EXISTS lives (name text PRIMARY KEY, epoch bigint NOT NULL);
    CREATE TABLE IF NOT EXISTS greetings (guild text PRIMARY KEY, greeting text NOT NULL);
";

/// Why the database did not answer.
#[derive(Debug)]
pub(crate) struct Failed(Error);

impl Failed {
    /// Whether it was never asked.
    pub(crate) fn is_away(&self) -> bool {
        self.0.is_closed() || self.0.code().is_none()
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgreSQL: {}", self.0)
    }
}

impl std::error::Error for Failed {}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// One server, and the connection to it.
#[derive(Debug)]
struct Server {
    config: Config,
    is_primary: bool,
    client: Mutex<Option<Arc<Client>>>,
}

impl Server {
    async fn client(&self) -> Result<Arc<Client>, Failed> {
        let mut held = self.client.lock().await;
        if let Some(client) = held.as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        let (client, connection) = self.config.connect(NoTls).await?;
        tokio::spawn(async move {
            // Whoever uses the client is told.
            let _ended = connection.await;
        });
        if self.is_primary {
            client.batch_execute(CONFIRMED_BY_REPLICAS).await?;
        }
        let client = Arc::new(client);
        *held = Some(Arc::clone(&client));
        Ok(client)
    }
}

/// A primary for writes, and replicas for reads.
#[derive(Debug)]
pub(crate) struct Database {
    primary: Server,
    replicas: Vec<Server>,
    turn: AtomicUsize,
}

impl Database {
    /// Connection strings as `psql` takes them; replicas separated by semicolons.
    pub(crate) fn new(primary: &str, replicas: &str) -> Result<Self, Failed> {
        let server = |text: &str, is_primary| {
            let config = Config::from_str(text)?;
            Ok(Server { config, is_primary, client: Mutex::default() })
        };
        let replicas = replicas.split(';').map(str::trim).filter(|text| !text.is_empty());
        Ok(Self {
            primary: server(primary, true)?,
            replicas: replicas.map(|text| server(text, false)).collect::<Result<_, Failed>>()?,
            turn: AtomicUsize::new(0),
        })
    }

    pub(crate) async fn prepare(&self) -> Result<(), Failed> {
        let primary = self.primary().await?;
        // Processes that start together would create the same table at once.
        primary.batch_execute("SELECT pg_advisory_lock(7)").await?;
        let made = primary.batch_execute(TABLES).await;
        primary.batch_execute("SELECT pg_advisory_unlock(7)").await?;
        Ok(made?)
    }

    pub(crate) async fn primary(&self) -> Result<Arc<Client>, Failed> {
        self.primary.client().await
    }

    /// A replica that answers, in turn; the primary if none does.
    pub(crate) async fn reader(&self) -> Result<Arc<Client>, Failed> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        for at in 0..self.replicas.len() {
            let replica = &self.replicas[first.wrapping_add(at) % self.replicas.len()];
            if let Ok(client) = replica.client().await {
                return Ok(client);
            }
        }
        self.primary().await
    }

    /// What a guild is greeted with.
    pub(crate) async fn greeting(&self, guild: &str) -> Result<String, Failed> {
        let found = "SELECT greeting FROM greetings WHERE guild = $1";
        let row = self.reader().await?.query_opt(found, &[&guild]).await?;
        Ok(row.map_or_else(|| "hello".to_owned(), |row| row.get(0)))
    }
}
