//! All that a store shows, as one hash: equal before and after what must have no effect.

use std::collections::BTreeSet;

use clearnet::store::{CommitSeq, Head, Store};
use domain::crypto::keccak256;
use domain::ledger::OwnerId;
use domain::primitives::{Address, ChainId, ChannelId, Digest, Timestamp};

/// Rows a page; small, so that tests cross its borders.
const PAGE: u32 = 7;

/// Hashes everything the store keeps but the fence: the numbers of the head, accounts, transfers, entries,
/// states, answers, and for every chain and participant that an account or a state's owner names, cursors,
/// unhandled events, open transactions and channels.
pub(crate) async fn digest(store: &dyn Store) -> Digest {
    let mut text = String::new();
    let mut chains = BTreeSet::<ChainId>::new();
    let mut participants = BTreeSet::<Address>::new();
    let head = store.head().await.unwrap();
    let numbers = head.map(|head| (head.seq, Head { fence: Default::default(), ..head }));
    add(&mut text, &numbers.unwrap_or((CommitSeq::default(), Head::default())));

    let mut after = None;
    while let rows @ [.., last] = store.account_page(after, PAGE).await.unwrap().as_slice() {
        add(&mut text, &rows);
        chains.extend(rows.iter().map(|row| row.key.token().chain_id));
        participants.extend(rows.iter().map(|row| row.key.participant()));
        after = Some(last.id);
    }
    let mut after = None;
    while let rows @ [.., last] = store.transfer_page(after, PAGE).await.unwrap().as_slice() {
        add(&mut text, &rows);
        after = Some(last.id);
    }
    let mut after = None;
    while let rows @ [.., last] = store.entry_page(after, PAGE).await.unwrap().as_slice() {
        add(&mut text, &rows);
        after = Some(last.id);
    }
    let mut after = None;
    while let rows @ [.., last] = store.state_page(after, PAGE).await.unwrap().as_slice() {
        add(&mut text, &rows);
        for row in rows {
            match row.owner {
                OwnerId::Channel(_) => {}
                OwnerId::Participant(participant) => drop(participants.insert(participant)),
                OwnerId::Network(chain_id) => drop(chains.insert(chain_id)),
            }
        }
        after = Some(last.owner);
    }
    let mut after = None;
    let epoch = Timestamp::from_millis(0);
    while let rows @ [.., last] = store.answers(epoch, after, PAGE).await.unwrap().as_slice() {
        add(&mut text, &rows);
        after = Some(last.key);
    }
    for chain_id in chains {
        add_chain(&mut text, store, chain_id).await;
    }
    for participant in participants {
        let mut after: Option<ChannelId> = None;
        while let channels @ [.., last] =
            store.channels_of(participant, after, PAGE).await.unwrap().as_slice()
        {
            add(&mut text, &(participant, channels));
            after = Some(*last);
        }
    }
    keccak256(&[text.as_bytes()])
}

async fn add_chain(text: &mut String, store: &dyn Store, chain_id: ChainId) {
    add(text, &store.cursor(chain_id).await.unwrap());
    let mut after = None;
    while let rows @ [.., last] = store.unhandled(chain_id, after, PAGE).await.unwrap().as_slice() {
        add(text, &rows);
        after = Some(last.id);
    }
    let mut after = None;
    while let rows @ [.., last] = store.open_outbox(chain_id, after, PAGE).await.unwrap().as_slice() {
        add(text, &rows);
        after = Some(last.id);
    }
}

fn add(text: &mut String, rows: &dyn std::fmt::Debug) {
    use std::fmt::Write;
    writeln!(text, "{rows:?}").unwrap();
}
