//! The queue between shards and user: limits, wake-ups, parts of chunks, memory used again.

use std::sync::atomic::AtomicUsize;

use shardkeep_core::ShardId;
use shardkeep_core::wire::EventKind;

use super::*;
use crate::events::{Head, Topic};

fn staged(sequences: impl IntoIterator<Item = u64>) -> Chunk {
    let mut chunk = Chunk::default();
    for sequence in sequences {
        let (kind, topic) = (EventKind::TypingStart, Topic::Dispatch);
        let head = Head {
            shard: ShardId::SINGLE,
            sequence,
            topic,
            kind,
            replayed: false,
            session: 0,
        };
        assert!(chunk.push(head, "", b"0123456789"));
    }
    chunk
}

fn sequences(batch: &Batch) -> Vec<u64> {
    batch.iter().map(|entry| entry.sequence).collect()
}

#[test]
fn events_come_out_in_order_in_batches_of_at_most_max() {
    let queue = Arc::new(Queue::new(100, 10_000));
    queue.publish(&mut staged(0..5));
    queue.publish(&mut staged(5..7));
    assert_eq!(sequences(&queue.take(3).unwrap()), [0, 1, 2]);
    assert_eq!(sequences(&queue.take(3).unwrap()), [3, 4, 5]);
    queue.publish(&mut staged(7..8));
    assert_eq!(sequences(&queue.take(99).unwrap()), [6, 7]);
    assert!(queue.take(1).is_none());
    let status = queue.status();
    assert_eq!(
        (status.accepted, status.taken, status.events, status.bytes),
        (8, 8, 0, 0)
    );
}

#[test]
fn the_user_is_woken_once_until_the_queue_was_empty_again() {
    let queue = Arc::new(Queue::new(100, 10_000));
    let woken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&woken);
    queue.set_wake(Arc::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    }));
    queue.publish(&mut staged(0..2));
    queue.publish(&mut staged(2..4));
    assert_eq!(woken.load(Ordering::Relaxed), 1);
    assert_eq!(queue.take(3).unwrap().len(), 3);
    queue.publish(&mut staged(4..5));
    assert_eq!(
        woken.load(Ordering::Relaxed),
        1,
        "one event was still there"
    );
    assert_eq!(queue.take(9).unwrap().len(), 2);
    queue.publish(&mut staged(5..6));
    assert_eq!(woken.load(Ordering::Relaxed), 2);
    queue.close();
    assert_eq!(woken.load(Ordering::Relaxed), 3);
}

#[test]
fn what_is_put_can_be_taken_before_the_user_is_told() {
    let queue = Arc::new(Queue::new(100, 10_000));
    let cx = Context::from_waker(Waker::noop());
    queue.tell();
    queue.put(&mut staged(0..2));
    assert_eq!(queue.status().wakes, 0);
    assert_eq!(queue.take(9).unwrap().len(), 2);
    queue.tell();
    assert_eq!(queue.status().wakes, 0, "it was taken already");
    assert!(queue.poll_take(&cx, 9).is_pending());
    queue.put(&mut staged(2..3));
    queue.put(&mut staged(3..4));
    queue.tell();
    queue.tell();
    assert_eq!(queue.status().wakes, 1);
    assert!(matches!(queue.poll_take(&cx, 9), Poll::Ready(Some(batch)) if batch.len() == 2));
}

#[test]
fn spares_that_nobody_needed_are_freed() {
    let queue = Arc::new(Queue::new(1_000, 1 << 20));
    // Parts are copied into chunks of their own.
    queue.publish(&mut staged(0..20));
    let batches: Vec<_> = (0..10).filter_map(|_| queue.take(2)).collect();
    drop(batches);
    let spares = || queue.lock().spares.len();
    let many = spares();
    assert!(many >= 10, "{many}");
    queue.trim();
    assert_eq!(spares(), many, "they were in use since the last time");
    queue.publish(&mut staged(0..1));
    drop(queue.take(9));
    queue.trim();
    assert!((1..3).contains(&spares()), "{}", spares());
}

#[test]
fn full_by_events_or_bytes_until_half_is_taken() {
    for queue in [Queue::new(10, 1 << 20), Queue::new(1 << 20, 100)] {
        let queue = Arc::new(queue);
        let cx = Context::from_waker(Waker::noop());
        queue.publish(&mut staged(0..9));
        assert!(queue.poll_room(&cx).is_ready());
        queue.publish(&mut staged(9..12));
        assert!(queue.poll_room(&cx).is_pending());
        assert!(queue.status().full);
        queue.take(6).unwrap();
        assert!(queue.poll_room(&cx).is_pending());
        queue.take(1).unwrap();
        assert!(queue.poll_room(&cx).is_ready());
        assert_eq!(queue.status().full_times, 1);
        assert_eq!(
            queue.take(99).unwrap().len(),
            5,
            "what was beyond the limit is there too"
        );
    }
}

#[test]
fn a_closed_queue_gives_what_it_has_and_takes_nothing_in() {
    let queue = Arc::new(Queue::new(10, 1_000));
    let cx = Context::from_waker(Waker::noop());
    assert!(queue.poll_take(&cx, 10).is_pending());
    queue.publish(&mut staged(0..1));
    queue.close();
    queue.publish(&mut staged(1..2));
    assert!(matches!(queue.poll_take(&cx, 10), Poll::Ready(Some(batch)) if batch.len() == 1));
    assert!(matches!(queue.poll_take(&cx, 10), Poll::Ready(None)));
    assert!(queue.is_closed());
}

#[test]
fn nothing_is_allocated_for_an_event_once_the_queue_is_warm() {
    let queue = Arc::new(Queue::new(10_000, 1 << 20));
    let mut chunk = staged(0..64);
    let head = Head {
        shard: ShardId::SINGLE,
        sequence: 1,
        topic: Topic::Dispatch,
        kind: EventKind::MessageCreate,
        replayed: false,
        session: 0,
    };
    let mut round = || {
        for _ in 0..64 {
            chunk.push(head, "MESSAGE_CREATE", b"0123456789");
        }
        queue.publish(&mut chunk);
        queue
            .take(usize::MAX)
            .map_or(0, |batch| batch.iter().map(|entry| entry.data.len()).sum())
    };
    for _ in 0..SPARES + 2 {
        round();
    }
    let mut bytes: usize = 0;
    let counted = allocation_counter::measure(|| {
        for _ in 0..100 {
            bytes += round();
        }
    });
    assert_eq!(bytes, 100 * 64 * 10);
    assert_eq!(counted.count_total, 0);
}

#[test]
fn an_event_outlives_its_batch_and_can_let_go_of_it() {
    let queue = Arc::new(Queue::new(10, 1_000));
    queue.publish(&mut staged(3..6));
    let events: Vec<_> = queue.take(9).unwrap().into_events().collect();
    let kept = events[1].detach();
    drop(events);
    assert_eq!((kept.sequence(), &*kept.json()), (4, "0123456789"));
    assert_eq!(
        kept.parse::<u64>()
            .unwrap_err()
            .to_string()
            .split(':')
            .next(),
        Some("TYPING_START does not fit the type it was decoded to")
    );
}
