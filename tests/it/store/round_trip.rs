//! What is written comes back as it was, at the limits of every column.

use clearnet::store::{
    AccountId, AccountRow, AnswerRow, Batch, CursorRow, EntryId, EntryRow, Head, InboxId, InboxRow,
    MemberRow, OutboxId, OutboxRow, OutboxStatus, Revision, StateKind, StateRow, TransferId, TransferRow,
    WriteError,
};
use domain::ledger::{AccountKey, Cause, EventKey, OwnerId, Posting, RequestKey, Side, TransferKind};
use domain::primitives::{Address, Amount, ChainId, ChannelId, Digest, Token};

use super::sample::{NUMBER_MAX, Writer, address, at, channel, event, full_batch, hash, request, token};
use crate::harness::database::Database;
use crate::harness::digest::digest;

super::on_every_store!(
    keeps_accounts_of_every_kind,
    keeps_transfers_of_every_kind_and_cause,
    keeps_entries_of_every_amount,
    keeps_states_of_every_owner_and_size,
    keeps_answers,
    keeps_chain_events,
    keeps_the_ring_of_blocks,
    keeps_chain_transactions,
    keeps_members,
    keeps_the_head,
    keeps_more_rows_than_a_statement_holds,
    refuses_numbers_above_63_bits,
);

const LARGE: usize = 1 << 20;

fn bodies() -> [Vec<u8>; 4] {
    [vec![], vec![0], (0..=255).collect(), vec![0xff; LARGE]]
}

async fn keeps_accounts_of_every_kind(database: Database) {
    let mut writer = Writer::open(&database).await;
    let far = Token { chain_id: ChainId::new(NUMBER_MAX), address: Address::ZERO };
    let keys = [token(), far].map(|token| {
        [
            AccountKey::direct(channel(1), address(1), token),
            AccountKey::member(channel(1), address(1), token),
            AccountKey::member(ChannelId::from_bytes([0xff; 32]), Address::from_bytes([0xff; 20]), token),
            AccountKey::wallet(address(1), token),
            AccountKey::settling(channel(1), address(1), token),
            AccountKey::broker(token),
            AccountKey::custody(token),
            AccountKey::shortfall(token),
        ]
    });
    let amounts = [Amount::ZERO, Amount::from(1_u64), Amount::from(u64::MAX), Amount::MAX];
    let numbers = [0, 1, NUMBER_MAX];
    let mut accounts: Vec<AccountRow> = keys
        .iter()
        .flatten()
        .enumerate()
        .map(|(place, key)| AccountRow {
            id: AccountId(place as u64),
            key: *key,
            balance: amounts[place % amounts.len()],
            credit_no: numbers[place % numbers.len()],
            last_entry: EntryId(numbers[place % numbers.len()]),
        })
        .collect();
    accounts.last_mut().unwrap().id = AccountId(NUMBER_MAX);
    let batch = Batch { accounts: accounts.clone(), ..writer.batch() };
    writer.write(&batch).await.unwrap();

    let store = database.open().await;
    assert_eq!(store.account_page(None, 100).await.unwrap(), accounts);
    let mut asked: Vec<_> = accounts.iter().map(|row| row.key).collect();
    asked.push(AccountKey::wallet(address(9), token()));
    asked.push(AccountKey::broker(Token { chain_id: ChainId::new(u64::MAX), ..token() }));
    let mut found = store.accounts(&asked).await.unwrap();
    found.sort_by_key(|row| row.id);
    assert_eq!(found, accounts);
    assert_eq!(store.accounts(&[]).await.unwrap(), []);
    assert_eq!(store.accounts(&asked[asked.len() - 1..]).await.unwrap(), []);

    let owners = [
        OwnerId::Channel(channel(1)),
        OwnerId::Channel(channel(2)),
        OwnerId::Participant(address(1)),
        OwnerId::Participant(address(2)),
        OwnerId::Network(token().chain_id),
        OwnerId::Network(ChainId::new(NUMBER_MAX)),
        OwnerId::Network(ChainId::new(u64::MAX)),
    ];
    for owner in owners {
        let mine: Vec<_> = accounts.iter().filter(|row| row.key.owner() == Some(owner)).cloned().collect();
        assert_eq!(store.load(owner).await.unwrap().accounts, mine, "{owner}");
    }
}

