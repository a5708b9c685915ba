//! The laws, looked for in the store after every step.

use std::collections::BTreeMap;

use clearnet::audit::{Contracts, Unchecked, Verdict, audit};
use clearnet::clock;
use clearnet::store::{PAGE_ROWS_MAX, StateKind, StateRow, Store};
use domain::channel::{direct, virtual_channel};
use domain::ledger::{AccountKey, AccountKind, OwnerId};
use domain::participant::SessionKeys;
use domain::primitives::{Amount, ChannelId};
use serde_json::Value;

use super::cast::{PEOPLE, TOKENS, asset, person, session_key_address};
use super::keys::Caps;
use super::model::Model;

/// What was seen of each channel before.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<ChannelId, StateRow>);

impl Seen {
    /// Holds the store against the laws and the model.
    pub(super) async fn check(&mut self, store: &dyn Store, model: &Model, contracts: &Contracts) {
        assert_lawful(store, Some(contracts)).await;
        assert_eq!(held(store).await, model.accounts(), "accounts");
        assert_eq!(caps(store).await, model.caps, "what session keys have left");
        let rows = channels(store).await;
        let versions: BTreeMap<_, _> =
            rows.iter().filter_map(|(id, row)| Some((*id, version_of(row)?))).collect();
        assert_eq!(versions, model.versions(), "versions");
        for (id, before) in &self.0 {
            let after = rows.get(id).unwrap_or_else(|| panic!("channel {id} is gone"));
            assert!(after.revision >= before.revision, "the revision of channel {id} fell");
            assert!(version_of(after) >= version_of(before), "the version of channel {id} fell");
            let is_same = (after.phase, &after.body) == (before.phase, &before.body);
            assert!(after.revision > before.revision || is_same, "channel {id} changed in silence");
            assert!(!has_ended(before) || is_same, "channel {id} went on after its end");
        }
        self.0 = rows;
    }
}

/// Every law that the book can show, and that the contracts hold what it says and not more, if they are asked.
pub(super) async fn assert_lawful(store: &dyn Store, contracts: Option<&Contracts>) {
    let report = audit(store, contracts).await.unwrap();
    for (law, verdict) in &report.laws {
        let is_unasked = contracts.is_none() && *verdict == Verdict::NotChecked(Unchecked::BookOnly);
        assert!(is_unasked || *verdict == Verdict::Holds, "{} ({}): {verdict:?}", law.name(), law.words());
    }
    assert_eq!(report.surpluses, [], "the contracts hold more than the book says");
    let short = held(store).await.into_iter().filter(|(key, _)| key.kind() == AccountKind::Shortfall);
    let told = report.shortfalls.iter().map(|it| (AccountKey::shortfall(it.token), it.amount));
    assert_eq!(told.collect::<BTreeMap<_, _>>(), short.collect(), "shortfalls");
}

/// Every account that holds something.
pub(super) async fn held(store: &dyn Store) -> BTreeMap<AccountKey, Amount> {
    let rows = store.account_page(None, PAGE_ROWS_MAX).await.unwrap();
    let held = rows.into_iter().filter(|row| !row.balance.is_zero());
    held.map(|row| (row.key, row.balance)).collect()
}

async fn channels(store: &dyn Store) -> BTreeMap<ChannelId, StateRow> {
    let rows = store.state_page(None, PAGE_ROWS_MAX).await.unwrap();
    let channel = |row: StateRow| match row.owner {
        OwnerId::Channel(id) => Some((id, row)),
        OwnerId::Participant(_) | OwnerId::Network(_) => None,
    };
    rows.into_iter().filter_map(channel).collect()
}

/// What session keys have left, per person and token.
async fn caps(store: &dyn Store) -> Caps {
    let mut caps = Caps::new();
    for who in 0..PEOPLE {
        let Some(row) = store.load(OwnerId::Participant(person(who))).await.unwrap().state else { continue };
        let keys = SessionKeys::from_stored(&row.body).unwrap();
        let Some(key) = keys.live(session_key_address(who), clock::now()) else { continue };
        let left = |of: u8| Some((of, key.caps.get(&asset(of))?.left().to_string().parse().unwrap()));
        caps.insert(who, (0..TOKENS).filter_map(left).collect());
    }
    caps
}

/// The version of the newest agreed state; `None` when there is none.
fn version_of(row: &StateRow) -> Option<u64> {
    let body: Value = serde_json::from_slice(&row.body).unwrap();
    let version = match row.kind {
        StateKind::Direct => &body["anchor"]["newest"]["version"],
        StateKind::Virtual => &body["version"],
        StateKind::Participant | StateKind::Sender => panic!("{} is no channel", row.owner),
    };
    version.as_u64()
}

fn has_ended(row: &StateRow) -> bool {
    match row.kind {
        StateKind::Direct => row.phase == direct::Phase::Closed.code(),
        StateKind::Virtual => virtual_channel::Phase::from_code(row.phase).unwrap().is_end(),
        StateKind::Participant | StateKind::Sender => false,
    }
}
