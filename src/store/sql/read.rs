//! The reading half. Each function is one statement, but [`load`] and [`accounts`].

use domain::ledger::{AccountKey, AccountKind, OwnerId, RequestKey};
use domain::primitives::{Address, ChainId, ChannelId, Timestamp};
use entity::{accounts, cursors, entries, head, inbox, members, outbox, requests, states, transfers};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, EntityTrait, FromQueryResult, ModelTrait, QueryFilter,
    QueryOrder, QuerySelect, Select, SelectModel, Selector, Statement, Value,
};

use super::decode::{self, Row};
use super::write::HEAD;
use super::{codes, encode, error};
use crate::store::{
    AccountId, AccountRow, AnswerRow, CursorRow, EntryId, EntryRow, Head, InboxId, InboxRow, OutboxId,
    OutboxRow, OutboxStatus, StateKind, StateRow, StoreError, Stored, TransferId, TransferRow,
};

type Db = DatabaseConnection;

/// The most account keys of one statement: each is a condition of its own, and SQLite's conditions may
/// be 1,000 deep.
const KEYS_MAX: usize = 100;

/// Waits for the transaction that is moving the head, if any: what it says afterwards is final.
pub(super) async fn head(db: &Db) -> Result<Option<Head>, StoreError> {
    let row = head::Entity::find_by_id(HEAD).lock_shared().one(db).await;
    let row = row.map_err(|err| error::of_read(&err, head::Model::TABLE))?;
    Ok(row.map(decode::one).transpose()?.map(|(_, head)| head))
}

pub(super) async fn load(db: &Db, owner: OwnerId) -> Result<Stored, StoreError> {
    let (owner_kind, owner_id) = codes::of_owner(owner);
    let state = states::Entity::find_by_id((owner_kind, owner_id.clone()));
    let inbox = inbox::Entity::find()
        .filter(is_unhandled())
        .filter(inbox::Column::OwnerKind.eq(owner_kind))
        .filter(inbox::Column::OwnerId.eq(owner_id))
        .order_by_asc(inbox::Column::Id);
    let accounts = match accounts_of(owner) {
        Some(accounts) => rows(db, accounts.order_by_asc(accounts::Column::Id)).await?,
        None => Vec::new(),
    };
    // In this order: an event leaves the inbox only together with a state, which never goes away. The other way
    // round an owner that is being brought into being could look like one that nobody knows.
    let inbox = rows(db, inbox).await?;
    Ok(Stored { state: rows(db, state).await?.pop(), accounts, inbox })
}

/// By the beginning of the key that names accounts, which is indexed.
fn accounts_of(owner: OwnerId) -> Option<Select<accounts::Entity>> {
    let of = |channel: ChannelId, kinds: &[AccountKind]| {
        accounts::Entity::find()
            .filter(accounts::Column::ChannelId.eq(channel.as_bytes().to_vec()))
            .filter(accounts::Column::Kind.is_in(kinds.iter().map(|kind| i16::from(kind.code()))))
    };
    match owner {
        OwnerId::Channel(id) => {
            Some(of(id, &[AccountKind::Direct, AccountKind::Virtual, AccountKind::Settling]))
        }
        OwnerId::Participant(address) => Some(of(ChannelId::of_wallet(address), &[AccountKind::Wallet])),
        OwnerId::Network(chain_id) => {
            let chain_id = encode::number(chain_id.get()).ok()?;
            let broker = of(ChannelId::NONE, &[AccountKind::Broker]);
            Some(
                broker
                    .filter(accounts::Column::Participant.eq(Address::ZERO.as_bytes().to_vec()))
                    .filter(accounts::Column::ChainId.eq(chain_id)),
            )
        }
    }
}

