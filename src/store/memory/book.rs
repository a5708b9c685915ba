//! The tables of the store in memory, and what one batch does to them.
//!
//! A batch is judged as a whole before anything changes, so that it is written completely or not at all.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::ops::Bound;

use domain::ledger::{AccountKey, EventKey, OwnerId, RequestKey};
use domain::primitives::{Address, ChainId, ChannelId, Digest, Timestamp};

use crate::store::sql::Tables;
use crate::store::{
    AccountId, AccountRow, AnswerRow, Batch, CursorRow, EntryId, EntryRow, Fence, Head, InboxId, InboxRow,
    MemberRow, OutboxId, OutboxRow, OutboxStatus, StateKind, StateRow, StoreError, Stored, TransferId,
    TransferRow, WriteError,
};

#[derive(Debug, Default)]
pub(super) struct Book {
    /// Whose book it is; `None` before it was first opened for writing.
    broker: Option<Address>,
    head: Head,
    accounts: BTreeMap<AccountId, AccountRow>,
    account_ids: BTreeMap<AccountKey, AccountId>,
    transfers: BTreeMap<TransferId, TransferRow>,
    entries: BTreeMap<EntryId, EntryRow>,
    states: BTreeMap<OwnerId, StateRow>,
    members: BTreeSet<MemberRow>,
    answers: BTreeMap<RequestKey, AnswerRow>,
    inbox: BTreeMap<InboxId, InboxRow>,
    events: BTreeSet<EventKey>,
    unhandled: BTreeSet<InboxId>,
    cursors: BTreeMap<(ChainId, u64), Digest>,
    outbox: BTreeMap<OutboxId, OutboxRow>,
}

impl Book {
    pub(super) fn open_writer(&mut self, broker: Address) -> Result<Head, StoreError> {
        let stored = *self.broker.get_or_insert(broker);
        if stored != broker {
            return Err(StoreError::OtherBroker { stored, given: broker });
        }
        self.head.fence = Fence(self.head.fence.0 + 1);
        Ok(self.head)
    }

    pub(super) fn write(&mut self, batch: &Batch) -> Result<(), WriteError> {
        Tables::of(batch)?;
        let is_next = batch.head.fence == self.head.fence && batch.head.seq == self.head.seq.next();
        if self.broker.is_none() || !is_next {
            return Err(WriteError::Fenced);
        }
        let anew = batch.begins_anew.then(|| self.begun_anew());
        let before = anew.as_ref().unwrap_or(self);
        before.check(batch).map_err(|what| WriteError::Rejected { reason: what.to_owned() })?;
        if let Some(anew) = anew {
            *self = anew;
        }
        self.apply(batch);
        Ok(())
    }

    /// What stays when the book begins anew.
    fn begun_anew(&self) -> Self {
        let of_others = self.states.iter().filter(|(owner, _)| !matches!(owner, OwnerId::Channel(_)));
        Self {
            broker: self.broker,
            states: of_others.map(|(owner, row)| (*owner, row.clone())).collect(),
            answers: self.answers.clone(),
            ..Self::default()
        }
    }

