//! Books in which one thing was changed, at any place: the audit finds it and names the account.

use clearnet::audit::{Law, Problem, Report, Verdict, audit};
use clearnet::store::{
    AccountId, AccountRow, EntryId, EntryRow, InboxId, InboxRow, MemoryStore, StateKind, StateRow, TransferId,
};
use domain::ledger::{Cause, OwnerId, Posting, Side, TransferKind};
use domain::primitives::{Address, Amount};
use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_assert, proptest};
use serde_json::Value;

use super::rows::Rows;
use super::writing::Step;

/// What is changed in the book: one row, or as much as a journal that errs would write.
#[derive(Debug, Clone, Copy)]
enum Change {
    AmountOfEntry,
    SideOfEntry,
    AccountOfEntry,
    PreviousOfEntry,
    TransferOfEntry,
    EntryGone,
    EntryTwice,
    TransferGone,
    BalanceOfAccount,
    CreditNumberOfAccount,
    LastEntryOfAccount,
    AccountGone,
    HeadOfAccounts,
    HeadOfTransfers,
    HeadOfEntries,
    /// A transfer is applied again, properly, as by a journal that forgot it.
    TransferTwice,
    /// The event of a transfer waits again.
    EventWaits,
    /// A state pays one unit more to somebody.
    PartOfState,
    /// A state pays somebody nothing who had something.
    PartGone,
    PhaseOfState,
    StateGone,
}

const CHANGES: [Change; 21] = [
    Change::AmountOfEntry,
    Change::SideOfEntry,
    Change::AccountOfEntry,
    Change::PreviousOfEntry,
    Change::TransferOfEntry,
    Change::EntryGone,
    Change::EntryTwice,
    Change::TransferGone,
    Change::BalanceOfAccount,
    Change::CreditNumberOfAccount,
    Change::LastEntryOfAccount,
    Change::AccountGone,
    Change::HeadOfAccounts,
    Change::HeadOfTransfers,
    Change::HeadOfEntries,
    Change::TransferTwice,
    Change::EventWaits,
    Change::PartOfState,
    Change::PartGone,
    Change::PhaseOfState,
    Change::StateGone,
];

/// How the audit must show what was changed.
#[derive(Debug, PartialEq, Eq)]
enum Sign {
    /// A finding names one of these accounts.
    Names(Vec<AccountId>),
    /// A finding against this law.
    Breaks(Law),
    /// Nothing was changed: the book has no row for this change.
    Nothing,
}

