//! What a later batch does to rows of an earlier one.

use clearnet::store::{AccountId, Batch, EntryId, OutboxStatus, Revision, StateKind, StateRow};
use domain::ledger::{AccountKey, OwnerId};
use domain::primitives::Amount;

use super::sample::{
    CHAIN, NUMBER_MAX, Writer, account, address, answer, at, chain_tx, channel, full_batch, request, state,
    token, wallet,
};
use crate::harness::database::Database;

super::on_every_store!(
    a_newer_state_replaces_all_of_the_older,
    a_newer_account_replaces_all_but_its_name,
    a_newer_chain_transaction_replaces_the_older,
    a_repeated_member_changes_nothing,
    pruned_answers_are_gone_and_the_oldest_go_first,
);

async fn a_newer_state_replaces_all_of_the_older(database: Database) {
    let mut writer = Writer::open(&database).await;
    let owner = OwnerId::Channel(channel(1));
    let other = state(OwnerId::Channel(channel(2)), Some(5));
    let batch = Batch { states: vec![state(owner, Some(5)), other.clone()], ..writer.batch() };
    writer.write(&batch).await.unwrap();
    let newer = StateRow {
        owner,
        revision: Revision(NUMBER_MAX),
        kind: StateKind::Virtual,
        phase: 9,
        due_at: None,
        body: vec![],
    };
    let batch = Batch { states: vec![newer.clone()], ..writer.batch() };
    writer.write(&batch).await.unwrap();
    assert_eq!(writer.store.state_page(None, 10).await.unwrap(), [newer.clone(), other.clone()]);
    assert_eq!(writer.store.load(owner).await.unwrap().state, Some(newer));
    assert_eq!(writer.store.due(at(5), None, 10).await.unwrap(), [(at(5), other.owner)]);
}

async fn a_newer_account_replaces_all_but_its_name(database: Database) {
    let mut writer = Writer::open(&database).await;
    let batch = Batch { accounts: vec![wallet(1), wallet(2)], ..writer.batch() };
    writer.write(&batch).await.unwrap();
    let mut newer = wallet(1);
    newer.balance = Amount::MAX;
    newer.credit_no = 77;
    newer.last_entry = EntryId(88);
    let third = wallet(3);
    let batch = Batch { accounts: vec![third.clone(), newer.clone()], ..writer.batch() };
    writer.write(&batch).await.unwrap();
    let kept = [newer.clone(), wallet(2), third.clone()];
    assert_eq!(writer.store.account_page(None, 10).await.unwrap(), kept);

    let renamed = account(1, AccountKey::wallet(address(9), token()));
    let batch = Batch { accounts: vec![renamed.clone()], ..writer.batch() };
    writer.write(&batch).await.unwrap();
    let kept = writer.store.account_page(None, 1).await.unwrap();
    assert_eq!((kept[0].id, kept[0].key, kept[0].balance), (AccountId(1), newer.key, renamed.balance));
    assert_eq!(writer.store.accounts(&[renamed.key]).await.unwrap(), []);
}

async fn a_newer_chain_transaction_replaces_the_older(database: Database) {
    let mut writer = Writer::open(&database).await;
    let rows = vec![chain_tx(1, OutboxStatus::Open), chain_tx(2, OutboxStatus::Open)];
    let batch = Batch { outbox: rows, ..writer.batch() };
    writer.write(&batch).await.unwrap();
    let mut changed = chain_tx(2, OutboxStatus::Open);
    changed.owner = OwnerId::Participant(address(1));
    changed.body = vec![];
    let batch = Batch { outbox: vec![chain_tx(1, OutboxStatus::Done), changed.clone()], ..writer.batch() };
    writer.write(&batch).await.unwrap();
    assert_eq!(writer.store.open_outbox(CHAIN, None, 10).await.unwrap(), [changed.clone()]);
    let batch = Batch { outbox: vec![chain_tx(1, OutboxStatus::Open)], ..writer.batch() };
    writer.write(&batch).await.unwrap();
    let open = [chain_tx(1, OutboxStatus::Open), changed];
    assert_eq!(writer.store.open_outbox(CHAIN, None, 10).await.unwrap(), open);
}

async fn a_repeated_member_changes_nothing(database: Database) {
    let mut writer = Writer::open(&database).await;
    let member = full_batch(writer.head, 1).members[0];
    for members in [vec![member, member], vec![member]] {
        let batch = Batch { members, ..writer.batch() };
        writer.write(&batch).await.unwrap();
        let channels = writer.store.channels_of(member.participant, None, 10).await.unwrap();
        assert_eq!(channels, [member.channel]);
    }
}

async fn pruned_answers_are_gone_and_the_oldest_go_first(database: Database) {
    let mut writer = Writer::open(&database).await;
    let answers: Vec<_> = (1..=9).map(|n| answer(request(n))).collect();
    let batch = Batch { answers: answers.clone(), ..writer.batch() };
    writer.write(&batch).await.unwrap();
    let store = &writer.store;
    let kept = async || store.answers(at(0), None, 100).await.unwrap();
    for (before, max, pruned, left) in [
        (0, 100, 0, 0),
        (1, 100, 0, 0),
        (5, 0, 0, 0),
        (5, 3, 3, 3),
        (5, 3, 1, 4),
        (5, 3, 0, 4),
        (9, 100, 4, 8),
        (u64::MAX, 100, 1, 9),
        (u64::MAX, 100, 0, 9),
    ] {
        assert_eq!(store.prune_answers(at(before), max).await.unwrap(), pruned, "{before} {max}");
        assert_eq!(kept().await, answers[left..], "{before} {max}");
    }
    // A pruned key is free again: that it is too old is for the journal to say.
    writer.write(&Batch { answers: vec![answers[0].clone()], ..writer.batch() }).await.unwrap();
}