    /// Says which table would refuse the batch.
    fn check(&self, batch: &Batch) -> Result<(), &'static str> {
        let new_accounts = batch.accounts.iter().filter(|row| !self.accounts.contains_key(&row.id));
        all_new(new_accounts.map(|row| row.key), |key| self.account_ids.contains_key(key), "accounts")?;
        all_new(batch.transfers.iter().map(|row| row.id), |id| self.transfers.contains_key(id), "transfers")?;
        all_new(batch.entries.iter().map(|row| row.id), |id| self.entries.contains_key(id), "entries")?;
        all_new(batch.answers.iter().map(|row| row.key), |key| self.answers.contains_key(key), "requests")?;
        all_new(batch.inbox.iter().map(|row| row.id), |id| self.inbox.contains_key(id), "inbox")?;
        all_new(batch.inbox.iter().map(|row| row.key), |key| self.events.contains(key), "inbox")?;
        let arrives = |id: &InboxId| batch.inbox.iter().any(|row| row.id == *id);
        let is_waiting = |id: &InboxId| self.unhandled.contains(id) || arrives(id);
        all_new(
            batch.handled.iter().copied(),
            |id| !is_waiting(id),
            "a chain event was not waiting to be handled",
        )
    }

    fn apply(&mut self, batch: &Batch) {
        self.head = batch.head;
        for row in &batch.accounts {
            match self.accounts.entry(row.id) {
                Entry::Vacant(place) => {
                    self.account_ids.insert(row.key, row.id);
                    place.insert(row.clone());
                }
                Entry::Occupied(mut kept) => {
                    let key = kept.get().key;
                    kept.insert(AccountRow { key, ..row.clone() });
                }
            }
        }
        self.transfers.extend(batch.transfers.iter().map(|row| (row.id, row.clone())));
        self.entries.extend(batch.entries.iter().map(|row| (row.id, row.clone())));
        self.states.extend(batch.states.iter().map(|row| (row.owner, row.clone())));
        self.members.extend(&batch.members);
        self.answers.extend(batch.answers.iter().map(|row| (row.key, row.clone())));
        self.inbox.extend(batch.inbox.iter().map(|row| (row.id, row.clone())));
        self.events.extend(batch.inbox.iter().map(|row| row.key));
        self.unhandled.extend(batch.inbox.iter().map(|row| row.id));
        for id in &batch.handled {
            self.unhandled.remove(id);
        }
        for trim in &batch.cursor_trims {
            self.cursors.retain(|&(chain_id, height), _| {
                chain_id != trim.chain_id || (trim.below..=trim.above).contains(&height)
            });
        }
        self.cursors.extend(batch.cursors.iter().map(|row| ((row.chain_id, row.height), row.hash)));
        self.outbox.extend(batch.outbox.iter().map(|row| (row.id, row.clone())));
    }

    pub(super) fn head(&self) -> Option<Head> {
        self.broker.map(|_| self.head)
    }

    pub(super) fn load(&self, owner: OwnerId) -> Stored {
        let accounts = self.accounts.values().filter(|row| row.key.owner() == Some(owner));
        let inbox = self.unhandled_rows().filter(|row| row.owner == owner);
        Stored {
            state: self.states.get(&owner).cloned(),
            accounts: accounts.cloned().collect(),
            inbox: inbox.cloned().collect(),
        }
    }

    pub(super) fn accounts(&self, keys: &[AccountKey]) -> Vec<AccountRow> {
        let ids = keys.iter().filter_map(|key| self.account_ids.get(key)).collect::<BTreeSet<_>>();
        ids.into_iter().map(|id| self.accounts[id].clone()).collect()
    }

    pub(super) fn answer(&self, key: RequestKey) -> Option<AnswerRow> {
        self.answers.get(&key).cloned()
    }

    pub(super) fn answers(&self, from: Timestamp, after: Option<RequestKey>, max: u32) -> Vec<AnswerRow> {
        let rows = self.answers.range((following(after), Bound::Unbounded)).map(|(_, row)| row);
        page(rows.filter(|row| row.key.at >= from), max)
    }

    pub(super) fn due(
        &self,
        before: Timestamp,
        after: Option<(Timestamp, OwnerId)>,
        max: u32,
    ) -> Vec<(Timestamp, OwnerId)> {
        let due = self.states.values().filter_map(|row| Some((row.due_at?, row.owner)));
        let due: BTreeSet<_> = due.filter(|(due_at, _)| *due_at <= before).collect();
        due.into_iter().filter(|due| after.is_none_or(|after| *due > after)).take(max as usize).collect()
    }

    pub(super) fn has_channel(&self, participant: Address, kind: StateKind, phase: u8) -> bool {
        let mine = self.members.iter().filter(|row| row.participant == participant).map(|row| row.channel);
        let mut states = mine.filter_map(|channel| self.states.get(&OwnerId::Channel(channel)));
        states.any(|row| row.kind == kind && row.phase == phase)
    }

    pub(super) fn in_phase(
        &self,
        kind: StateKind,
        phase: u8,
        after: Option<OwnerId>,
        max: u32,
    ) -> Vec<OwnerId> {
        let there = self.states.values().filter(|row| row.kind == kind && row.phase == phase);
        let owners = there.map(|row| row.owner).filter(|owner| after.is_none_or(|after| *owner > after));
        owners.take(max as usize).collect()
    }

    pub(super) fn channels_of(
        &self,
        participant: Address,
        after: Option<ChannelId>,
        max: u32,
    ) -> Vec<ChannelId> {
        let mine = self.members.iter().filter(|row| row.participant == participant).map(|row| row.channel);
        mine.filter(|channel| after.is_none_or(|after| *channel > after)).take(max as usize).collect()
    }

    pub(super) fn cursor(&self, chain_id: ChainId) -> Vec<CursorRow> {
        let rows = self.cursors.range((chain_id, 0)..=(chain_id, u64::MAX));
        rows.map(|(&(chain_id, height), &hash)| CursorRow { chain_id, height, hash }).collect()
    }

    pub(super) fn unhandled(&self, chain_id: ChainId, after: Option<InboxId>, max: u32) -> Vec<InboxRow> {
        let rows = self.unhandled_rows().filter(|row| after.is_none_or(|after| row.id > after));
        page(rows.filter(|row| row.key.chain_id == chain_id), max)
    }

    fn unhandled_rows(&self) -> impl Iterator<Item = &InboxRow> {
        self.unhandled.iter().filter_map(|id| self.inbox.get(id))
    }

    pub(super) fn open_outbox(&self, chain_id: ChainId, after: Option<OutboxId>, max: u32) -> Vec<OutboxRow> {
        let rows = self.outbox.range((following(after), Bound::Unbounded)).map(|(_, row)| row);
        page(rows.filter(|row| row.chain_id == chain_id && row.status == OutboxStatus::Open), max)
    }

    pub(super) fn account_page(&self, after: Option<AccountId>, max: u32) -> Vec<AccountRow> {
        page(self.accounts.range((following(after), Bound::Unbounded)).map(|(_, row)| row), max)
    }

    pub(super) fn transfer_page(&self, after: Option<TransferId>, max: u32) -> Vec<TransferRow> {
        page(self.transfers.range((following(after), Bound::Unbounded)).map(|(_, row)| row), max)
    }

    pub(super) fn entry_page(&self, after: Option<EntryId>, max: u32) -> Vec<EntryRow> {
        page(self.entries.range((following(after), Bound::Unbounded)).map(|(_, row)| row), max)
    }

    pub(super) fn state_page(&self, after: Option<OwnerId>, max: u32) -> Vec<StateRow> {
        page(self.states.range((following(after), Bound::Unbounded)).map(|(_, row)| row), max)
    }

    pub(super) fn history(&self, account: AccountId, before: Option<EntryId>, max: u32) -> Vec<EntryRow> {
        let entry = |id: &EntryId| self.entries.get(id).filter(|row| row.account == account);
        let newest = match before {
            Some(before) => entry(&before).and_then(|row| row.previous),
            None => self.accounts.get(&account).map(|row| row.last_entry),
        };
        let chain = std::iter::successors(newest.as_ref().and_then(entry), |row| {
            row.previous.as_ref().and_then(entry)
        });
        page(chain, max)
    }

    pub(super) fn prune_answers(&mut self, before: Timestamp, max: u32) -> u64 {
        let keys = self.answers.keys().take_while(|key| key.at < before).take(max as usize);
        let keys: Vec<_> = keys.copied().collect();
        for key in &keys {
            self.answers.remove(key);
        }
        keys.len() as u64
    }
}

/// Refuses a key that stands twice in the batch or is taken.
fn all_new<K: Ord>(
    keys: impl Iterator<Item = K>,
    is_taken: impl Fn(&K) -> bool,
    table: &'static str,
) -> Result<(), &'static str> {
    let mut seen = BTreeSet::new();
    for key in keys {
        if is_taken(&key) || !seen.insert(key) {
            return Err(table);
        }
    }
    Ok(())
}

fn following<K>(after: Option<K>) -> Bound<K> {
    after.map_or(Bound::Unbounded, Bound::Excluded)
}

fn page<'a, T: Clone + 'a>(rows: impl Iterator<Item = &'a T>, max: u32) -> Vec<T> {
    rows.take(max as usize).cloned().collect()
}