impl Change {
    /// Makes the change at a place of the book that `place` picks, by an amount that `by` picks.
    fn make(self, rows: &mut Rows, place: usize, by: u64) -> Sign {
        let at = |len: usize| place % len;
        let another = |id: u64, count: u64| (id + by % (count - 1).max(1)) % count + 1;
        let (accounts, entries) = (rows.accounts.len() as u64, rows.entries.len() as u64);
        if accounts < 2 {
            return Sign::Nothing;
        }
        let (account, entry, transfer) =
            (at(rows.accounts.len()), at(rows.entries.len()), at(rows.transfers.len()));
        let state = place % rows.states.len().max(1);
        let of_entry = Sign::Names(vec![rows.entries[entry].account]);
        let of_account = Sign::Names(vec![rows.accounts[account].id]);
        match self {
            Self::AmountOfEntry => {
                let row = &mut rows.entries[entry];
                let amount = flipped(row.posting.amount(), by);
                row.posting = Posting::new(row.posting.side(), amount).unwrap_or(one(row.posting.side()));
                of_entry
            }
            Self::SideOfEntry => {
                let row = &mut rows.entries[entry];
                let other = if row.posting.side() == Side::Credit { Side::Debit } else { Side::Credit };
                row.posting = Posting::new(other, row.posting.amount()).unwrap();
                of_entry
            }
            Self::AccountOfEntry => {
                let row = &mut rows.entries[entry];
                row.account = AccountId(another(row.account.0, accounts));
                of_entry
            }
            Self::PreviousOfEntry => {
                let row = &mut rows.entries[entry];
                row.previous = match row.previous {
                    Some(_) if by.is_multiple_of(3) => None,
                    Some(previous) => Some(EntryId(another(previous.0, entries.max(2)))),
                    None => Some(EntryId(1 + by % entries)),
                };
                of_entry
            }
            Self::TransferOfEntry => {
                let row = &mut rows.entries[entry];
                let transfers = rows.transfers.len() as u64;
                if transfers < 2 {
                    return Sign::Nothing;
                }
                row.transfer = TransferId(another(row.transfer.0, transfers));
                Sign::Breaks(Law::Conservation)
            }
            Self::EntryGone => {
                rows.entries.remove(entry);
                of_entry
            }
            Self::EntryTwice => {
                let id = EntryId(rows.head.entry.0 + 1);
                let again = rows.entries[entry].clone();
                rows.entries.push(EntryRow { id, ..again });
                if by.is_multiple_of(2) {
                    rows.head.entry = id;
                }
                of_entry
            }
            Self::TransferGone => {
                let id = rows.transfers.remove(transfer).id;
                let of_transfer = rows.entries.iter().filter(|row| row.transfer == id);
                Sign::Names(of_transfer.map(|row| row.account).collect())
            }
            Self::BalanceOfAccount => {
                let row = &mut rows.accounts[account];
                row.balance = flipped(row.balance, by);
                of_account
            }
            Self::CreditNumberOfAccount => {
                rows.accounts[account].credit_no = entries + 1 + by;
                of_account
            }
            Self::LastEntryOfAccount => {
                let row = &mut rows.accounts[account];
                row.last_entry = EntryId(another(row.last_entry.0, entries + 1));
                of_account
            }
            Self::AccountGone => {
                rows.accounts.remove(account);
                of_account
            }
            Self::HeadOfAccounts => {
                rows.head.account.0 = another(rows.head.account.0, accounts + 3);
                Sign::Breaks(Law::Replay)
            }
            Self::HeadOfTransfers => {
                rows.head.transfer.0 = another(rows.head.transfer.0, rows.transfers.len() as u64 + 3);
                Sign::Breaks(Law::Replay)
            }
            Self::HeadOfEntries => {
                rows.head.entry.0 = another(rows.head.entry.0, entries + 3);
                Sign::Breaks(Law::Replay)
            }
            Self::TransferTwice => apply_again(rows, transfer),
            Self::EventWaits => {
                let Cause::Chain(key) = rows.transfers[transfer].cause else { return Sign::Nothing };
                rows.head.inbox = InboxId(1);
                let owner = OwnerId::Participant(Address::ZERO);
                rows.inbox.push(InboxRow { id: InboxId(1), key, height: 1, owner, body: Vec::new() });
                Sign::Breaks(Law::Once)
            }
            Self::PartOfState | Self::PartGone | Self::PhaseOfState | Self::StateGone
                if rows.states.is_empty() =>
            {
                Sign::Nothing
            }
            Self::PartOfState | Self::PartGone => {
                let state = &mut rows.states[state];
                let mut body: Value = serde_json::from_slice(&state.body).unwrap();
                let change = if matches!(self, Self::PartOfState) { more } else { nothing };
                let is_changed = change(&mut body, by);
                state.body = serde_json::to_vec(&body).unwrap();
                if is_changed { Sign::Breaks(law_of(state)) } else { Sign::Nothing }
            }
            Self::PhaseOfState => {
                let state = &mut rows.states[state];
                state.phase += 1;
                Sign::Breaks(law_of(state))
            }
            Self::StateGone => {
                let state = rows.states.remove(state);
                let of_state = |row: &&AccountRow| row.key.owner() == Some(state.owner);
                let mut accounts = rows.accounts.iter().filter(of_state);
                match accounts.find(|row| !row.balance.is_zero()) {
                    Some(row) => Sign::Names(vec![row.id]),
                    None => Sign::Nothing,
                }
            }
        }
    }
}

fn law_of(state: &StateRow) -> Law {
    if state.kind == StateKind::Virtual { Law::Agreed } else { Law::Enforceable }
}

