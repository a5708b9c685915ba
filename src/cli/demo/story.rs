//! What Alice and Charlie do, step by step. Every step ends when the broker has told that it is booked.

use anyhow::{Context as _, Result, ensure};
use client::{Event, Part, RoomCall, room_definition};
use domain::crypto::Definition;
use domain::primitives::{Address, Amount, ChannelId, Token, Version};
use domain::protocol::method::create_app_session::{self, AppDefinition};
use domain::protocol::method::get_ledger_balances::BalanceKind;
use domain::protocol::method::{close_app_session, submit_app_state};
use domain::protocol::{MemberAmount, Text};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::try_join;

use super::player::Player;
use super::progress::Progress;
use super::stage::{Stage, millions};

/// How long a member may take to answer another.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// How long the room may stay open, in seconds.
const LIFETIME_SECS: u64 = 3_600;

/// The number that Alice thinks of, and what Charlie guesses.
const SECRET: u32 = 42;
const GUESSES: [u32; 3] = [50, 25, 42];

/// What is on chain when the story has ended, outside of the contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OnChain {
    pub(super) alice_shib: Amount,
    pub(super) charlie_pepe: Amount,
    pub(super) charlie_shib: Amount,
    /// What is left in the contracts, of both tokens.
    pub(super) custody: [Amount; 2],
}

impl OnChain {
    /// What it must come to.
    pub(super) fn expected() -> Self {
        let custody = [Amount::ZERO; 2];
        Self { alice_shib: millions(15), charlie_pepe: millions(100), charlie_shib: millions(5), custody }
    }

    async fn read(stage: &Stage) -> Result<Self> {
        let [polygon, celo] = stage.chains();
        let (shib, pepe) = (stage.shib.address, stage.pepe.address);
        Ok(Self {
            alice_shib: polygon.balance(stage.alice, shib).await?,
            charlie_pepe: celo.balance(stage.charlie, pepe).await?,
            charlie_shib: polygon.balance(stage.charlie, shib).await?,
            custody: [
                polygon.balance(polygon.deployed().custody, shib).await?,
                celo.balance(celo.deployed().custody, pepe).await?,
            ],
        })
    }
}

/// A room with its terms.
struct Room {
    id: ChannelId,
    definition: AppDefinition,
}

/// Plays the story to its end.
pub(super) async fn play(stage: &Stage, progress: &mut Progress) -> Result<OnChain> {
    let [polygon, celo] = stage.chains();
    let log_in = async { try_join!(Player::log_in(stage, "alice"), Player::log_in(stage, "charlie")) };
    let (mut alice, mut charlie) = progress.step("Alice and Charlie log in", log_in).await?;
    let locking = async {
        let alices = alice.lock(polygon, stage.shib, millions(20));
        let charlies = charlie.lock(celo, stage.pepe, millions(100));
        try_join!(alices, charlies)
    };
    let (alices, charlies) =
        progress.step("Alice locks 20 M SHIB, Charlie 100 M PEPE, each in a direct channel", locking).await?;
    let opening = open(stage, (&mut alice, alices), (&mut charlie, charlies));
    let room = progress.step("Alice opens a room with Charlie: 5 M SHIB against 10 M PEPE", opening).await?;
    progress.step("they play in the room", talk(&room, &mut alice, &mut charlie)).await?;
    let update = win(stage, &room, &mut alice, &mut charlie);
    progress.step("Charlie wins the pot, both sign", update).await?;
    let close = close(stage, &room, &mut alice, (&mut charlie, charlies));
    progress.step("they close the room: the broker owes Charlie 5 M SHIB", close).await?;
    let leave = alice.leave(polygon, alices);
    progress.step("Alice closes her channel and withdraws 15 M SHIB", leave).await?;
    let settled = settle(&mut charlie, stage.shib);
    let settled = progress.step("the broker creates a channel with Charlie's 5 M SHIB", settled).await?;
    let leave = async {
        charlie.leave(polygon, settled).await?;
        charlie.leave(celo, charlies).await
    };
    progress.step("Charlie closes both channels and withdraws 5 M SHIB and 100 M PEPE", leave).await?;
    OnChain::read(stage).await
}

/// Opens the room at version 1. Each member signs the next state of the own direct channel, which holds the hash of
/// the request.
async fn open(
    stage: &Stage,
    (alice, alices): (&mut Player, ChannelId),
    (charlie, charlies): (&mut Player, ChannelId),
) -> Result<Room> {
    let definition = room_definition(stage.alice, stage.charlie, "guess-the-number", LIFETIME_SECS);
    let definition = definition.context("the name is short")?;
    let id = Definition::from(&definition).channel_id();
    let allocations =
        vec![line(stage.alice, stage.shib, millions(5)), line(stage.charlie, stage.pepe, millions(10))];
    let params =
        create_app_session::Params { definition: definition.clone(), allocations, session_data: None };
    let request = alice.client.request(&params);
    let hers = Part { channel_id: alices, amount: millions(15) };
    let his = Part { channel_id: charlies, amount: millions(90) };
    let agreements =
        [alice.client.agree(&request, &[hers]).await?, charlie.client.agree(&request, &[his]).await?];
    let opened = alice.client.open_virtual_channel(request, agreements).await?;
    ensure!(opened.app_session_id == id, "another room was opened");
    charlie.virtual_channel_changes(id).await?;
    charlie.part_is(charlies, millions(90)).await?;
    Ok(Room { id, definition })
}

