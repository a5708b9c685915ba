//! The writing half: one batch is one transaction, fenced by the head row.

use std::time::Duration;

use domain::primitives::{Address, Timestamp};
use entity::{accounts, cursors, entries, head, inbox, members, outbox, requests, states, transfers};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, Insert,
    IntoActiveModel, Iterable, QueryFilter, TransactionTrait,
};
use tokio::time::timeout;

use super::encode::{HeadColumns, Tables};
use super::{codes, decode, error};
use crate::store::{Batch, CursorTrim, Head, StoreError, WriteError};

/// The id of the one row of `head`.
pub(super) const HEAD: i16 = 1;
/// How long the statements of a batch, and then its COMMIT, may take before the database counts as away.
const WRITE_WAIT: Duration = Duration::from_secs(30);
/// The most variables of a statement, as SQLite has it (PostgreSQL: 65,535).
const VARIABLES_MAX: usize = 32_766;
/// The most rows of a statement: longer ones gain nothing more, and the connection keeps prepared ones.
const ROWS_MAX: usize = 1_000;

pub(super) async fn open_writer(db: &DatabaseConnection, broker: Address) -> Result<Head, StoreError> {
    let unavailable = |err| error::unavailable(&err);
    let tx = db.begin().await.map_err(unavailable)?;
    let first = head::Model {
        id: HEAD,
        broker: broker.as_bytes().to_vec(),
        fence: 0,
        seq: 0,
        last_account: 0,
        last_transfer: 0,
        last_entry: 0,
        last_inbox: 0,
        last_outbox: 0,
    };
    let once = OnConflict::column(head::Column::Id).do_nothing().to_owned();
    insert::<head::Entity>(&tx, vec![first], Some(once)).await.map_err(unavailable)?;
    let raise = head::Entity::update_many()
        .col_expr(head::Column::Fence, Expr::col(head::Column::Fence).add(1))
        .filter(head::Column::Id.eq(HEAD));
    raise.exec(&tx).await.map_err(unavailable)?;
    let row = head::Entity::find_by_id(HEAD).one(&tx).await.map_err(|err| error::of_read(&err, "head"))?;
    let Some(row) = row else {
        return Err(StoreError::Damaged { table: "head", row: HEAD.to_string(), reason: "gone" });
    };
    let (stored, head) = decode::one(row)?;
    if stored != broker {
        return Err(StoreError::OtherBroker { stored, given: broker });
    }
    tx.commit().await.map_err(unavailable)?;
    Ok(head)
}

pub(super) async fn write(db: &DatabaseConnection, batch: &Batch) -> Result<(), WriteError> {
    let tables = Tables::of(batch)?;
    let too_slow = || format!("no answer within {} seconds", WRITE_WAIT.as_secs());
    let tx = db.begin().await.map_err(|err| error::before_commit(&err))?;
    let written = timeout(WRITE_WAIT, statements(&tx, batch, tables)).await;
    if let Err(refused) = written.unwrap_or_else(|_| Err(WriteError::Down { reason: too_slow() })) {
        // Without an answer the database rolls back by itself, at the latest when the connection ends.
        let _ = timeout(WRITE_WAIT, tx.rollback()).await;
        return Err(refused);
    }
    match timeout(WRITE_WAIT, tx.commit()).await {
        Ok(committed) => committed.map_err(|err| error::of_commit(&err)),
        Err(_) => Err(WriteError::Unknown { reason: too_slow() }),
    }
}

/// All of a batch but its COMMIT. The head comes first: whoever moves it holds its lock to the end, so
/// that whoever reads it with a lock knows how the batch ended.
async fn statements(tx: &DatabaseTransaction, batch: &Batch, tables: Tables) -> Result<(), WriteError> {
    if !move_head(tx, batch, tables.head).await.map_err(|err| error::before_commit(&err))? {
        return Err(WriteError::Fenced);
    }
    if batch.begins_anew {
        begin_anew(tx).await.map_err(|err| error::before_commit(&err))?;
    }
    let handled = tables.handled.clone();
    rows(tx, batch, tables).await.map_err(|err| error::before_commit(&err))?;
    if handle(tx, &handled).await.map_err(|err| error::before_commit(&err))? {
        Ok(())
    } else {
        Err(WriteError::Rejected { reason: "a chain event was not waiting to be handled".to_owned() })
    }
}

/// Empties the book: all but the head, the kept answers and the states of networks and participants.
async fn begin_anew(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    accounts::Entity::delete_many().exec(tx).await?;
    transfers::Entity::delete_many().exec(tx).await?;
    entries::Entity::delete_many().exec(tx).await?;
    let of_channels = states::Column::OwnerKind.eq(codes::OWNER_CHANNEL);
    states::Entity::delete_many().filter(of_channels).exec(tx).await?;
    members::Entity::delete_many().exec(tx).await?;
    inbox::Entity::delete_many().exec(tx).await?;
    cursors::Entity::delete_many().exec(tx).await?;
    outbox::Entity::delete_many().exec(tx).await.map(|_| ())
}

/// Marks chain events as handled; says whether every one of them was waiting for that, and named once.
async fn handle(tx: &DatabaseTransaction, ids: &[i64]) -> Result<bool, DbErr> {
    let mut handled = 0;
    for ids in ids.chunks(ROWS_MAX) {
        let mark = inbox::Entity::update_many()
            .col_expr(inbox::Column::Handled, Expr::value(true))
            .filter(inbox::Column::Id.is_in(ids.iter().copied()))
            .filter(inbox::Column::Handled.eq(false));
        handled += mark.exec(tx).await?.rows_affected;
    }
    Ok(usize::try_from(handled) == Ok(ids.len()))
}