async fn keeps_transfers_of_every_kind_and_cause(database: Database) {
    let mut writer = Writer::open(&database).await;
    let key = RequestKey { at: at(u64::MAX), signer: address(0xff), id: u64::MAX };
    let event = EventKey {
        chain_id: ChainId::new(u64::MAX),
        block_hash: hash(0xff),
        tx_hash: hash(0),
        log_index: u64::MAX,
    };
    let causes = [
        Cause::Request(request(0)),
        Cause::Request(key),
        Cause::Operator(key),
        Cause::Chain(event),
        Cause::Timer(channel(0xff), at(u64::MAX)),
    ];
    let kinds = (0..=u8::MAX).filter_map(TransferKind::from_code);
    let transfers: Vec<TransferRow> = kinds
        .enumerate()
        .map(|(place, kind)| TransferRow {
            id: TransferId(place as u64 * (NUMBER_MAX / 20)),
            kind,
            cause: causes[place % causes.len()],
            at: at(if place % 2 == 0 { 0 } else { NUMBER_MAX }),
        })
        .collect();
    assert_eq!(transfers.len(), 20);
    let batch = Batch { transfers: transfers.clone(), ..writer.batch() };
    writer.write(&batch).await.unwrap();
    assert_eq!(database.open().await.transfer_page(None, 100).await.unwrap(), transfers);
}

async fn keeps_entries_of_every_amount(database: Database) {
    let mut writer = Writer::open(&database).await;
    let amounts = [Amount::from(1_u64), Amount::from(256_u64), Amount::from(u128::MAX), Amount::MAX];
    let mut entries: Vec<EntryRow> = amounts
        .iter()
        .flat_map(|amount| [Side::Credit, Side::Debit].map(|side| Posting::new(side, *amount).unwrap()))
        .enumerate()
        .map(|(place, posting)| EntryRow {
            id: EntryId(place as u64),
            transfer: TransferId(NUMBER_MAX),
            account: AccountId(NUMBER_MAX),
            posting,
            previous: [None, Some(EntryId(0)), Some(EntryId(NUMBER_MAX))][place % 3],
        })
        .collect();
    entries.last_mut().unwrap().id = EntryId(NUMBER_MAX);
    let batch = Batch { entries: entries.clone(), ..writer.batch() };
    writer.write(&batch).await.unwrap();
    assert_eq!(database.open().await.entry_page(None, 100).await.unwrap(), entries);
}

async fn keeps_states_of_every_owner_and_size(database: Database) {
    let mut writer = Writer::open(&database).await;
    let owners = [
        OwnerId::Channel(ChannelId::NONE),
        OwnerId::Channel(channel(0xff)),
        OwnerId::Participant(Address::ZERO),
        OwnerId::Participant(address(0xff)),
        OwnerId::Network(ChainId::new(0)),
        OwnerId::Network(ChainId::new(u64::MAX)),
    ];
    let kinds = [StateKind::Direct, StateKind::Virtual, StateKind::Participant, StateKind::Sender];
    let states: Vec<StateRow> = owners
        .into_iter()
        .enumerate()
        .map(|(place, owner)| StateRow {
            owner,
            revision: Revision([0, NUMBER_MAX][place % 2]),
            kind: kinds[place % kinds.len()],
            phase: [0, 255][place % 2],
            due_at: [None, Some(at(0)), Some(at(NUMBER_MAX))][place % 3],
            body: bodies()[place % bodies().len()].clone(),
        })
        .collect();
    let batch = Batch { states: states.clone(), ..writer.batch() };
    writer.write(&batch).await.unwrap();
    let store = database.open().await;
    assert_eq!(store.state_page(None, 100).await.unwrap(), states);
    for state in states {
        assert_eq!(store.load(state.owner).await.unwrap().state, Some(state));
    }
    assert_eq!(store.load(OwnerId::Channel(channel(1))).await.unwrap().state, None);
}