/// Pays one unit more by a state that pays; says whether it does.
fn more(body: &mut Value, by: u64) -> bool {
    let add = |amount: &mut Value, by: i64| {
        let number: i64 = amount.as_str().unwrap().parse().unwrap();
        *amount = (number + by).to_string().into();
    };
    if let Some(parts) = body.pointer_mut("/anchor/newest/parts") {
        add(&mut parts[0], 1);
        add(&mut parts[1], -1);
        return true;
    }
    if let Some(amount) = body.pointer_mut("/settlement/amount") {
        add(amount, 1);
        return true;
    }
    let is_open = body["phase"] == 1;
    let allocations = body["allocations"].as_array_mut().unwrap();
    if !is_open || allocations.is_empty() {
        return false;
    }
    let place = by as usize % allocations.len();
    add(&mut allocations[place]["amount"], 1);
    true
}

/// Pays nothing to somebody to whom a state pays; says whether it does.
fn nothing(body: &mut Value, by: u64) -> bool {
    if let Some(parts) = body.pointer_mut("/anchor/newest/parts") {
        let [part, rest] = [0, 1].map(|side| parts[side].as_str().unwrap().parse::<u64>().unwrap());
        (parts[0], parts[1]) = ("0".into(), (part + rest).to_string().into());
        return part > 0;
    }
    let is_open = body["phase"] == 1;
    match body.get_mut("allocations").and_then(Value::as_array_mut) {
        Some(allocations) if is_open && !allocations.is_empty() => {
            allocations.remove(by as usize % allocations.len());
            true
        }
        Some(_) | None => false,
    }
}

/// One bit of the amount's bytes is another.
fn flipped(amount: Amount, by: u64) -> Amount {
    let mut bytes = amount.to_be_bytes();
    let bit = by as usize % 256;
    bytes[bit / 8] ^= 1 << (bit % 8);
    Amount::from_be_bytes(bytes)
}

/// A posting of one or two: what is put where a flipped bit would leave nothing.
fn one(side: Side) -> Posting {
    Posting::new(side, Amount::from(u64::MAX)).unwrap()
}

/// Appends a transfer that takes and gives what an earlier one did, all numbers in order.
fn apply_again(rows: &mut Rows, place: usize) -> Sign {
    let mut transfer = rows.transfers[place].clone();
    let entries: Vec<_> = rows.entries.iter().filter(|row| row.transfer == transfer.id).cloned().collect();
    rows.head.transfer.0 += 1;
    transfer.id = rows.head.transfer;
    for mut entry in entries {
        rows.head.entry.0 += 1;
        let account = rows.accounts.iter_mut().find(|row| row.id == entry.account).unwrap();
        let Ok(balance) = account.key.balance_after(account.balance, entry.posting) else {
            // Not even a forgetful journal could apply it twice.
            rows.transfers.clear();
            return Sign::Breaks(Law::Conservation);
        };
        account.balance = balance;
        entry.previous = Some(account.last_entry);
        (entry.id, entry.transfer) = (rows.head.entry, transfer.id);
        account.last_entry = entry.id;
        rows.entries.push(entry);
    }
    rows.transfers.push(transfer);
    Sign::Breaks(Law::Once)
}

