//! The story, told so that every step can be taken up again after the broker was killed in it.

use client::{Cosigned, Part, room_definition, together};
use domain::crypto::Definition;
use domain::primitives::{Amount, ChannelId, Token, Version};
use domain::protocol::method::get_channels::ChannelStatus;
use domain::protocol::method::get_ledger_balances::BalanceKind;
use domain::protocol::method::{
    close_app_session, create_app_session, submit_app_state, transfer, update_state,
};
use domain::protocol::{MemberAmount, TokenAmount};

use super::Turn;
use super::player::Player;
use super::stage::{Stage, millions};
use clearnet::devnet::LocalChain;

/// Plays it to its end; whatever has to be killed meanwhile is killed.
pub(crate) async fn play(stage: &Stage) {
    tokio::select! {
        () = told(stage) => {}
        () = stage.watch() => unreachable!("the proxy outlives the story"),
    }
}

async fn told(stage: &Stage) {
    let (mut alice, mut charlie) = (Player::new(stage, "alice"), Player::new(stage, "charlie"));
    let [polygon, celo] = &stage.chains;
    let alices = lock(stage, &mut alice, "alice", polygon, stage.shib, millions(20)).await;
    stage.turn(Turn::ChannelOnChain).await;
    alice.is_status(alices, ChannelStatus::Open).await;
    let charlies = lock(stage, &mut charlie, "charlie", celo, stage.pepe, millions(100)).await;
    charlie.is_status(charlies, ChannelStatus::Open).await;
    there_and_back(stage, &mut alice, alices, &mut charlie).await;
    room(stage, (&mut alice, alices), (&mut charlie, charlies)).await;
    assert_eq!(alice.has(BalanceKind::Direct, stage.shib).await, millions(15));
    assert_eq!(charlie.has(BalanceKind::Direct, stage.pepe).await, millions(100));
    assert_eq!(charlie.has(BalanceKind::Wallet, stage.shib).await, millions(5));
    leave(stage, &mut alice, "alice", polygon, alices).await;
    let settled = settle(stage, &mut charlie).await;
    leave(stage, &mut charlie, "charlie", polygon, settled).await;
    leave(stage, &mut charlie, "charlie", celo, charlies).await;
}

async fn lock(
    stage: &Stage,
    player: &mut Player<'_>,
    label: &str,
    chain: &LocalChain,
    token: Token,
    amount: Amount,
) -> ChannelId {
    let Cosigned { params, state, signatures } =
        player.insist(async |client| client.create_channel(token, amount).await).await;
    let channel = state.channel_id;
    let hands = chain.participant(stage.key(label));
    hands.open_channel(params, state, signatures).await.unwrap();
    channel
}

/// Alice pays Charlie a million out of her channel, he pays it back, and she anchors it.
async fn there_and_back(stage: &Stage, alice: &mut Player<'_>, alices: ChannelId, charlie: &mut Player<'_>) {
    let pay = |destination| transfer::Params {
        destination,
        allocations: vec![TokenAmount::new(stage.shib, millions(1))],
    };
    let there = pay(stage.key("charlie").address());
    let there = alice.sign(&there, &[Part { channel_id: alices, amount: millions(19) }]).await;
    alice.send::<transfer::Params>(&there).await;
    let back = charlie.sign(&pay(stage.key("alice").address()), &[]).await;
    charlie.spend::<transfer::Params>(&back).await;
    // Both again: repeats that were answered before have no effect.
    alice.send::<transfer::Params>(&there).await;
    charlie.send::<transfer::Params>(&back).await;
    assert_eq!(alice.has(BalanceKind::Wallet, stage.shib).await, millions(1));
    let parts = [Part { channel_id: alices, amount: millions(20) }];
    let anchor = alice.sign(&update_state::Params {}, &parts).await;
    alice.send::<update_state::Params>(&anchor).await;
    assert_eq!(alice.has(BalanceKind::Direct, stage.shib).await, millions(20));
}

