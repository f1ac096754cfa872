//! Letters between the processes of a fleet, in a change of shards. What does not arrive is said again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shardkeep_core::fleet::reshard::across::{Letter, To};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::bus::{Delivery, EventBus, Listening};

/// How many letters may wait to be sent, and to be read.
pub(super) const ROOM: usize = 4_096;

/// The pause before it is tried again to listen.
const PAUSE: Duration = Duration::from_millis(250);

/// The way to the other processes, while a change is under way.
pub(in crate::bot) struct Mail {
    out: mpsc::Sender<(String, Vec<u8>)>,
    inbox: mpsc::Receiver<Letter>,
    dropped: Arc<AtomicU64>,
    tasks: [JoinHandle<()>; 2],
}

impl Mail {
    /// Over a bus on which each process has a topic of its own.
    pub(super) fn over(bus: Arc<dyn EventBus>, me: &str) -> Self {
        let (out, mut outgoing) = mpsc::channel::<(String, Vec<u8>)>(ROOM);
        let (incoming, inbox) = mpsc::channel(ROOM);
        let dropped = Arc::new(AtomicU64::new(0));
        let sending = {
            let bus = Arc::clone(&bus);
            tokio::spawn(async move {
                while let Some((topic, bytes)) = outgoing.recv().await {
                    if let Err(error) = bus.publish(&topic, &bytes).await {
                        tracing::debug!(%error, "a letter was not sent: it is said again");
                    }
                }
            })
        };
        let own = topic_of(&To::Process(me.to_owned()));
        let listening = {
            let dropped = Arc::clone(&dropped);
            tokio::spawn(listen(bus, [topic_of(&To::All), own], incoming, dropped))
        };
        Self {
            out,
            inbox,
            dropped,
            tasks: [sending, listening],
        }
    }

    pub(super) fn send(&self, to: &To, letter: &Letter) {
        if self.out.try_send((topic_of(to), letter.write())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The next letter.
    pub(super) async fn next(&mut self) -> Option<Letter> {
        self.inbox.recv().await
    }

    /// Letters for which there was no room, or that could not be read.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for Mail {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn topic_of(to: &To) -> String {
    match to {
        To::All => "all".to_owned(),
        To::Process(instance) => format!("to.{instance}"),
    }
}

async fn listen(
    bus: Arc<dyn EventBus>,
    topics: [String; 2],
    incoming: mpsc::Sender<Letter>,
    dropped: Arc<AtomicU64>,
) {
    let [all, own] = topics;
    let mut all = subscribe(&*bus, &all).await;
    let mut own = subscribe(&*bus, &own).await;
    loop {
        let delivery = tokio::select! {
            delivery = all.next() => delivery,
            delivery = own.next() => delivery,
        };
        let event = match delivery {
            Some(Delivery::Event(event)) => event,
            // What is missing is said again.
            Some(Delivery::Gap) => continue,
            None => return,
        };
        let is_taken = match Letter::read(&event.payload) {
            Some(letter) => incoming.try_send(letter).is_ok(),
            None => false,
        };
        if !is_taken {
            dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// As soon as the bus can be reached.
async fn subscribe(bus: &dyn EventBus, topic: &str) -> Listening {
    loop {
        match bus.subscribe(topic).await {
            Ok(listening) => return listening,
            Err(error) => {
                tracing::debug!(%error, "letters of the other processes cannot be heard yet");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
