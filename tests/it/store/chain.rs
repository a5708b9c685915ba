//! What comes from chains: events and the ring of blocks.

use clearnet::store::{Batch, CursorRow, CursorTrim, InboxId, WriteError};
use domain::ledger::OwnerId;
use domain::primitives::ChainId;

use super::sample::{CHAIN, Writer, address, block, channel, event, hash};
use crate::harness::database::Database;

super::on_every_store!(
    tells_unhandled_events_in_order,
    an_event_is_handled_in_its_own_batch_or_later,
    a_block_of_the_same_height_replaces,
    trims_the_ring_before_it_adds,
    trims_no_other_chain,
);

async fn tells_unhandled_events_in_order(database: Database) {
    let mut writer = Writer::open(&database).await;
    let owners = [OwnerId::Channel(channel(1)), OwnerId::Participant(address(1)), OwnerId::Network(CHAIN)];
    let mut events: Vec<_> = (1..=9).map(|n| event(n, owners[n as usize % 3])).collect();
    events[4].key.chain_id = ChainId::new(2);
    let batch = Batch { inbox: events.clone(), ..writer.batch() };
    writer.write(&batch).await.unwrap();
    let batch = Batch { handled: vec![InboxId(1), InboxId(7)], ..writer.batch() };
    writer.write(&batch).await.unwrap();

    let store = &writer.store;
    let ids = |rows: Vec<clearnet::store::InboxRow>| rows.iter().map(|row| row.id.0).collect::<Vec<_>>();
    assert_eq!(ids(store.unhandled(CHAIN, None, 100).await.unwrap()), [2, 3, 4, 6, 8, 9]);
    assert_eq!(ids(store.unhandled(ChainId::new(2), None, 100).await.unwrap()), [5]);
    assert_eq!(ids(store.load(owners[0]).await.unwrap().inbox), [3, 6, 9]);
    assert_eq!(ids(store.load(owners[1]).await.unwrap().inbox), [4]);
    assert_eq!(ids(store.load(owners[2]).await.unwrap().inbox), [2, 5, 8]);
    assert_eq!(store.unhandled(CHAIN, Some(InboxId(8)), 1).await.unwrap(), [events[8].clone()]);
}

async fn an_event_is_handled_in_its_own_batch_or_later(database: Database) {
    let mut writer = Writer::open(&database).await;
    let owner = OwnerId::Channel(channel(1));
    let inbox = vec![event(1, owner), event(2, owner)];
    let batch = Batch { inbox, handled: vec![InboxId(1)], ..writer.batch() };
    writer.write(&batch).await.unwrap();
    assert_eq!(writer.store.load(owner).await.unwrap().inbox, [event(2, owner)]);
    // Once only: one that is handled, one that nobody has, and one named twice refuse the batch.
    for handled in [vec![InboxId(1)], vec![InboxId(3)], vec![InboxId(2), InboxId(2)]] {
        let batch = Batch { handled, ..writer.batch() };
        assert!(matches!(writer.store.write(&batch).await, Err(WriteError::Rejected { .. })));
    }
    let batch = Batch { handled: vec![InboxId(2)], ..writer.batch() };
    writer.write(&batch).await.unwrap();
    assert_eq!(writer.store.load(owner).await.unwrap().inbox, []);
    let batch = Batch { inbox: vec![event(3, owner)], ..writer.batch() };
    writer.write(&batch).await.unwrap();
    assert_eq!(writer.store.load(owner).await.unwrap().inbox, [event(3, owner)]);
}

async fn a_block_of_the_same_height_replaces(database: Database) {
    let mut writer = Writer::open(&database).await;
    let batch = Batch { cursors: vec![block(2), block(1)], ..writer.batch() };
    writer.write(&batch).await.unwrap();
    let other = CursorRow { hash: hash(0xee), ..block(2) };
    let batch = Batch { cursors: vec![other], ..writer.batch() };
    writer.write(&batch).await.unwrap();
    assert_eq!(writer.store.cursor(CHAIN).await.unwrap(), [block(1), other]);
}

async fn trims_the_ring_before_it_adds(database: Database) {
    let mut writer = Writer::open(&database).await;
    let ring = |heights: std::ops::RangeInclusive<u64>| heights.map(block).collect::<Vec<_>>();
    for (below, above, left) in [
        (0, u64::MAX, ring(1..=9)),
        (1, 9, ring(1..=9)),
        (2, 8, ring(2..=8)),
        (9, u64::MAX, ring(9..=9)),
        (0, 1, ring(1..=1)),
        (0, 0, vec![]),
        (u64::MAX, u64::MAX, vec![]),
        (6, 4, vec![]),
    ] {
        let batch = Batch { cursors: ring(1..=9), ..writer.batch() };
        writer.write(&batch).await.unwrap();
        let trim = CursorTrim { chain_id: CHAIN, below, above };
        let batch = Batch { cursor_trims: vec![trim], ..writer.batch() };
        writer.write(&batch).await.unwrap();
        assert_eq!(writer.store.cursor(CHAIN).await.unwrap(), left, "{below} {above}");
    }
    // The batch's own blocks stay, wherever they lie.
    let trim = CursorTrim { chain_id: CHAIN, below: 5, above: 5 };
    let batch = Batch { cursors: ring(1..=9), cursor_trims: vec![trim], ..writer.batch() };
    writer.write(&batch).await.unwrap();
    assert_eq!(writer.store.cursor(CHAIN).await.unwrap(), ring(1..=9));
}

async fn trims_no_other_chain(database: Database) {
    let mut writer = Writer::open(&database).await;
    let other = CursorRow { chain_id: ChainId::new(2), ..block(1) };
    let batch = Batch { cursors: vec![block(1), other], ..writer.batch() };
    writer.write(&batch).await.unwrap();
    let trims = [CHAIN, ChainId::new(u64::MAX)].map(|chain_id| CursorTrim { chain_id, below: 9, above: 9 });
    let batch = Batch { cursor_trims: trims.to_vec(), ..writer.batch() };
    writer.write(&batch).await.unwrap();
    assert_eq!(writer.store.cursor(CHAIN).await.unwrap(), []);
    assert_eq!(writer.store.cursor(ChainId::new(2)).await.unwrap(), [other]);
    assert_eq!(writer.store.cursor(ChainId::new(u64::MAX)).await.unwrap(), []);
}