fn names(report: &Report, accounts: &[AccountId]) -> bool {
    let findings = report.laws.values().filter_map(|verdict| match verdict {
        Verdict::Broken(findings) => Some(findings),
        Verdict::Holds | Verdict::NotChecked(_) => None,
    });
    let mut named = findings.flat_map(|it| it.kept()).filter_map(|it| it.account).map(|it| it.id);
    named.any(|id| accounts.contains(&id))
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(any::<[u8; 8]>().prop_map(Step::of), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_change_is_found_wherever_it_is_made(
        steps in steps(),
        change in prop::sample::select(&CHANGES[..]),
        place: usize,
        by: u64,
    ) {
        let by = by / 4;
        actix_rt::System::new().block_on(async {
            let honest = Rows::written(&steps).await;
            if honest.entries.is_empty() {
                return Ok(());
            }
            let report = audit(&honest.store().await, None).await.unwrap();
            prop_assert!(report.is_clean(), "{report:#?}");
            let mut rows = honest.clone();
            let sign = change.make(&mut rows, place, by);
            if rows == honest {
                return Ok(());
            }
            let report = audit(&rows.store().await, None).await.unwrap();
            match &sign {
                Sign::Nothing => {}
                Sign::Names(accounts) => {
                    prop_assert!(names(&report, accounts), "{change:?} of {accounts:?}: {report:#?}");
                }
                Sign::Breaks(law) => {
                    let is_broken = matches!(report.laws[law], Verdict::Broken(_));
                    prop_assert!(is_broken, "{change:?}: {report:#?}");
                }
            }
            Ok(())
        })?;
    }
}

/// The problems that are found against a law, in their order.
async fn problems(rows: &Rows, law: Law) -> Vec<Problem> {
    let report = audit(&rows.store().await, None).await.unwrap();
    match &report.laws[&law] {
        Verdict::Broken(findings) => findings.kept().iter().map(|it| it.problem).collect(),
        Verdict::Holds => Vec::new(),
        Verdict::NotChecked(why) => panic!("not checked: {why}"),
    }
}

async fn honest() -> Rows {
    Rows::written(&Step::some(1, 120)).await
}

#[actix_rt::test]
async fn a_book_that_was_overdrawn_and_paid_back_is_found() {
    let mut rows = honest().await;
    // The first two transfers trade places in time: what is spent comes before what is received.
    let first = rows.transfers.iter().position(|row| row.kind == TransferKind::Payment).unwrap();
    let payment = rows.transfers[first].id;
    let is_paid = |row: &&mut EntryRow| row.transfer == payment;
    for entry in rows.entries.iter_mut().filter(is_paid) {
        entry.posting = Posting::new(entry.posting.side(), Amount::from(1_u64 << 40)).unwrap();
    }
    assert!(problems(&rows, Law::Solvency).await.contains(&Problem::Overdrawn));
    // Both sides of the transfer were changed alike, so that it still sums to zero.
    assert_eq!(problems(&rows, Law::Conservation).await, []);
    assert!(problems(&rows, Law::Replay).await.contains(&Problem::WrongBalance));
}

#[actix_rt::test]
async fn one_change_is_told_once() {
    let mut rows = honest().await;
    let last = rows.accounts[2].clone();
    rows.accounts[2].balance = flipped(last.balance, 255);
    assert_eq!(problems(&rows, Law::Replay).await, [Problem::WrongBalance]);
    let mut rows = honest().await;
    let transfer = rows.transfers.remove(7).id;
    let entries = rows.entries.iter().filter(|row| row.transfer == transfer).count();
    assert_eq!(problems(&rows, Law::Replay).await, [Problem::MissingNumber]);
    assert_eq!(problems(&rows, Law::Conservation).await, vec![Problem::WrongTransfer; entries]);
    let mut rows = honest().await;
    rows.entries[20].transfer = rows.head.transfer;
    let found = problems(&rows, Law::Conservation).await;
    assert_eq!(found[0], Problem::WrongTransfer);
    assert!(found.len() <= 3, "{found:?}");
}

#[actix_rt::test]
async fn an_empty_store_breaks_nothing() {
    let store = MemoryStore::new();
    let report = audit(&store, None).await.unwrap();
    assert!(report.is_clean());
    assert_eq!((report.accounts, report.transfers, report.entries), (0, 0, 0));
}

#[actix_rt::test]
async fn the_same_request_twice_at_once_is_found() {
    let mut rows = honest().await;
    let last = rows.transfers.len() - 1;
    assert_eq!(apply_again(&mut rows, last), Sign::Breaks(Law::Once));
    assert_eq!(problems(&rows, Law::Once).await, [Problem::SaidTwice]);
    for law in [Law::Conservation, Law::Solvency, Law::Replay] {
        assert_eq!(problems(&rows, law).await, [], "{law:?}");
    }
}
