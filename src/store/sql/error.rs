//! What an error of the database means for whoever asked.
//!
//! Texts of drivers are passed on as they are: they name tables, constraints and hosts, never the
//! password of the connection.

use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::sqlx::sqlite::SqliteError;
use sea_orm::{DbErr, RuntimeErr, SqlxError};

use crate::store::{StoreError, WriteError};

/// An error of a connection, or of a statement that only asks.
pub(super) fn unavailable(err: &DbErr) -> StoreError {
    StoreError::Unavailable { reason: err.to_string() }
}

/// An error of reading rows of `table`.
pub(super) fn of_read(err: &DbErr, table: &'static str) -> StoreError {
    match sqlx_error(err) {
        Some(SqlxError::ColumnDecode { index, .. }) => StoreError::Damaged {
            table,
            row: format!("with column {index}"),
            reason: "a value of another type",
        },
        Some(_) | None => unavailable(err),
    }
}

/// An error before COMMIT was sent: nothing was written.
pub(super) fn before_commit(err: &DbErr) -> WriteError {
    let reason = err.to_string();
    match sqlx_error(err) {
        Some(SqlxError::Encode(_)) => WriteError::Rejected { reason },
        Some(SqlxError::Database(error)) => {
            let blames_content = match (error.try_downcast_ref::<SqliteError>(), error.code()) {
                (Some(_), Some(code)) => sqlite_blames_content(&code),
                (None, Some(code)) if error.try_downcast_ref::<PgDatabaseError>().is_some() => {
                    postgres_blames_content(&code)
                }
                (_, _) => false,
            };
            if blames_content { WriteError::Rejected { reason } } else { WriteError::Down { reason } }
        }
        Some(_) | None => WriteError::Down { reason },
    }
}

/// An error of COMMIT itself.
pub(super) fn of_commit(err: &DbErr) -> WriteError {
    WriteError::Unknown { reason: err.to_string() }
}

fn sqlx_error(err: &DbErr) -> Option<&SqlxError> {
    match err {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// Whether a result code of SQLite means that the same rows will be refused again: too big, constraint,
/// mismatch, range. Everything else (busy, full, I/O error, …) can pass.
fn sqlite_blames_content(code: &str) -> bool {
    let primary = code.parse::<u32>().map(|code| code & 0xff);
    matches!(primary, Ok(18 | 19 | 20 | 25))
}

/// Whether an SQLSTATE means that the same rows will be refused again: data exception, integrity
/// constraint, program limit.
fn postgres_blames_content(code: &str) -> bool {
    ["22", "23", "54"].into_iter().any(|class| code.starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_rows_cause_is_their_fault() {
        for code in ["19", "1555", "2067", "18", "20", "25"] {
            assert!(sqlite_blames_content(code), "{code}");
        }
        for code in ["5", "6", "8", "10", "13", "14", "266", "517", "1", "11", ""] {
            assert!(!sqlite_blames_content(code), "{code}");
        }
        for code in ["22003", "23505", "54000"] {
            assert!(postgres_blames_content(code), "{code}");
        }
        for code in ["40001", "40P01", "53100", "55P03", "57P01", "08006", "25006", "42P01", ""] {
            assert!(!postgres_blames_content(code), "{code}");
        }
    }
}
