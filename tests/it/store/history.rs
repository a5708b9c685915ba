//! The entries of one account, followed from the newest to the first.

use clearnet::store::{AccountId, Batch, EntryId};

use super::sample::{Writer, entry, transfer, wallet};
use crate::harness::database::Database;

super::on_every_store!(follows_an_account_from_its_newest_entry, knows_no_history_of_other_accounts);

/// Entries 1 … 9 on the accounts 1 and 2 in turns, 2 beginning; account 3 has none.
async fn two_accounts(writer: &mut Writer) {
    let entries = (1..=9).map(|id| entry(id, 2 - (id + 1) % 2, (id > 2).then(|| id - 2)));
    let mut accounts = vec![wallet(1), wallet(2), wallet(3)];
    for (account, last_entry) in accounts.iter_mut().zip([8, 9, 0]) {
        account.last_entry = EntryId(last_entry);
    }
    let transfers = (1..=9).map(transfer).collect();
    let batch = Batch { entries: entries.collect(), transfers, accounts, ..writer.batch() };
    writer.write(&batch).await.unwrap();
}

async fn follows_an_account_from_its_newest_entry(database: Database) {
    let mut writer = Writer::open(&database).await;
    two_accounts(&mut writer).await;
    let history = async |account, before: Option<u64>, max| {
        let rows = writer.store.history(AccountId(account), before.map(EntryId), max).await.unwrap();
        assert!(rows.iter().all(|row| row.account == AccountId(account)));
        rows.into_iter().map(|row| row.id.0).collect::<Vec<_>>()
    };
    assert_eq!(history(2, None, 100).await, [9, 7, 5, 3, 1]);
    assert_eq!(history(1, None, 100).await, [8, 6, 4, 2]);
    for max in 0..=5 {
        assert_eq!(history(2, None, max).await, [9, 7, 5, 3, 1][..max as usize]);
    }
    assert_eq!(history(2, Some(7), 2).await, [5, 3]);
    assert_eq!(history(2, Some(3), 2).await, [1]);
    assert_eq!(history(2, Some(1), 2).await, [0_u64; 0]);
}

async fn knows_no_history_of_other_accounts(database: Database) {
    let mut writer = Writer::open(&database).await;
    two_accounts(&mut writer).await;
    // An account without entries, none at all, and entries that are none of this account.
    for (account, before) in
        [(3, None), (4, None), (u64::MAX, None), (2, Some(8)), (2, Some(10)), (1, Some(0))]
    {
        let rows = writer.store.history(AccountId(account), before.map(EntryId), 10).await.unwrap();
        assert_eq!(rows, [], "{account} {before:?}");
    }
    let beyond = writer.store.history(AccountId(2), Some(EntryId(u64::MAX)), 10).await.unwrap();
    assert_eq!(beyond, []);
}