pub(super) async fn accounts(db: &Db, keys: &[AccountKey]) -> Result<Vec<AccountRow>, StoreError> {
    let mut found = Vec::new();
    for keys in keys.chunks(KEYS_MAX) {
        let any = keys.iter().filter_map(|key| {
            let token = key.token();
            // An account on a chain whose number no column keeps does not exist.
            let chain_id = encode::number(token.chain_id.get()).ok()?;
            Some(
                Condition::all()
                    .add(accounts::Column::ChannelId.eq(key.channel().as_bytes().to_vec()))
                    .add(accounts::Column::Kind.eq(i16::from(key.kind().code())))
                    .add(accounts::Column::Participant.eq(key.participant().as_bytes().to_vec()))
                    .add(accounts::Column::ChainId.eq(chain_id))
                    .add(accounts::Column::TokenAddress.eq(token.address.as_bytes().to_vec())),
            )
        });
        let any = any.fold(Condition::any(), Condition::add);
        if !any.is_empty() {
            found.extend(rows(db, accounts::Entity::find().filter(any)).await?);
        }
    }
    Ok(found)
}

pub(super) async fn answer(db: &Db, key: RequestKey) -> Result<Option<AnswerRow>, StoreError> {
    match encode::request_key(&key) {
        Ok(id) => Ok(rows(db, requests::Entity::find_by_id(id)).await?.pop()),
        Err(_) => Ok(None),
    }
}

pub(super) async fn answers(
    db: &Db,
    from: Timestamp,
    after: Option<RequestKey>,
    max: u32,
) -> Result<Vec<AnswerRow>, StoreError> {
    use requests::Column::{At, RequestId, Signer};
    let Ok(first) = encode::number(from.as_millis()) else { return Ok(Vec::new()) };
    // One bound, not two: SQLite would take the lower one and read again what earlier pages held.
    let bound = match after {
        Some(after) if after.at >= from => {
            let (at, id) = (up_to(after.at.as_millis()), up_to(after.id));
            let signer = after.signer.as_bytes().to_vec();
            let columns = Expr::tuple([At, Signer, RequestId].map(Expr::col));
            columns.gt(Expr::tuple([Expr::val(at), Expr::val(signer), Expr::val(id)]))
        }
        Some(_) | None => At.gte(first),
    };
    let page = requests::Entity::find().filter(bound);
    let page = page.order_by_asc(At).order_by_asc(Signer).order_by_asc(RequestId);
    rows(db, page.limit(u64::from(max))).await
}

pub(super) async fn due(
    db: &Db,
    before: Timestamp,
    after: Option<(Timestamp, OwnerId)>,
    max: u32,
) -> Result<Vec<(Timestamp, OwnerId)>, StoreError> {
    use states::Column::{DueAt, OwnerId as Id, OwnerKind};
    let mut page = states::Entity::find()
        .select_only()
        .columns([DueAt, OwnerKind, Id])
        .filter(DueAt.lte(up_to(before.as_millis())));
    if let Some((due_at, owner)) = after {
        let (due_at, (kind, id)) = (up_to(due_at.as_millis()), codes::of_owner(owner));
        let columns = Expr::tuple([DueAt, OwnerKind, Id].map(Expr::col));
        // The index is searched by the first of the three.
        page = page.filter(DueAt.gte(due_at));
        page = page.filter(columns.gt(Expr::tuple([Expr::val(due_at), Expr::val(kind), Expr::val(id)])));
    }
    let owners = page
        .order_by_asc(DueAt)
        .order_by_asc(OwnerKind)
        .order_by_asc(Id)
        .limit(u64::from(max))
        .into_tuple::<(i64, i16, Vec<u8>)>();
    let owners = owners.all(db).await.map_err(|err| error::of_read(&err, states::Model::TABLE))?;
    owners.into_iter().map(|(due_at, kind, id)| decode::due(due_at, kind, &id)).collect()
}

pub(super) async fn channels_of(
    db: &Db,
    participant: Address,
    after: Option<ChannelId>,
    max: u32,
) -> Result<Vec<ChannelId>, StoreError> {
    let mut page =
        members::Entity::find().filter(members::Column::Participant.eq(participant.as_bytes().to_vec()));
    if let Some(after) = after {
        page = page.filter(members::Column::ChannelId.gt(after.as_bytes().to_vec()));
    }
    let page = page.order_by_asc(members::Column::ChannelId).limit(u64::from(max));
    Ok(rows(db, page).await?.into_iter().map(|row| row.channel).collect())
}

