//! What every store must do, judged by one suite; then what only databases can get wrong.

mod anew;
mod atomic;
mod chain;
mod damage;
mod doubt;
mod fence;
mod history;
mod memory;
mod pages;
mod replace;
mod round_trip;
mod sample;
mod schema;

/// Makes of each function that takes a `Database` a test on every store.
macro_rules! on_every_store {
    ($($test:ident),+ $(,)?) => {
        mod on_memory {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::harness::database::Database::memory()).await;
            })+
        }
        $crate::harness::database::on_every_database!($($test),+);
    };
}

use on_every_store;