/// Moves the head if it is where the writer left it; says whether it was.
async fn move_head(tx: &DatabaseTransaction, batch: &Batch, to: HeadColumns) -> Result<bool, DbErr> {
    // A fence the column cannot keep was never given to anybody.
    let Ok(fence) = i64::try_from(batch.head.fence.0) else { return Ok(false) };
    let moved = head::Entity::update_many()
        .col_expr(head::Column::Seq, Expr::value(to.seq))
        .col_expr(head::Column::LastAccount, Expr::value(to.last_account))
        .col_expr(head::Column::LastTransfer, Expr::value(to.last_transfer))
        .col_expr(head::Column::LastEntry, Expr::value(to.last_entry))
        .col_expr(head::Column::LastInbox, Expr::value(to.last_inbox))
        .col_expr(head::Column::LastOutbox, Expr::value(to.last_outbox))
        .filter(head::Column::Id.eq(HEAD))
        .filter(head::Column::Fence.eq(fence))
        .filter(head::Column::Seq.eq(to.seq - 1));
    Ok(moved.exec(tx).await?.rows_affected == 1)
}

async fn rows(tx: &DatabaseTransaction, batch: &Batch, tables: Tables) -> Result<(), DbErr> {
    let newer_account = OnConflict::column(accounts::Column::Id)
        .update_columns([accounts::Column::Balance, accounts::Column::CreditNo, accounts::Column::LastEntry])
        .to_owned();
    insert::<accounts::Entity>(tx, tables.accounts, Some(newer_account)).await?;
    insert::<transfers::Entity>(tx, tables.transfers, None).await?;
    insert::<entries::Entity>(tx, tables.entries, None).await?;
    let newer_state = OnConflict::columns([states::Column::OwnerKind, states::Column::OwnerId])
        .update_columns([
            states::Column::Revision,
            states::Column::Kind,
            states::Column::Phase,
            states::Column::DueAt,
            states::Column::Body,
        ])
        .to_owned();
    insert::<states::Entity>(tx, tables.states, Some(newer_state)).await?;
    let known_member = OnConflict::columns([members::Column::Participant, members::Column::ChannelId])
        .do_nothing()
        .to_owned();
    insert::<members::Entity>(tx, tables.members, Some(known_member)).await?;
    insert::<requests::Entity>(tx, tables.requests, None).await?;
    insert::<inbox::Entity>(tx, tables.inbox, None).await?;
    for trim in &batch.cursor_trims {
        trim_cursor(tx, trim).await?;
    }
    let newer_block = OnConflict::columns([cursors::Column::ChainId, cursors::Column::Height])
        .update_column(cursors::Column::Hash)
        .to_owned();
    insert::<cursors::Entity>(tx, tables.cursors, Some(newer_block)).await?;
    let newer_transaction = OnConflict::column(outbox::Column::Id)
        .update_columns([
            outbox::Column::ChainId,
            outbox::Column::OwnerKind,
            outbox::Column::OwnerId,
            outbox::Column::Status,
            outbox::Column::Body,
        ])
        .to_owned();
    insert::<outbox::Entity>(tx, tables.outbox, Some(newer_transaction)).await
}

/// Inserts rows by as few statements as databases allow.
async fn insert<E>(
    tx: &DatabaseTransaction,
    rows: Vec<E::Model>,
    known: Option<OnConflict>,
) -> Result<(), DbErr>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E>,
{
    let rows_a_statement = ROWS_MAX.min(VARIABLES_MAX / E::Column::iter().count());
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut statement = Insert::<E::ActiveModel>::many(rows.by_ref().take(rows_a_statement));
        if let Some(known) = &known {
            statement = statement.on_conflict(known.clone());
        }
        statement.exec_without_returning(tx).await?;
    }
    Ok(())
}

async fn trim_cursor(tx: &DatabaseTransaction, trim: &CursorTrim) -> Result<(), DbErr> {
    // No row has a number above 2^63 - 1: neither a chain nor a height.
    let column = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let Ok(chain_id) = i64::try_from(trim.chain_id.get()) else { return Ok(()) };
    let mut outside = cursors::Column::Height.gt(column(trim.above));
    if let Some(last_forgotten) = trim.below.checked_sub(1) {
        outside = outside.or(cursors::Column::Height.lte(column(last_forgotten)));
    }
    let of_chain = cursors::Entity::delete_many().filter(cursors::Column::ChainId.eq(chain_id));
    of_chain.filter(outside).exec(tx).await.map(|_| ())
}

pub(super) async fn prune_answers(
    db: &DatabaseConnection,
    before: Timestamp,
    max: u32,
) -> Result<u64, StoreError> {
    let Some(last) = before.as_millis().checked_sub(1) else { return Ok(0) };
    let key = [requests::Column::At, requests::Column::Signer, requests::Column::RequestId];
    let oldest = Query::select()
        .columns(key)
        .from(requests::Entity)
        .and_where(requests::Column::At.lte(i64::try_from(last).unwrap_or(i64::MAX)))
        .order_by_columns(key.map(|column| (column, sea_orm::Order::Asc)))
        .limit(u64::from(max))
        .take();
    let pruned = requests::Entity::delete_many()
        .filter(Expr::tuple(key.map(Expr::col)).in_subquery(oldest))
        .exec(db)
        .await
        .map_err(|err| error::unavailable(&err))?;
    Ok(pruned.rows_affected)
}