#[derive(Serialize, Deserialize)]
struct Guess {
    number: u32,
}

#[derive(Serialize, Deserialize)]
struct Verdict {
    the_secret_is: String,
}

/// The Guest asks, signed, and the Host answers, signed; the broker numbers and dates what passes.
async fn talk(room: &Room, alice: &mut Player, charlie: &mut Player) -> Result<()> {
    alice.client.subscribe(room.id, None).await?;
    charlie.client.subscribe(room.id, None).await?;
    let mut passed = Vec::new();
    for number in GUESSES {
        let asks = async {
            let guess = Guess { number };
            anyhow::Ok(charlie.client.ask_host(room.id, "guess", &guess, ANSWERED_WITHIN).await?)
        };
        let (answer, question) = try_join!(asks, answer(alice))?;
        let verdict: Verdict = answer.body()?;
        show(&question, &format!("Charlie asks: is it {number}?"));
        show(&answer, &format!("Alice answers: the secret is {}", verdict.the_secret_is));
        passed.extend([question.stamp, answer.stamp]);
    }
    charlie.client.publish(room.id, &"good game").await?;
    let said = alice.client.next(ANSWERED_WITHIN, |event| {
        let Event::Message(message) = event else { return None };
        Some(message.clone())
    });
    let said = said.await?;
    ensure!(said.body::<String>()? == "good game", "something else was said");
    passed.push(said.stamp);
    let is_in_order = passed.iter().zip(1..).all(|(stamp, seq)| stamp.seq == seq);
    ensure!(is_in_order, "the numbers of what was said have gaps");
    ensure!(passed.is_sorted_by_key(|stamp| stamp.timestamp), "the broker's clock went back");
    Ok(())
}

/// The Host's turn: hears a guess and judges it.
async fn answer(alice: &mut Player) -> Result<RoomCall> {
    let asked = alice.client.next(ANSWERED_WITHIN, |event| {
        let Event::RoomRequest(call) = event else { return None };
        Some(call.clone())
    });
    let asked = asked.await?;
    let guess: Guess = asked.body()?;
    let the_secret_is = match guess.number.cmp(&SECRET) {
        std::cmp::Ordering::Less => "higher",
        std::cmp::Ordering::Equal => "found: you win",
        std::cmp::Ordering::Greater => "lower",
    };
    alice.client.answer_guest(&asked, &Verdict { the_secret_is: the_secret_is.to_owned() }).await?;
    Ok(asked)
}

fn show(call: &RoomCall, what: &str) {
    eprintln!("      #{} at {}: {what}", call.stamp.seq, call.stamp.timestamp);
}

/// Version 2: everything in the room is Charlie's.
async fn win(stage: &Stage, room: &Room, alice: &mut Player, charlie: &mut Player) -> Result<()> {
    let mut params = submit_app_state::Params {
        app_session_id: room.id,
        intent: submit_app_state::AppIntent::Operate,
        version: Version::new(2).context("2 is a version")?,
        allocations: all_to_charlie(stage),
        session_data: Text::new("{\"winner\":\"charlie\"}"),
        approvals: Vec::new(),
    };
    let state = params.state(stage.broker_address, &room.definition.participants)?;
    params.approvals = vec![alice.client.approve(&state), charlie.client.approve(&state)];
    alice.client.submit(&params, &[]).await?;
    charlie.virtual_channel_changes(room.id).await
}

/// Version 3 ends the room. Charlie carries the next state of his direct channel, so his PEPE go back into it; his
/// SHIB have no channel to go to and are on his wallet account.
async fn close(
    stage: &Stage,
    room: &Room,
    alice: &mut Player,
    (charlie, charlies): (&mut Player, ChannelId),
) -> Result<()> {
    let mut params = close_app_session::Params {
        app_session_id: room.id,
        version: Version::new(3).context("3 is a version")?,
        allocations: all_to_charlie(stage),
        session_data: None,
        approvals: Vec::new(),
    };
    let state = params.state(stage.broker_address, &room.definition.participants)?;
    params.approvals = vec![alice.client.approve(&state), charlie.client.approve(&state)];
    let back = Part { channel_id: charlies, amount: millions(100) };
    charlie.client.close_virtual_channel(&params, &[back]).await?;
    ensure!(
        charlie.has(BalanceKind::Direct, stage.pepe).await? == millions(100),
        "Charlie's PEPE are not back"
    );
    ensure!(
        charlie.has(BalanceKind::Wallet, stage.shib).await? == millions(5),
        "Charlie is not owed his SHIB"
    );
    ensure!(alice.has(BalanceKind::Direct, stage.shib).await? == millions(15), "Alice has not lost her SHIB");
    Ok(())
}

/// Brings Charlie's SHIB on chain, in a channel that the broker creates.
async fn settle(charlie: &mut Player, shib: Token) -> Result<ChannelId> {
    let channel_id = charlie.client.settle(shib, millions(5)).await?;
    charlie.settlement_ends(channel_id).await?;
    ensure!(charlie.has(BalanceKind::Wallet, shib).await?.is_zero(), "Charlie is still owed SHIB");
    Ok(channel_id)
}

fn all_to_charlie(stage: &Stage) -> Vec<MemberAmount> {
    vec![line(stage.charlie, stage.shib, millions(5)), line(stage.charlie, stage.pepe, millions(10))]
}

fn line(participant: Address, token: Token, amount: Amount) -> MemberAmount {
    MemberAmount { participant, chain_id: token.chain_id, token: token.address, amount }
}