/// A room is opened, Charlie wins the pot, and it is closed.
async fn room(
    stage: &Stage,
    (alice, alices): (&mut Player<'_>, ChannelId),
    (charlie, charlies): (&mut Player<'_>, ChannelId),
) {
    let (host, guest) = (stage.key("alice").address(), stage.key("charlie").address());
    let definition = room_definition(host, guest, "crash", 3_600).unwrap();
    let id = Definition::from(&definition).channel_id();
    let line = |participant, token: Token, amount| MemberAmount {
        participant,
        chain_id: token.chain_id,
        token: token.address,
        amount,
    };
    let allocations = vec![line(host, stage.shib, millions(5)), line(guest, stage.pepe, millions(10))];
    let params =
        create_app_session::Params { definition: definition.clone(), allocations, session_data: None };
    let request = alice.client().await.request(&params);
    let hers = [Part { channel_id: alices, amount: millions(15) }];
    let his = [Part { channel_id: charlies, amount: millions(90) }];
    let hers = alice.insist(async |client| client.agree(&request, &hers).await).await;
    let his = charlie.insist(async |client| client.agree(&request, &his).await).await;
    alice.send::<create_app_session::Params>(&together(request, [hers, his])).await;
    let won = vec![line(guest, stage.shib, millions(5)), line(guest, stage.pepe, millions(10))];
    let mut update = submit_app_state::Params {
        app_session_id: id,
        intent: submit_app_state::AppIntent::Operate,
        version: Version::new(2).unwrap(),
        allocations: won.clone(),
        session_data: None,
        approvals: Vec::new(),
    };
    let state = update.state(stage.broker_address, &definition.participants).unwrap();
    update.approvals = ["alice", "charlie"].map(|label| stage.key(label).sign(state.digest())).to_vec();
    let update = alice.sign(&update, &[]).await;
    alice.send::<submit_app_state::Params>(&update).await;
    let mut close = close_app_session::Params {
        app_session_id: id,
        version: Version::new(3).unwrap(),
        allocations: won,
        session_data: None,
        approvals: Vec::new(),
    };
    let state = close.state(stage.broker_address, &definition.participants).unwrap();
    close.approvals = ["alice", "charlie"].map(|label| stage.key(label).sign(state.digest())).to_vec();
    // His part of the opening is co-signed by now; a connection of before may not have heard of it.
    charlie.channel_until(|seen| seen.channel_id == charlies && seen.part == millions(90)).await;
    charlie.renew().await;
    let close = charlie.sign(&close, &[Part { channel_id: charlies, amount: millions(100) }]).await;
    charlie.send::<close_app_session::Params>(&close).await;
}

/// Agrees on the end of a channel, ends it on chain and takes the money out.
async fn leave(stage: &Stage, player: &mut Player<'_>, label: &str, chain: &LocalChain, channel: ChannelId) {
    player.renew().await;
    let last = player.insist(async |client| client.close_channel(channel).await).await;
    let hands = chain.participant(stage.key(label));
    hands.close_and_withdraw(last.state, last.signatures).await.unwrap();
    stage.turn(Turn::EndOnChain).await;
    player.is_status(channel, ChannelStatus::Closed).await;
}

/// Brings Charlie's SHIB on chain. A settlement that nobody answered is either promised or not: the wallet tells.
async fn settle(stage: &Stage, charlie: &mut Player<'_>) -> ChannelId {
    let shib = stage.shib;
    charlie
        .insist(async |client| {
            let balances = client.balances().await?;
            let is_owed = balances.iter().any(|balance| balance.kind == BalanceKind::Wallet);
            if is_owed { client.settle(shib, millions(5)).await.map(|_| ()) } else { Ok(()) }
        })
        .await;
    stage.turn(Turn::SettlementPromised).await;
    let is_it = |channel: &domain::protocol::method::get_channels::Channel| {
        channel.token == shib.address && channel.status == ChannelStatus::Open
    };
    charlie.channel_until(is_it).await.channel_id
}
