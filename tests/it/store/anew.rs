//! A batch that begins the book anew: all that was kept goes, but what must outlive it.

use clearnet::store::{
    AccountId, Batch, EntryId, Head, InboxId, MemberRow, OutboxId, OutboxStatus, TransferId, WriteError,
};
use domain::ledger::OwnerId;
use domain::primitives::Timestamp;

use super::sample::{
    CHAIN, Writer, address, answer, at, block, chain_tx, channel, entry, event, full_batch, request, state,
    transfer, wallet,
};
use crate::harness::database::Database;
use crate::harness::digest::digest;

super::on_every_store!(
    nothing_stays_but_answers_and_the_states_of_people_and_networks,
    rows_of_the_new_book_may_be_numbered_and_named_like_those_of_the_old,
    a_refused_beginning_leaves_the_old_book,
    a_beginning_is_fenced_like_any_batch,
);

/// A book with rows of all kinds.
async fn old_book(database: &Database) -> Writer {
    let mut writer = Writer::open(database).await;
    for n in 1..=9 {
        writer.write(&full_batch(writer.head, n)).await.unwrap();
    }
    let owners = [OwnerId::Network(CHAIN), OwnerId::Participant(address(1))];
    let states = owners.map(|owner| state(owner, Some(5))).to_vec();
    let handled = vec![InboxId(9)];
    writer.write(&Batch { states, handled, ..writer.batch() }).await.unwrap();
    writer
}

/// An empty book after this head.
fn anew(head: Head) -> Batch {
    Batch {
        head: Head { fence: head.fence, seq: head.seq.next(), ..Head::default() },
        begins_anew: true,
        ..Batch::default()
    }
}

async fn nothing_stays_but_answers_and_the_states_of_people_and_networks(database: Database) {
    let mut writer = old_book(&database).await;
    let epoch = Timestamp::from_millis(0);
    let answers = writer.store.answers(epoch, None, 100).await.unwrap();
    writer
        .write(&Batch { answers: vec![answer(request(77))], cursors: vec![block(50)], ..anew(writer.head) })
        .await
        .unwrap();
    let store = &writer.store;
    let owners = [OwnerId::Participant(address(1)), OwnerId::Network(CHAIN)];
    assert_eq!(store.head().await.unwrap(), Some(writer.head));
    assert!(store.account_page(None, 10).await.unwrap().is_empty());
    assert!(store.transfer_page(None, 10).await.unwrap().is_empty());
    assert!(store.entry_page(None, 10).await.unwrap().is_empty());
    assert_eq!(store.state_page(None, 10).await.unwrap(), owners.map(|owner| state(owner, Some(5))));
    assert!(store.channels_of(address(1), None, 10).await.unwrap().is_empty());
    assert!(store.unhandled(CHAIN, None, 10).await.unwrap().is_empty());
    assert!(store.open_outbox(CHAIN, None, 10).await.unwrap().is_empty());
    assert_eq!(store.cursor(CHAIN).await.unwrap(), [block(50)]);
    let due = store.due(at(9), None, 10).await.unwrap();
    assert_eq!(due.into_iter().map(|(_, owner)| owner).collect::<Vec<_>>(), owners);
    let kept = store.answers(epoch, None, 100).await.unwrap();
    assert_eq!(kept, [&answers[..], &[answer(request(77))]].concat());
}

async fn rows_of_the_new_book_may_be_numbered_and_named_like_those_of_the_old(database: Database) {
    let mut writer = old_book(&database).await;
    let owner = OwnerId::Channel(channel(1));
    let batch = Batch {
        accounts: vec![wallet(1)],
        transfers: vec![transfer(1)],
        entries: vec![entry(1, 1, None)],
        states: vec![state(owner, Some(1))],
        members: vec![MemberRow { participant: address(1), channel: channel(1) }],
        inbox: vec![event(1, owner)],
        outbox: vec![chain_tx(1, OutboxStatus::Open)],
        ..anew(writer.head)
    };
    let mut batch = batch;
    let head = &mut batch.head;
    (head.account, head.transfer, head.entry) = (AccountId(1), TransferId(1), EntryId(1));
    (head.inbox, head.outbox) = (InboxId(1), OutboxId(1));
    writer.write(&batch).await.unwrap();
    assert_eq!(writer.store.account_page(None, 10).await.unwrap(), [wallet(1)]);
    assert_eq!(writer.store.load(owner).await.unwrap().state, Some(state(owner, Some(1))));
    assert_eq!(writer.store.load(owner).await.unwrap().inbox, [event(1, owner)]);
    // And the book goes on.
    let next = Batch { answers: Vec::new(), ..full_batch(writer.head, 2) };
    writer.write(&next).await.unwrap();
}

async fn a_refused_beginning_leaves_the_old_book(database: Database) {
    let mut writer = old_book(&database).await;
    let before = digest(&*writer.store).await;
    // What is written last, or is looked at last, is wrong.
    let known = Batch { answers: vec![answer(request(1))], ..anew(writer.head) };
    let not_waiting = Batch { handled: vec![InboxId(1)], ..anew(writer.head) };
    for (what, batch) in [("a known answer", known), ("an event of the old book", not_waiting)] {
        let refused = writer.write(&batch).await;
        assert!(matches!(refused, Err(WriteError::Rejected { .. })), "{what}: {refused:?}");
        assert_eq!(digest(&*writer.store).await, before, "{what}");
    }
    writer.write(&anew(writer.head)).await.unwrap();
    assert_ne!(digest(&*writer.store).await, before);
}

async fn a_beginning_is_fenced_like_any_batch(database: Database) {
    let mut writer = old_book(&database).await;
    let before = digest(&*writer.store).await;
    let _second = Writer::open(&database).await;
    let refused = writer.write(&anew(writer.head)).await;
    assert!(matches!(refused, Err(WriteError::Fenced)), "{refused:?}");
    assert_eq!(digest(&*writer.store).await, before);
}
