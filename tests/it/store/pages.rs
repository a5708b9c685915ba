//! Every read that has pages, at their borders.

use std::fmt::Debug;

use clearnet::store::{
    AccountId, Batch, EntryId, InboxId, MemberRow, OutboxId, OutboxStatus, StateKind, StateRow, TransferId,
};
use domain::ledger::{OwnerId, RequestKey};
use domain::primitives::{Address, ChainId, ChannelId};

use super::sample::{
    CHAIN, Writer, address, answer, at, chain_tx, channel, entry, event, request, state, transfer, wallet,
};
use crate::harness::database::Database;

super::on_every_store!(
    pages_numbered_rows,
    pages_states_by_owner,
    pages_answers_by_key,
    pages_channels_of_a_participant,
    pages_what_goes_to_and_comes_from_a_chain,
    tells_who_is_due_the_longest_due_first,
    tells_which_channels_are_in_a_phase_and_who_has_one,
);

/// Walks through pages of every size and compares with `all`.
async fn assert_pages<T, K, F>(all: &[T], key: impl Fn(&T) -> K, page: F)
where
    T: PartialEq + Debug + Clone,
    K: Clone,
    F: AsyncFn(Option<K>, u32) -> Vec<T>,
{
    assert_eq!(page(None, 0).await, []);
    for size in 1..=all.len() + 1 {
        let (mut walked, mut after) = (Vec::new(), None);
        loop {
            let rows = page(after.clone(), u32::try_from(size).unwrap()).await;
            assert!(rows.len() <= size);
            let Some(last) = rows.last() else { break };
            after = Some(key(last));
            walked.extend(rows.clone());
            assert!(walked.len() <= all.len(), "pages of {size} do not end");
        }
        assert_eq!(walked, all, "pages of {size}");
    }
}

async fn pages_numbered_rows(database: Database) {
    let mut writer = Writer::open(&database).await;
    // Written in pieces and with gaps: the order is that of the numbers.
    let (accounts, transfers) = ([1, 2, 5, 9].map(wallet), [1, 2, 5, 9].map(transfer));
    let entries = [1, 2, 5, 9].map(|id| entry(id, 1, None));
    for range in [2..4, 0..2] {
        let batch = Batch {
            accounts: accounts[range.clone()].to_vec(),
            transfers: transfers[range.clone()].to_vec(),
            entries: entries[range].to_vec(),
            ..writer.batch()
        };
        writer.write(&batch).await.unwrap();
    }
    let store = &writer.store;
    let pages = async |after, max| store.account_page(after, max).await.unwrap();
    assert_pages(&accounts, |row| row.id, pages).await;
    assert_eq!(pages(Some(AccountId(3)), 1).await, [accounts[2].clone()]);
    assert_eq!(pages(Some(AccountId(u64::MAX)), 9).await, []);
    let pages = async |after, max| store.transfer_page(after, max).await.unwrap();
    assert_pages(&transfers, |row| row.id, pages).await;
    assert_eq!(pages(Some(TransferId(3)), 1).await, [transfers[2].clone()]);
    assert_eq!(pages(Some(TransferId(u64::MAX)), 9).await, []);
    let pages = async |after, max| store.entry_page(after, max).await.unwrap();
    assert_pages(&entries, |row| row.id, pages).await;
    assert_eq!(pages(Some(EntryId(3)), 1).await, [entries[2].clone()]);
    assert_eq!(pages(Some(EntryId(u64::MAX)), 9).await, []);
}

