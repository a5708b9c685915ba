//! Everybody pays everybody while the book begins anew, again and again: what was decided on the old book never gets
//! into the new one.

use std::sync::atomic::{AtomicBool, Ordering};

use client::{Client, ClientError};
use domain::primitives::{Address, Amount, Token};
use domain::protocol::Code;
use domain::protocol::method::test_fund;
use futures::future::{join, join_all};

use super::world::{Sandbox, fund, holds, line, reset};

const RESETS: usize = 8;
const PLAYERS: usize = 6;

/// Funds itself and pays around until it is told to stop; says how often it was funded and paid.
async fn play(mut client: Client, token: Token, others: Vec<Address>, is_over: &AtomicBool) -> [usize; 2] {
    let mut done = [0; 2];
    for round in 0.. {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let params = test_fund::Params { participant: client.address(), allocations: vec![line(token, 3)] };
        let funded = client.call(&params, &[]).await.map(|_| ());
        let to = others[round % others.len()];
        let paid = client.transfer(to, vec![line(token, 2)], &[]).await.map(|_| ());
        for (count, outcome) in done.iter_mut().zip([funded, paid]) {
            match outcome {
                Ok(()) => *count += 1,
                // The money is gone with the old book; or too much was asked at once.
                Err(ClientError::Refused(refusal))
                    if matches!(refusal.code, Code::InsufficientBalance | Code::Overloaded) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
    done
}

#[tokio::test]
async fn nothing_of_an_old_book_gets_into_a_new_one() {
    let sandbox = Sandbox::start().await;
    let token = sandbox.token(0);
    let is_over = AtomicBool::new(false);
    let addresses: Vec<Address> = (0..PLAYERS).map(|place| sandbox.key(place).address()).collect();
    let mut players = Vec::new();
    for place in 0..PLAYERS {
        let others = addresses.iter().copied().filter(|it| *it != addresses[place]).collect();
        let client = sandbox.client(place).await;
        players.push(play(client, token, others, &is_over));
    }
    let mut operator = sandbox.client(PLAYERS).await;
    let resetting = async {
        for _ in 0..RESETS {
            // Everybody is in the middle of it.
            for _ in 0..20 {
                fund(&mut operator, addresses[0], token, 1).await;
            }
            reset(&mut operator).await;
        }
        is_over.store(true, Ordering::Relaxed);
    };
    let (played, ()) = join(join_all(players), resetting).await;
    let done = played.into_iter().fold([0; 2], |sum, [funded, paid]| [sum[0] + funded, sum[1] + paid]);
    assert!(done[0] > 10 * PLAYERS && done[1] > PLAYERS, "{done:?}");
    // What the faucet gave in the newest book is what is in it.
    sandbox.check_audit().await;
    reset(&mut operator).await;
    for place in 0..PLAYERS {
        assert_eq!(holds(&mut sandbox.client(place).await).await, []);
    }
    fund(&mut operator, addresses[0], token, 5).await;
    let held = holds(&mut sandbox.client(0).await).await;
    assert_eq!(held.into_iter().map(|(_, _, amount)| amount).collect::<Vec<_>>(), [Amount::from(5_u64)]);
    sandbox.check_audit().await;
}
