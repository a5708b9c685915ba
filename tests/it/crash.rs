//! The broker is killed in the middle of the story, again and again: nothing acknowledged is missing
//! afterwards, nothing is lost and nothing doubled.
//!
//! The real program runs as a child on real chains. Clients reach it through a proxy that counts what passes and
//! kills the broker at a chosen place: after a request went in, before an answer comes out, or at a turn of the
//! story. Then it is started again on the same store, whatever was not answered is sent again as it was signed,
//! and the story goes on. Everybody must end with the exact figures, and the audit must hold.

mod player;
mod proxy;
mod stage;
mod story;

use stage::{Chains, Stage};

use crate::harness::database::{Database, on_every_database};

/// Where a broker is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kill {
    /// Nowhere: counts what passes.
    Never,
    /// Once so many messages of clients have gone in; the last of them may or may not have been read.
    AfterRequest(usize),
    /// When so many messages for clients have come out; the last of them does not arrive.
    BeforeAnswer(usize),
    /// At a turn of the story.
    At(Turn),
}

/// A turn of the story at which something has just happened on chain, or is about to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Alice's channel is on chain.
    ChannelOnChain,
    /// Alice's channel has ended on chain.
    EndOnChain,
    /// Charlie was promised a settlement.
    SettlementPromised,
    /// The broker has just started for the second time.
    StartedAgain,
}

/// What has passed through the proxy in a whole story.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passed {
    pub(crate) requests: usize,
    pub(crate) answers: usize,
}

on_every_database!(nothing_is_lost_or_doubled_wherever_a_broker_is_killed);

async fn nothing_is_lost_or_doubled_wherever_a_broker_is_killed(database: Database) {
    let chains = Chains::start().await;
    let passed = play(&chains, 0, Kill::Never, database.another_empty().await).await;
    let mut places: Vec<Kill> =
        [Turn::ChannelOnChain, Turn::EndOnChain, Turn::SettlementPromised, Turn::StartedAgain]
            .map(Kill::At)
            .to_vec();
    // The logins come first: the places are spread over everything after them.
    for part in 1..=6 {
        places.push(Kill::AfterRequest(6 + (passed.requests - 6) * part / 7));
        places.push(Kill::BeforeAnswer(8 + (passed.answers - 8) * part / 7));
    }
    for (run, kill) in (1..).zip(places) {
        play(&chains, run, kill, database.another_empty().await).await;
    }
}

/// Plays the story with one kill in it, and checks how it ends.
async fn play(chains: &Chains, run: usize, kill: Kill, database: Database) -> Passed {
    let stage = Stage::set(chains, run, kill, &database).await;
    story::play(&stage).await;
    stage.check_figures().await;
    stage.check_audit().await;
    let (passed, kills) = stage.end().await;
    let expected = usize::from(kill != Kill::Never);
    assert!(kills >= expected, "{kill:?} did not happen in a story of {passed:?}");
    passed
}