async fn keeps_answers(database: Database) {
    let mut writer = Writer::open(&database).await;
    let answers: Vec<AnswerRow> = bodies()
        .into_iter()
        .zip([0, 1, 2, NUMBER_MAX])
        .map(|(answer, n)| AnswerRow {
            key: RequestKey { at: at(n), signer: address(0xff), id: n },
            body_hash: Digest::from_bytes([0xff; 32]),
            answer,
        })
        .collect();
    let batch = Batch { answers: answers.clone(), ..writer.batch() };
    writer.write(&batch).await.unwrap();
    let store = database.open().await;
    for answer in &answers {
        assert_eq!(store.answer(answer.key).await.unwrap().as_ref(), Some(answer));
        let others = [
            RequestKey { at: answer.key.at.plus_millis(10), ..answer.key },
            RequestKey { signer: address(0xfe), ..answer.key },
            RequestKey { id: answer.key.id + 10, ..answer.key },
        ];
        for other in others {
            assert_eq!(store.answer(other).await.unwrap(), None);
        }
    }
    assert_eq!(store.answers(at(0), None, 100).await.unwrap(), answers);
}

async fn keeps_chain_events(database: Database) {
    let mut writer = Writer::open(&database).await;
    let events: Vec<InboxRow> = bodies()
        .into_iter()
        .zip([0, 1, 2, NUMBER_MAX])
        .map(|(body, n)| InboxRow {
            id: InboxId(n),
            key: EventKey {
                chain_id: ChainId::new(NUMBER_MAX),
                block_hash: hash(0xff),
                tx_hash: hash(0),
                log_index: n,
            },
            height: n,
            owner: OwnerId::Network(ChainId::new(u64::MAX)),
            body,
        })
        .collect();
    let batch = Batch { inbox: events.clone(), ..writer.batch() };
    writer.write(&batch).await.unwrap();
    let store = database.open().await;
    assert_eq!(store.unhandled(ChainId::new(NUMBER_MAX), None, 100).await.unwrap(), events);
    assert_eq!(store.load(OwnerId::Network(ChainId::new(u64::MAX))).await.unwrap().inbox, events);
}

async fn keeps_the_ring_of_blocks(database: Database) {
    let mut writer = Writer::open(&database).await;
    let chain_id = ChainId::new(NUMBER_MAX);
    let blocks =
        [(0, 0), (1, 0xff), (NUMBER_MAX, 7)].map(|(height, n)| CursorRow { chain_id, height, hash: hash(n) });
    let batch = Batch { cursors: blocks.to_vec(), ..writer.batch() };
    writer.write(&batch).await.unwrap();
    assert_eq!(database.open().await.cursor(chain_id).await.unwrap(), blocks);
}

async fn keeps_chain_transactions(database: Database) {
    let mut writer = Writer::open(&database).await;
    let chain_id = ChainId::new(NUMBER_MAX);
    let rows: Vec<OutboxRow> = bodies()
        .into_iter()
        .zip([0, 1, 2, NUMBER_MAX])
        .map(|(body, n)| OutboxRow {
            id: OutboxId(n),
            chain_id,
            owner: OwnerId::Participant(address(0xff)),
            status: OutboxStatus::Open,
            body,
        })
        .collect();
    let batch = Batch { outbox: rows.clone(), ..writer.batch() };
    writer.write(&batch).await.unwrap();
    assert_eq!(database.open().await.open_outbox(chain_id, None, 100).await.unwrap(), rows);
}

async fn keeps_members(database: Database) {
    let mut writer = Writer::open(&database).await;
    let channels = [ChannelId::NONE, channel(1), channel(0xff)];
    let members = channels.map(|channel| MemberRow { participant: address(0xff), channel });
    let batch = Batch { members: members.to_vec(), ..writer.batch() };
    writer.write(&batch).await.unwrap();
    assert_eq!(database.open().await.channels_of(address(0xff), None, 100).await.unwrap(), channels);
    assert_eq!(database.open().await.channels_of(address(1), None, 100).await.unwrap(), []);
}

