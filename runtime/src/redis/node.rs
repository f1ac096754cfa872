//! One server: a connection that all commands share, made when first needed and made again when it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, RedisConnectionInfo};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex as Turn;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::address::{Address, Login};
use super::counts::Counters;
use super::{Command, RedisError, Reply, jitter};

/// The first wait after a connection could not be made. It doubles up to `BACKOFF_MAX`.
const BACKOFF: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// What all nodes of one Redis share.
pub(super) struct Common {
    pub(super) login: Login,
    pub(super) database: i64,
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) connect_limit: Duration,
    pub(super) counters: Counters,
}

pub(super) struct Node {
    pub(super) address: Address,
    common: Arc<Common>,
    state: Mutex<State>,
    /// Whose turn it is to connect.
    connecting: Turn<()>,
}

struct State {
    link: Option<Link>,
    links: u64,
    /// Connections in a row that could not be made, or brought no answer.
    failures: u32,
    retry_at: Option<Instant>,
    reason: String,
    answered_at: Instant,
    /// The present connection has brought an answer.
    has_answered: bool,
}

/// A connection. Its bytes move in a task of their own.
#[derive(Clone)]
struct Link {
    number: u64,
    connection: MultiplexedConnection,
    task: Arc<Task>,
}

struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Node {
    pub(super) fn new(address: Address, common: Arc<Common>) -> Self {
        Self {
            address,
            common,
            state: Mutex::new(State {
                link: None,
                links: 0,
                failures: 0,
                retry_at: None,
                reason: String::new(),
                answered_at: Instant::now(),
                has_answered: false,
            }),
            connecting: Turn::new(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether connecting failed a moment ago.
    pub(super) fn is_away(&self) -> bool {
        self.state().failures > 0
    }

    /// Forgets the connection: the next command makes a new one.
    pub(super) fn reconnect(&self) {
        self.state().link = None;
    }

    /// Sends a command and waits for the answer. `asking` goes before one that a node redirected here with `ASK`.
    pub(super) async fn send(
        &self,
        command: &Command,
        asking: bool,
        limit: Duration,
        deadline: Instant,
    ) -> Result<Reply, RedisError> {
        let mut link = self.link(deadline).await?;
        let sent_at = Instant::now();
        let answer = async {
            if !asking {
                return link.connection.send_packed_command(&command.cmd).await;
            }
            let mut both = redis::pipe();
            both.add_command(redis::cmd("ASKING"))
                .ignore()
                .add_command(command.cmd.clone());
            let mut answers = link.connection.send_packed_commands(&both, 1, 1).await?;
            Ok(answers.pop().unwrap_or(redis::Value::Nil))
        };
        let answer = timeout_at(deadline, answer).await;
        match answer {
            Ok(Ok(value)) => {
                self.answered();
                Reply::from_value(value).map_err(|error| self.redacted(error))
            }
            Ok(Err(error)) => Err(self.failed(&link, &error)),
            Err(_) => {
                self.silent(&link, sent_at);
                Err(RedisError::TimedOut { limit })
            }
        }
    }

    fn answered(&self) {
        let mut state = self.state();
        state.failures = 0;
        state.has_answered = true;
        state.answered_at = Instant::now();
    }

    /// What an error of the library means. All but the server's own errors end the connection.
    fn failed(&self, link: &Link, error: &redis::RedisError) -> RedisError {
        if let Some(code) = error.code()
            && !error.is_io_error()
        {
            self.answered();
            let message = error.detail().unwrap_or_default().to_owned();
            return RedisError::refused(code, &self.common.login.redact(message));
        }
        let reason = self.common.login.redact(error.to_string());
        self.lose(link, &reason);
        RedisError::Interrupted {
            address: self.address.to_string(),
            reason,
        }
    }

    /// A command got no answer in time. A connection on which nothing else was answered either is given up: whether
    /// its other end still lives cannot be told.
    fn silent(&self, link: &Link, sent_at: Instant) {
        if self.state().answered_at <= sent_at {
            self.lose(link, "it answered nothing for a whole time limit");
        }
    }

    fn lose(&self, link: &Link, reason: &str) {
        let mut state = self.state();
        if state
            .link
            .as_ref()
            .is_some_and(|now| now.number == link.number)
        {
            state.link = None;
            self.common.counters.lost();
            // A server that takes connections and answers nothing on them is as good as none.
            if !state.has_answered {
                state.fail(reason.to_owned());
            }
        }
    }

    /// The open connection, if there is one; an error while a new one is not to be tried yet.
    fn open_link(&self) -> Result<Option<Link>, RedisError> {
        let mut state = self.state();
        if let Some(link) = &state.link {
            if !link.task.0.is_finished() {
                return Ok(Some(link.clone()));
            }
            // The server closed it while nobody waited.
            state.link = None;
            self.common.counters.lost();
        }
        match state.retry_at {
            Some(at) if state.failures > 0 && Instant::now() < at => {
                Err(self.unreachable(state.reason.clone()))
            }
            _ => Ok(None),
        }
    }

    async fn link(&self, deadline: Instant) -> Result<Link, RedisError> {
        if let Some(link) = self.open_link()? {
            return Ok(link);
        }
        let Ok(_turn) = timeout_at(deadline, self.connecting.lock()).await else {
            return Err(self.unreachable(String::from("it is still being connected to")));
        };
        if let Some(link) = self.open_link()? {
            return Ok(link);
        }
        let deadline = deadline.min(Instant::now() + self.common.connect_limit);
        let opened = timeout_at(deadline, self.open()).await;
        let reason = match opened {
            Ok(Ok((connection, task))) => {
                let mut state = self.state();
                state.links += 1;
                state.has_answered = false;
                let link = Link {
                    number: state.links,
                    connection,
                    task: Arc::new(task),
                };
                state.link = Some(link.clone());
                drop(state);
                self.common.counters.connected();
                return Ok(link);
            }
            Ok(Err(reason)) => reason,
            Err(_) => String::from("it did not take the connection in time"),
        };
        self.state().fail(reason.clone());
        Err(self.unreachable(reason))
    }

    async fn open(&self) -> Result<(MultiplexedConnection, Task), String> {
        let tcp = self.tcp().await?;
        match self.tls()? {
            None => self.shake_hands(tcp).await,
            Some((connector, name)) => {
                let tls = connector.connect(name, tcp).await;
                self.shake_hands(tls.map_err(|error| error.to_string())?)
                    .await
            }
        }
    }

    async fn shake_hands<S>(&self, stream: S) -> Result<(MultiplexedConnection, Task), String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let made = MultiplexedConnection::new_with_config(&self.login(), stream, config).await;
        let (connection, driver) = made.map_err(|error| self.told(&error))?;
        Ok((connection, Task(tokio::spawn(driver))))
    }

    /// A connection for subscriptions alone.
    pub(super) async fn subscriber(&self) -> Result<PubSub, RedisError> {
        let open = async {
            let tcp = self.tcp().await?;
            let made = match self.tls()? {
                None => PubSub::new(&self.login(), tcp).await,
                Some((connector, name)) => {
                    let tls = connector.connect(name, tcp).await;
                    let tls = tls.map_err(|error| error.to_string())?;
                    PubSub::new(&self.login(), tls).await
                }
            };
            made.map_err(|error| self.told(&error))
        };
        let opened = tokio::time::timeout(self.common.connect_limit, open).await;
        let late = || Err(String::from("it did not take the connection in time"));
        opened
            .unwrap_or_else(|_| late())
            .map_err(|reason| self.unreachable(reason))
    }

    async fn tcp(&self) -> Result<TcpStream, String> {
        let address = (self.address.host.as_str(), self.address.port);
        let tcp = TcpStream::connect(address).await;
        let tcp = tcp.map_err(|error| error.to_string())?;
        tcp.set_nodelay(true).map_err(|error| error.to_string())?;
        Ok(tcp)
    }

    fn tls(&self) -> Result<Option<(TlsConnector, ServerName<'static>)>, String> {
        let Some(config) = &self.common.tls else {
            return Ok(None);
        };
        let name = ServerName::try_from(self.address.host.clone())
            .map_err(|_| String::from("its name cannot stand in a certificate"))?;
        Ok(Some((TlsConnector::from(Arc::clone(config)), name)))
    }

    fn login(&self) -> RedisConnectionInfo {
        let mut info = RedisConnectionInfo::default()
            .set_db(self.common.database)
            .set_lib_name("shardkeep", env!("CARGO_PKG_VERSION"));
        if let Some(username) = &self.common.login.username {
            info = info.set_username(username);
        }
        if let Some(password) = &self.common.login.password {
            info = info.set_password(password);
        }
        info
    }

    fn told(&self, error: &redis::RedisError) -> String {
        self.common.login.redact(error.to_string())
    }

    fn unreachable(&self, reason: String) -> RedisError {
        RedisError::Unreachable {
            address: self.address.to_string(),
            reason,
        }
    }

    fn redacted(&self, error: RedisError) -> RedisError {
        match error {
            RedisError::Refused { code, message } => RedisError::Refused {
                code,
                message: self.common.login.redact(message),
            },
            other => other,
        }
    }
}

impl State {
    fn fail(&mut self, reason: String) {
        let wait = BACKOFF * 2_u32.saturating_pow(self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(Instant::now() + jitter(wait.min(BACKOFF_MAX)));
        self.reason = reason;
    }
}