async fn pages_states_by_owner(database: Database) {
    let mut writer = Writer::open(&database).await;
    let mut owners = [
        OwnerId::Network(ChainId::new(256)),
        OwnerId::Network(ChainId::new(1)),
        OwnerId::Network(ChainId::new(u64::MAX)),
        OwnerId::Participant(Address::ZERO),
        OwnerId::Participant(address(0xff)),
        OwnerId::Channel(ChannelId::NONE),
        OwnerId::Channel(channel(7)),
        OwnerId::Channel(channel(0xff)),
    ];
    let batch = Batch { states: owners.iter().map(|owner| state(*owner, None)).collect(), ..writer.batch() };
    writer.write(&batch).await.unwrap();
    owners.sort();
    let states: Vec<_> = owners.iter().map(|owner| state(*owner, None)).collect();
    let store = &writer.store;
    let pages = async |after, max| store.state_page(after, max).await.unwrap();
    assert_pages(&states, |row| row.owner, pages).await;
    assert_eq!(pages(Some(OwnerId::Channel(channel(8))), 1).await, [states[2].clone()]);
}

async fn pages_answers_by_key(database: Database) {
    let mut writer = Writer::open(&database).await;
    let key = |millis, signer, id| RequestKey { at: at(millis), signer: address(signer), id };
    let mut keys =
        [key(2, 1, 1), key(1, 2, 1), key(1, 1, 2), key(1, 1, 1), key(3, 1, 0), key(2, 0, 9), key(2, 1, 0)];
    let batch = Batch { answers: keys.map(answer).to_vec(), ..writer.batch() };
    writer.write(&batch).await.unwrap();
    keys.sort();
    let all = keys.map(answer);
    let store = &writer.store;
    for (from, first) in [(0, 0), (1, 0), (2, 3), (3, 6), (4, 7)] {
        let pages = async |after, max| store.answers(at(from), after, max).await.unwrap();
        assert_pages(&all[first..], |row| row.key, pages).await;
    }
    assert_eq!(store.answers(at(u64::MAX), None, 9).await.unwrap(), []);
    let beyond = RequestKey { at: at(u64::MAX), ..keys[0] };
    assert_eq!(store.answers(at(0), Some(beyond), 9).await.unwrap(), []);
    let beyond_id = RequestKey { id: u64::MAX, ..keys[0] };
    assert_eq!(store.answers(at(0), Some(beyond_id), 1).await.unwrap(), [all[2].clone()]);
    assert_eq!(store.answers(at(3), Some(keys[0]), 9).await.unwrap(), [all[6].clone()]);
}

async fn pages_channels_of_a_participant(database: Database) {
    let mut writer = Writer::open(&database).await;
    let member = |participant, n| MemberRow { participant: address(participant), channel: channel(n) };
    let members = [member(2, 1), member(1, 9), member(1, 1), member(3, 4), member(1, 4), member(2, 9)];
    let batch = Batch { members: members.to_vec(), ..writer.batch() };
    writer.write(&batch).await.unwrap();
    let store = &writer.store;
    for (participant, channels) in [(1, &[1, 4, 9][..]), (2, &[1, 9]), (3, &[4]), (4, &[])] {
        let channels: Vec<_> = channels.iter().map(|n| channel(*n)).collect();
        let pages = async |after, max| store.channels_of(address(participant), after, max).await.unwrap();
        assert_pages(&channels, |id| *id, pages).await;
    }
}

async fn pages_what_goes_to_and_comes_from_a_chain(database: Database) {
    let mut writer = Writer::open(&database).await;
    let owner = OwnerId::Channel(channel(1));
    let events: Vec<_> = [1, 2, 5, 9].map(|n| event(n, owner)).to_vec();
    let rows: Vec<_> = [1, 2, 5, 9].map(|n| chain_tx(n, OutboxStatus::Open)).to_vec();
    let mut batch = Batch { inbox: events.clone(), outbox: rows.clone(), ..writer.batch() };
    batch.inbox.push(event(6, owner));
    batch.handled.push(InboxId(6));
    batch.outbox.push(chain_tx(6, OutboxStatus::Done));
    writer.write(&batch).await.unwrap();
    let store = &writer.store;
    let pages = async |after, max| store.unhandled(CHAIN, after, max).await.unwrap();
    assert_pages(&events, |row| row.id, pages).await;
    assert_eq!(pages(Some(InboxId(u64::MAX)), 9).await, []);
    let pages = async |after, max| store.open_outbox(CHAIN, after, max).await.unwrap();
    assert_pages(&rows, |row| row.id, pages).await;
    assert_eq!(pages(Some(OutboxId(u64::MAX)), 9).await, []);
    for nowhere in [ChainId::new(2), ChainId::new(u64::MAX)] {
        assert_eq!(store.unhandled(nowhere, None, 9).await.unwrap(), []);
        assert_eq!(store.open_outbox(nowhere, None, 9).await.unwrap(), []);
    }
}