pub(super) async fn cursor(db: &Db, chain_id: ChainId) -> Result<Vec<CursorRow>, StoreError> {
    let Ok(chain_id) = encode::number(chain_id.get()) else { return Ok(Vec::new()) };
    let ring = cursors::Entity::find().filter(cursors::Column::ChainId.eq(chain_id));
    rows(db, ring.order_by_asc(cursors::Column::Height)).await
}

pub(super) async fn unhandled(
    db: &Db,
    chain_id: ChainId,
    after: Option<InboxId>,
    max: u32,
) -> Result<Vec<InboxRow>, StoreError> {
    let Ok(chain_id) = encode::number(chain_id.get()) else { return Ok(Vec::new()) };
    let page = inbox::Entity::find()
        .filter(is_unhandled())
        .filter(inbox::Column::ChainId.eq(chain_id))
        .filter(inbox::Column::Id.gt(beyond(after.map(|id| id.0))))
        .order_by_asc(inbox::Column::Id);
    rows(db, page.limit(u64::from(max))).await
}

pub(super) async fn open_outbox(
    db: &Db,
    chain_id: ChainId,
    after: Option<OutboxId>,
    max: u32,
) -> Result<Vec<OutboxRow>, StoreError> {
    let Ok(chain_id) = encode::number(chain_id.get()) else { return Ok(Vec::new()) };
    let open = Value::from(codes::of_outbox_status(OutboxStatus::Open));
    let page = outbox::Entity::find()
        .filter(Expr::col(outbox::Column::Status).eq(Expr::Constant(open)))
        .filter(outbox::Column::ChainId.eq(chain_id))
        .filter(outbox::Column::Id.gt(beyond(after.map(|id| id.0))))
        .order_by_asc(outbox::Column::Id);
    rows(db, page.limit(u64::from(max))).await
}

pub(super) async fn account_page(
    db: &Db,
    after: Option<AccountId>,
    max: u32,
) -> Result<Vec<AccountRow>, StoreError> {
    let page = accounts::Entity::find().filter(accounts::Column::Id.gt(beyond(after.map(|id| id.0))));
    rows(db, page.order_by_asc(accounts::Column::Id).limit(u64::from(max))).await
}

pub(super) async fn transfer_page(
    db: &Db,
    after: Option<TransferId>,
    max: u32,
) -> Result<Vec<TransferRow>, StoreError> {
    let page = transfers::Entity::find().filter(transfers::Column::Id.gt(beyond(after.map(|id| id.0))));
    rows(db, page.order_by_asc(transfers::Column::Id).limit(u64::from(max))).await
}

pub(super) async fn entry_page(
    db: &Db,
    after: Option<EntryId>,
    max: u32,
) -> Result<Vec<EntryRow>, StoreError> {
    let page = entries::Entity::find().filter(entries::Column::Id.gt(beyond(after.map(|id| id.0))));
    rows(db, page.order_by_asc(entries::Column::Id).limit(u64::from(max))).await
}

pub(super) async fn has_channel(
    db: &Db,
    participant: Address,
    kind: StateKind,
    phase: u8,
) -> Result<bool, StoreError> {
    use states::Column::{Kind, OwnerId as Id, OwnerKind, Phase};
    let (channels, _) = codes::of_owner(OwnerId::Channel(ChannelId::NONE));
    let mine = Query::select()
        .column(members::Column::ChannelId)
        .from(members::Entity)
        .and_where(members::Column::Participant.eq(participant.as_bytes().to_vec()))
        .to_owned();
    let found = states::Entity::find()
        .select_only()
        .column(OwnerKind)
        .filter(OwnerKind.eq(channels))
        .filter(Id.in_subquery(mine))
        .filter(Kind.eq(codes::of_state_kind(kind)))
        .filter(Phase.eq(i16::from(phase)))
        .limit(1)
        .into_tuple::<i16>();
    let found = found.one(db).await.map_err(|err| error::of_read(&err, states::Model::TABLE))?;
    Ok(found.is_some())
}

