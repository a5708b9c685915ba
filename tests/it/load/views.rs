//! What must be true at the end: what was answered is what is kept.

use std::collections::{BTreeMap, BTreeSet};

use clearnet::audit::{Unchecked, Verdict, audit};
use clearnet::clock;
use clearnet::store::{PAGE_ROWS_MAX, Store};
use domain::ledger::AccountKind;
use domain::primitives::Amount;
use futures::future::join_all;
use serde_json::{Value, json};

use super::field::{Field, LOCKED};
use super::line::Line;
use super::member::{Deed, Effect};
use crate::session::ask::Ask;

/// A member's money: in its channel, in rooms, in its wallet.
type Money = [i128; 3];

/// Every law that the book can show.
pub(super) async fn assert_lawful(store: &dyn Store) {
    let report = audit(store, None).await.unwrap();
    for (law, verdict) in &report.laws {
        let is_unasked = *verdict == Verdict::NotChecked(Unchecked::BookOnly);
        assert!(is_unasked || *verdict == Verdict::Holds, "{} ({}): {verdict:?}", law.name(), law.words());
    }
}

/// Compares what everybody was answered with what the broker answers, and what is kept.
pub(super) async fn compare(field: &Field) {
    let deeds = field.deeds.borrow().clone();
    let taken: Vec<&Deed> = deeds.iter().filter(|deed| deed.taken.is_some()).collect();
    let mut codes = BTreeMap::<&str, usize>::new();
    for code in deeds.iter().filter_map(|deed| deed.refused.as_deref()) {
        *codes.entry(code).or_default() += 1;
    }
    eprintln!("{} of {} taken, refused: {codes:?}", taken.len(), deeds.len());
    eprintln!("unknown outcomes: {}", *field.unknown.borrow());
    assert!(codes.contains_key("stale_version"), "there are to be races");
    check_versions(field, &taken);
    let expected = sum_up(field, &taken);
    let repeats = (0..field.members.len()).map(|by| check_member(field, by, &taken, expected[by]));
    join_all(repeats).await;
    check_store(field, &expected).await;
    check_audit(field).await;
}

/// No version of a channel was agreed on twice; those of rooms follow each other, and a close is the last.
fn check_versions(field: &Field, taken: &[&Deed]) {
    let mut parts = BTreeSet::new();
    let mut rooms = BTreeMap::<usize, BTreeSet<u64>>::new();
    let mut closes = BTreeMap::new();
    for deed in taken {
        let is_new = deed.part.is_none_or(|part| parts.insert((deed.by, part.version)));
        assert!(is_new, "a version was agreed on twice: {deed:?}");
        let (room, version) = match deed.effect {
            Effect::Pay { .. } | Effect::Anchor => continue,
            Effect::Open { room } => (room, 1),
            Effect::Update { room, version, .. } => (room, version),
            Effect::Close { room, version, .. } => {
                assert_eq!(closes.insert(room, version), None, "a room ends once");
                (room, version)
            }
        };
        assert!(rooms.entry(room).or_default().insert(version), "a version was agreed on twice: {deed:?}");
    }
    for (room, versions) in &rooms {
        assert!(versions.iter().copied().eq(1..=versions.len() as u64), "{versions:?}");
        let newest = versions.last().copied();
        assert!(closes.get(room).is_none_or(|close| Some(*close) == newest), "{versions:?}");
        assert_eq!(Some(field.rooms.borrow()[*room].version), newest);
    }
    assert!(!closes.is_empty() && closes.len() < rooms.len(), "some rooms end, some do not");
}

