//! The faults that the store in memory makes on demand.

use clearnet::store::{Fault, MemoryStore, Store, StoreError, WriteError};
use futures::FutureExt;

use super::sample::{broker, full_batch};
use crate::harness::digest::digest;

#[tokio::test]
async fn each_fault_says_the_truth_about_what_was_written() {
    for fault in [Fault::Rejected, Fault::Down, Fault::UnknownWritten, Fault::UnknownNotWritten] {
        let store = MemoryStore::new();
        let head = store.open_writer(broker()).await.unwrap();
        let (batch, before) = (full_batch(head, 1), digest(&store).await);
        store.fail_write(fault);
        let failed = store.write(&batch).await.unwrap_err();
        let is_written = store.head().await.unwrap() == Some(batch.head);
        match fault {
            Fault::Rejected => assert!(matches!(failed, WriteError::Rejected { .. })),
            Fault::Down => assert!(matches!(failed, WriteError::Down { .. })),
            Fault::UnknownWritten | Fault::UnknownNotWritten => {
                assert!(matches!(failed, WriteError::Unknown { .. }));
            }
        }
        assert_eq!(is_written, fault == Fault::UnknownWritten, "{fault:?}");
        assert_eq!(digest(&store).await == before, !is_written, "{fault:?}");
        if !is_written {
            store.write(&batch).await.unwrap();
        }
    }
}

#[tokio::test]
async fn faults_come_in_the_order_they_were_asked_for() {
    let store = MemoryStore::new();
    let batch = full_batch(store.open_writer(broker()).await.unwrap(), 1);
    store.fail_write(Fault::Down);
    store.fail_write(Fault::Rejected);
    assert!(matches!(store.write(&batch).await, Err(WriteError::Down { .. })));
    assert!(matches!(store.write(&batch).await, Err(WriteError::Rejected { .. })));
    store.write(&batch).await.unwrap();
}

#[tokio::test]
async fn while_away_nothing_answers_and_afterwards_all_is_as_before() {
    let store = MemoryStore::new();
    let batch = full_batch(store.open_writer(broker()).await.unwrap(), 1);
    let before = digest(&store).await;
    store.set_away(true);
    assert!(matches!(store.write(&batch).await, Err(WriteError::Down { .. })));
    assert!(matches!(store.head().await, Err(StoreError::Unavailable { .. })));
    assert!(matches!(store.open_writer(broker()).await, Err(StoreError::Unavailable { .. })));
    store.set_away(false);
    assert_eq!(digest(&store).await, before);
    store.write(&batch).await.unwrap();
}

#[tokio::test]
async fn held_writes_wait_until_they_are_let_go() {
    let store = MemoryStore::new();
    let batch = full_batch(store.open_writer(broker()).await.unwrap(), 1);
    let held = store.hold_writes().await;
    let mut writing = store.write(&batch);
    assert!(writing.as_mut().now_or_never().is_none());
    assert_eq!(store.head().await.unwrap().unwrap().seq.0, 0);
    drop(held);
    writing.await.unwrap();
}
