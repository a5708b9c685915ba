//! One writer at a time, of one broker, from one batch to the next.

use clearnet::store::{CommitSeq, Fence, Head, StoreError, WriteError};

use super::sample::{Writer, address, broker, full_batch};
use crate::harness::database::Database;
use crate::harness::digest::digest;

super::on_every_store!(
    begins_empty_and_has_no_head_before,
    raises_the_fence_at_every_opening,
    refuses_the_key_of_another_broker,
    shuts_out_the_writer_before,
    refuses_a_batch_that_does_not_follow,
    refuses_to_write_what_was_never_opened,
);

async fn begins_empty_and_has_no_head_before(database: Database) {
    let store = database.open().await;
    assert_eq!(store.head().await.unwrap(), None);
    let head = store.open_writer(broker()).await.unwrap();
    assert_eq!(head, Head { fence: Fence(1), ..Head::default() });
    assert_eq!(store.head().await.unwrap(), Some(head));
}

async fn raises_the_fence_at_every_opening(database: Database) {
    let mut writer = Writer::open(&database).await;
    writer.write(&full_batch(writer.head, 1)).await.unwrap();
    for fence in 2..5 {
        let head = Head { fence: Fence(fence), ..writer.head };
        assert_eq!(writer.store.open_writer(broker()).await.unwrap(), head);
        assert_eq!(database.open().await.head().await.unwrap(), Some(head));
    }
}

async fn refuses_the_key_of_another_broker(database: Database) {
    let mut writer = Writer::open(&database).await;
    let refused = database.open().await.open_writer(address(1)).await;
    let Err(StoreError::OtherBroker { stored, given }) = refused else { panic!("{refused:?}") };
    assert_eq!((stored, given), (broker(), address(1)));
    // And the one who may write still may.
    writer.write(&full_batch(writer.head, 1)).await.unwrap();
}

async fn shuts_out_the_writer_before(database: Database) {
    let mut old = Writer::open(&database).await;
    old.write(&full_batch(old.head, 1)).await.unwrap();
    let mut new = Writer::open(&database).await;
    assert_eq!(new.head, Head { fence: Fence(2), ..old.head });
    let before = digest(&*new.store).await;
    assert!(matches!(old.write(&full_batch(old.head, 2)).await, Err(WriteError::Fenced)));
    assert_eq!(digest(&*new.store).await, before);
    new.write(&full_batch(new.head, 2)).await.unwrap();
    assert!(matches!(old.write(&full_batch(old.head, 3)).await, Err(WriteError::Fenced)));
}

async fn refuses_a_batch_that_does_not_follow(database: Database) {
    let mut writer = Writer::open(&database).await;
    for n in 1..=2 {
        writer.write(&full_batch(writer.head, n)).await.unwrap();
    }
    let before = digest(&*writer.store).await;
    for seq in [0, 1, 2, 4, i64::MAX as u64] {
        let mut batch = full_batch(writer.head, 3);
        batch.head.seq = CommitSeq(seq);
        let refused = writer.store.write(&batch).await;
        assert!(matches!(refused, Err(WriteError::Fenced)), "{seq}: {refused:?}");
    }
    for fence in [0, 2, u64::MAX] {
        let mut batch = full_batch(writer.head, 3);
        batch.head.fence = Fence(fence);
        let refused = writer.store.write(&batch).await;
        assert!(matches!(refused, Err(WriteError::Fenced)), "{fence}: {refused:?}");
    }
    assert_eq!(digest(&*writer.store).await, before);
    writer.write(&full_batch(writer.head, 3)).await.unwrap();
}

async fn refuses_to_write_what_was_never_opened(database: Database) {
    let store = database.open().await;
    let refused = store.write(&full_batch(Head::default(), 1)).await;
    assert!(matches!(refused, Err(WriteError::Fenced)), "{refused:?}");
    assert_eq!(store.head().await.unwrap(), None);
    assert_eq!(store.account_page(None, 10).await.unwrap(), []);
}