/// What everybody has by what was answered.
fn sum_up(field: &Field, taken: &[&Deed]) -> Vec<Money> {
    let locked = i128::try_from(LOCKED).unwrap();
    let mut all: Vec<Money> = vec![[0, 0, locked]; field.members.len()];
    for (money, member) in all.iter_mut().zip(&field.members) {
        let part = i128::try_from(member.direct.borrow().part).unwrap();
        money[0] += part;
        money[2] -= part;
    }
    for deed in taken {
        match deed.effect {
            Effect::Pay { to, amount } => {
                all[deed.by][2] -= i128::from(amount);
                all[to][2] += i128::from(amount);
            }
            Effect::Anchor | Effect::Update { .. } => {}
            Effect::Open { room } => {
                let room = &field.rooms.borrow()[room];
                let stakes = room.definition.participants.len() as i128;
                let stake = room.shares.iter().map(|share| i128::from(*share)).sum::<i128>() / stakes;
                for member in room.members {
                    all[member][2] -= stake;
                }
                let to = if room.is_closed { 2 } else { 1 };
                for (member, share) in room.members.into_iter().zip(room.shares) {
                    all[member][to] += i128::from(share);
                }
            }
            Effect::Close { .. } => {}
        }
    }
    all
}

/// A member asks for everything again that was taken, and what it has.
async fn check_member(field: &Field, by: usize, taken: &[&Deed], expected: Money) {
    let mut line = Line::new(field, by);
    for deed in taken.iter().filter(|deed| deed.by == by) {
        let (_, text) = line.ask(&deed.frame).await;
        assert_eq!(Some(&text), deed.taken.as_ref(), "what was answered is answered again");
    }
    let ask = Ask::at(
        field.home.broker,
        1,
        "get_ledger_balances",
        &json!({"limit": 100}),
        clock::now().as_millis(),
    );
    let (answer, _) = line.ask(&ask.frame()).await;
    let mut shown: Money = [0; 3];
    for balance in answer["data"]["res"][2]["ledger_balances"].as_array().unwrap() {
        let kind = ["direct", "virtual", "wallet"].iter().position(|kind| balance["kind"] == *kind).unwrap();
        shown[kind] += balance["amount"].as_str().unwrap().parse::<i128>().unwrap();
    }
    assert_eq!(shown, expected, "member {by}");
    let id = field.members[by].direct.borrow().id();
    let ask =
        Ask::at(field.home.broker, 2, "get_state", &json!({"channel_id": id}), clock::now().as_millis());
    let (answer, _) = line.ask(&ask.frame()).await;
    let state = &answer["data"]["res"][2]["state"];
    assert_eq!(state["version"], field.members[by].direct.borrow().version, "{answer}");
    assert_eq!(state["allocations"][0]["amount"], expected[0].to_string().as_str(), "{answer}");
}

/// The store holds for everybody what they know of, and nothing else.
async fn check_store(field: &Field, expected: &[Money]) {
    let store = field.database.open().await;
    let mut kept: BTreeMap<_, Money> = BTreeMap::new();
    let mut after = None;
    while let rows @ [.., last] = store.account_page(after, PAGE_ROWS_MAX).await.unwrap().as_slice() {
        for row in rows.iter().filter(|row| !row.balance.is_zero()) {
            let place = match row.key.kind() {
                AccountKind::Direct => 0,
                AccountKind::Virtual => 1,
                AccountKind::Wallet => 2,
                AccountKind::Custody => {
                    assert_eq!(row.balance, Amount::from(LOCKED * expected.len() as u128));
                    continue;
                }
                kind => panic!("{kind:?} holds {}", row.balance),
            };
            let amount = row.balance.to_string().parse::<i128>().unwrap();
            kept.entry(row.key.participant()).or_default()[place] += amount;
        }
        after = Some(last.id);
    }
    let known = field.members.iter().zip(expected).map(|(member, money)| (member.address(), *money));
    assert_eq!(kept, known.collect());
}

/// The audit, as an operator runs it, finds every law kept, and the contracts hold what the book says.
pub(super) async fn check_audit(field: &Field) {
    let audit = field.home.run(&["audit", "--json"]).await;
    let report: Value = serde_json::from_slice(&audit.stdout).unwrap_or_else(|_| panic!("{audit:?}"));
    assert!(audit.status.success(), "{report}");
    assert!(report["laws"].as_object().unwrap().values().all(|law| law["ok"] == true), "{report}");
}