async fn tells_who_is_due_the_longest_due_first(database: Database) {
    let mut writer = Writer::open(&database).await;
    let participant = |n| OwnerId::Participant(address(n));
    let rows = [
        state(participant(1), Some(30)),
        state(participant(2), Some(10)),
        state(participant(3), None),
        state(participant(4), Some(20)),
        state(OwnerId::Channel(channel(9)), Some(20)),
        state(participant(5), Some(0)),
    ];
    let batch = Batch { states: rows.to_vec(), ..writer.batch() };
    writer.write(&batch).await.unwrap();
    let order = [
        (at(0), participant(5)),
        (at(10), participant(2)),
        (at(20), OwnerId::Channel(channel(9))),
        (at(20), participant(4)),
        (at(30), participant(1)),
    ];
    let store = &writer.store;
    for (before, count) in [(0, 1), (9, 1), (10, 2), (19, 2), (20, 4), (29, 4), (30, 5), (u64::MAX, 5)] {
        assert_eq!(store.due(at(before), None, 100).await.unwrap(), order[..count], "{before}");
    }
    for max in 0..=5 {
        assert_eq!(store.due(at(30), None, max).await.unwrap(), order[..max as usize]);
    }
    for (place, after) in order.into_iter().enumerate() {
        assert_eq!(store.due(at(30), Some(after), 9).await.unwrap(), order[place + 1..], "after {after:?}");
        assert_eq!(
            store.due(at(29), Some(after), 1).await.unwrap(),
            order[(place + 1).min(4)..(place + 2).min(4)]
        );
    }
    assert_eq!(store.answer(request(1)).await.unwrap(), None);
}

async fn tells_which_channels_are_in_a_phase_and_who_has_one(database: Database) {
    let mut writer = Writer::open(&database).await;
    let row = |n, kind, phase| StateRow { kind, phase, ..state(OwnerId::Channel(channel(n)), None) };
    let (direct, virtual_channel) = (StateKind::Direct, StateKind::Virtual);
    let states = [
        row(1, virtual_channel, 5),
        row(2, direct, 5),
        row(3, virtual_channel, 1),
        row(4, virtual_channel, 5),
        row(5, virtual_channel, 5),
        StateRow { kind: virtual_channel, phase: 5, ..state(OwnerId::Participant(address(6)), None) },
    ];
    let member = |who, n| MemberRow { participant: address(who), channel: channel(n) };
    let members = vec![member(1, 2), member(1, 3), member(2, 3), member(2, 9)];
    let batch = Batch { states: states.to_vec(), members, ..writer.batch() };
    writer.write(&batch).await.unwrap();
    let store = &writer.store;
    let found = async |after, max| store.in_phase(virtual_channel, 5, after, max).await.unwrap();
    let [first, second, third] = [1, 4, 5].map(|n| OwnerId::Channel(channel(n)));
    let all = [first, second, third, OwnerId::Participant(address(6))];
    assert_eq!(found(None, 9).await, all);
    assert_eq!(found(None, 2).await, all[..2]);
    assert_eq!(found(Some(first), 2).await, all[1..3]);
    assert_eq!(found(Some(third), 9).await, all[3..]);
    assert_eq!(found(Some(all[3]), 9).await, []);
    let has = async |who, kind, phase| store.has_channel(address(who), kind, phase).await.unwrap();
    assert!(has(1, direct, 5).await && has(1, virtual_channel, 1).await && has(2, virtual_channel, 1).await);
    assert!(
        !has(2, direct, 5).await && !has(1, virtual_channel, 5).await && !has(3, virtual_channel, 1).await
    );
}