async fn keeps_the_head(database: Database) {
    let mut writer = Writer::open(&database).await;
    let head = Head {
        fence: writer.head.fence,
        seq: writer.head.seq.next(),
        account: AccountId(NUMBER_MAX),
        transfer: TransferId(NUMBER_MAX - 1),
        entry: EntryId(NUMBER_MAX - 2),
        inbox: InboxId(NUMBER_MAX - 3),
        outbox: OutboxId(NUMBER_MAX - 4),
    };
    writer.write(&Batch { head, ..Batch::default() }).await.unwrap();
    assert_eq!(database.open().await.head().await.unwrap(), Some(head));
    let reopened = database.open().await.open_writer(super::sample::broker()).await.unwrap();
    assert_eq!(reopened, Head { fence: head.fence.next(), ..head });
}

async fn keeps_more_rows_than_a_statement_holds(database: Database) {
    let mut writer = Writer::open(&database).await;
    let owner = OwnerId::Channel(channel(1));
    let inbox: Vec<_> = (1..=4_500).map(|n| event(n, owner)).collect();
    let accounts: Vec<_> = (1..=4_500_u64)
        .map(|n| {
            let token = Token { chain_id: ChainId::new(n), ..token() };
            super::sample::account(n, AccountKey::custody(token))
        })
        .collect();
    let handled = inbox.iter().map(|row| row.id).take(4_499).collect();
    let batch = Batch { inbox: inbox.clone(), handled, accounts: accounts.clone(), ..writer.batch() };
    writer.write(&batch).await.unwrap();
    let store = database.open().await;
    assert_eq!(store.load(owner).await.unwrap().inbox, inbox[4_499..]);
    assert_eq!(store.account_page(None, 5_000).await.unwrap(), accounts);
    let keys: Vec<_> = accounts.iter().map(|row| row.key).collect();
    let mut found = store.accounts(&keys).await.unwrap();
    found.sort_by_key(|row| row.id);
    assert_eq!(found, accounts);
}

async fn refuses_numbers_above_63_bits(database: Database) {
    let mut writer = Writer::open(&database).await;
    writer.write(&full_batch(writer.head, 1)).await.unwrap();
    let before = digest(&*writer.store).await;
    let spoil: [fn(&mut Batch, u64); 23] = [
        |batch, n| batch.head.account = AccountId(n),
        |batch, n| batch.head.transfer = TransferId(n),
        |batch, n| batch.head.entry = EntryId(n),
        |batch, n| batch.head.inbox = InboxId(n),
        |batch, n| batch.head.outbox = OutboxId(n),
        |batch, n| batch.accounts[0].id = AccountId(n),
        |batch, n| batch.accounts[0].credit_no = n,
        |batch, n| batch.accounts[0].last_entry = EntryId(n),
        |batch, n| {
            let token = Token { chain_id: ChainId::new(n), ..token() };
            batch.accounts[0].key = AccountKey::wallet(address(2), token);
        },
        |batch, n| batch.transfers[0].id = TransferId(n),
        |batch, n| batch.transfers[0].at = at(n),
        |batch, n| batch.entries[0].id = EntryId(n),
        |batch, n| batch.entries[0].transfer = TransferId(n),
        |batch, n| batch.entries[0].account = AccountId(n),
        |batch, n| batch.entries[0].previous = Some(EntryId(n)),
        |batch, n| batch.states[0].revision = Revision(n),
        |batch, n| batch.states[0].due_at = Some(at(n)),
        |batch, n| batch.answers[0].key.at = at(n),
        |batch, n| batch.answers[0].key.id = n,
        |batch, n| batch.inbox[0].key.log_index = n,
        |batch, n| batch.inbox[0].height = n,
        |batch, n| batch.cursors[0].height = n,
        |batch, n| batch.outbox[0].id = OutboxId(n),
    ];
    for (place, spoil) in spoil.into_iter().enumerate() {
        let mut batch = full_batch(writer.head, 2);
        spoil(&mut batch, NUMBER_MAX + 1);
        let refused = writer.write(&batch).await;
        assert!(matches!(refused, Err(WriteError::Rejected { .. })), "{place}: {refused:?}");
        assert_eq!(digest(&*writer.store).await, before, "{place}");
    }
    writer.write(&full_batch(writer.head, 2)).await.unwrap();
}
