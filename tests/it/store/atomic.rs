//! A batch is written completely or not at all.

use clearnet::store::{Batch, WriteError};

use super::sample::{Writer, full_batch, wallet};
use crate::harness::database::Database;
use crate::harness::digest::digest;

super::on_every_store!(
    leaves_nothing_of_a_refused_batch,
    keeps_a_batch_when_all_that_was_open_has_gone,
    shows_a_committed_batch_to_another_that_has_it_open,
);

/// Makes a batch collide with the first, which is kept.
type Collide = fn(&mut Batch, &Batch);

async fn leaves_nothing_of_a_refused_batch(database: Database) {
    let mut writer = Writer::open(&database).await;
    writer.write(&full_batch(writer.head, 1)).await.unwrap();
    let before = digest(&*writer.store).await;
    let first = full_batch(writer.head, 1);
    // What each puts last collides with what is kept, or with another row of its batch.
    let collide: [(&str, Collide); 11] = [
        ("an account's key", |batch, first| batch.accounts[0].key = first.accounts[0].key),
        ("an account's key within", |batch, _| {
            let (key, mut twin) = (batch.accounts[0].key, wallet(3));
            twin.key = key;
            batch.accounts.push(twin);
        }),
        ("an account twice", |batch, _| batch.accounts.push(batch.accounts[0].clone())),
        ("a transfer", |batch, first| batch.transfers.push(first.transfers[0].clone())),
        ("an entry", |batch, first| batch.entries.push(first.entries[0].clone())),
        ("a state twice", |batch, _| batch.states.push(batch.states[0].clone())),
        ("a request", |batch, first| batch.answers.push(first.answers[0].clone())),
        ("an event's number", |batch, first| batch.inbox[0].id = first.inbox[0].id),
        ("an event's key", |batch, first| batch.inbox[0].key = first.inbox[0].key),
        ("a block twice", |batch, _| batch.cursors.push(batch.cursors[0])),
        ("a chain transaction twice", |batch, _| batch.outbox.push(batch.outbox[0].clone())),
    ];
    for (what, collide) in collide {
        let mut batch = full_batch(writer.head, 2);
        collide(&mut batch, &first);
        let refused = writer.write(&batch).await;
        assert!(matches!(refused, Err(WriteError::Rejected { .. })), "{what}: {refused:?}");
        assert_eq!(digest(&*writer.store).await, before, "{what}");
    }
    writer.write(&full_batch(writer.head, 2)).await.unwrap();
    assert_ne!(digest(&*writer.store).await, before);
}

async fn keeps_a_batch_when_all_that_was_open_has_gone(database: Database) {
    let mut writer = Writer::open(&database).await;
    for n in 1..=20 {
        writer.write(&full_batch(writer.head, n)).await.unwrap();
    }
    let (before, head) = (digest(&*writer.store).await, writer.head);
    drop(writer);
    let store = database.open().await;
    assert_eq!(store.head().await.unwrap(), Some(head));
    assert_eq!(digest(&*store).await, before);
}

async fn shows_a_committed_batch_to_another_that_has_it_open(database: Database) {
    let mut writer = Writer::open(&database).await;
    let reader = database.open().await;
    for n in 1..=20 {
        let batch = full_batch(writer.head, n);
        writer.write(&batch).await.unwrap();
        assert_eq!(reader.head().await.unwrap(), Some(batch.head));
        assert_eq!(reader.load(batch.states[0].owner).await.unwrap().state, Some(batch.states[0].clone()));
    }
}