pub(super) async fn in_phase(
    db: &Db,
    kind: StateKind,
    phase: u8,
    after: Option<OwnerId>,
    max: u32,
) -> Result<Vec<OwnerId>, StoreError> {
    use states::Column::{Kind, OwnerId as Id, OwnerKind, Phase};
    let there = Condition::all().add(Kind.eq(codes::of_state_kind(kind))).add(Phase.eq(i16::from(phase)));
    let owners = states_after(after)
        .filter(there)
        .select_only()
        .columns([OwnerKind, Id])
        .order_by_asc(OwnerKind)
        .order_by_asc(Id)
        .limit(u64::from(max))
        .into_tuple::<(i16, Vec<u8>)>();
    let owners = owners.all(db).await.map_err(|err| error::of_read(&err, states::Model::TABLE))?;
    owners.into_iter().map(|(kind, id)| decode::owner(kind, &id)).collect()
}

pub(super) async fn state_page(
    db: &Db,
    after: Option<OwnerId>,
    max: u32,
) -> Result<Vec<StateRow>, StoreError> {
    use states::Column::{OwnerId as Id, OwnerKind};
    let page = states_after(after).order_by_asc(OwnerKind).order_by_asc(Id);
    rows(db, page.limit(u64::from(max))).await
}

fn states_after(after: Option<OwnerId>) -> Select<states::Entity> {
    use states::Column::{OwnerId as Id, OwnerKind};
    let states = states::Entity::find();
    let Some(after) = after else { return states };
    let (kind, id) = codes::of_owner(after);
    let columns = Expr::tuple([OwnerKind, Id].map(Expr::col));
    states.filter(columns.gt(Expr::tuple([Expr::val(kind), Expr::val(id)])))
}

pub(super) async fn history(
    db: &Db,
    account: AccountId,
    before: Option<EntryId>,
    max: u32,
) -> Result<Vec<EntryRow>, StoreError> {
    let newest = match before {
        None => "SELECT last_entry FROM accounts WHERE id = $1 AND $2 < 0",
        Some(_) => "SELECT previous FROM entries WHERE id = $2 AND account_id = $1",
    };
    // Walks the chain by primary key and ends by itself at `max`: an outer LIMIT could not be ordered.
    let sql = format!(
        "WITH RECURSIVE chain AS (\
         SELECT entries.*, CAST(1 AS BIGINT) AS place FROM entries WHERE account_id = $1 AND id = ({newest}) \
         UNION ALL \
         SELECT entries.*, chain.place + 1 FROM chain JOIN entries ON entries.id = chain.previous \
         WHERE entries.account_id = $1 AND chain.place < $3) \
         SELECT id, transfer_id, account_id, side, amount, previous FROM chain WHERE place <= $3 ORDER BY place"
    );
    let (account, before) = (up_to(account.0), beyond(before.map(|id| id.0)));
    let values = [account.into(), before.into(), i64::from(max).into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let models = entries::Model::find_by_statement(statement).all(db).await;
    decode::all(models.map_err(|err| error::of_read(&err, entries::Model::TABLE))?)
}

/// Not as a parameter: the index of unhandled rows is chosen by the text of the condition.
fn is_unhandled() -> Expr {
    Expr::cust("handled = FALSE")
}

/// Below every number a page may begin with, or the number the page before ended with.
fn beyond(after: Option<u64>) -> i64 {
    after.map_or(-1, up_to)
}

/// The number, or the greatest a column keeps: no row lies beyond that.
fn up_to(number: u64) -> i64 {
    encode::number(number).unwrap_or(i64::MAX)
}

async fn rows<E, M>(db: &Db, select: Select<E>) -> Result<Vec<M::Value>, StoreError>
where
    E: EntityTrait<Model = M>,
    M: Row + ModelTrait<Entity = E> + FromQueryResult,
{
    let selector: Selector<SelectModel<M>> = select.into_model::<M>();
    decode::all(selector.all(db).await.map_err(|err| error::of_read(&err, M::TABLE))?)
}
