//! Proposals: a room that its Host has paid for, and that its Guest takes or not.

use std::time::Duration;

use domain::crypto::Definition;
use domain::primitives::{Address, ChannelId};
use domain::protocol::PROPOSALS_MAX;
use domain::protocol::method::create_app_session::AppDefinition;
use serde_json::{Value, json};

use super::ask::{Ask, Direct};
use super::socket::Socket;
use super::virtual_channels::room_of;
use super::world::World;
use crate::harness::database::{Database, on_every_database};

/// Longer than a Host may be gone.
const HOST_GONE_LIMIT: Duration = Duration::from_secs(60);

on_every_database!(proposals_are_taken_or_not_and_their_money_comes_back_once);

async fn proposals_are_taken_or_not_and_their_money_comes_back_once(database: Database) {
    let world = World::start(database, 3_600).await;
    let mut alices = world.open("alice", 1_000, None).await;
    let bobs = world.open("bob", 500, None).await;
    world.settle_down().await;
    let (mut alice, mut bob) = (world.session("alice").await, world.session("bob").await);
    let update = world.ask("update_state", &json!({})).moving(&alices, 700);
    world.done(&mut alice, "to the wallet", &update.frame()).await;
    alices.moved(700);
    proposing(&world, &mut alice, &alices).await;
    let accepted = accepting(&world, &mut alice, &mut bob, &bobs).await;
    once_open(&world, &mut alice, &mut bob, &accepted).await;
    declining(&world, &mut alice, &mut bob).await;
    lapsing(&world, &mut alice, &mut bob).await;
    too_many(&world, &mut alice).await;
    host_gone(&world, alice, &mut bob).await;
    world.finish().await;
}

/// A room and what is to be put in.
#[derive(Clone)]
struct Proposal {
    definition: AppDefinition,
    allocations: Value,
    data: Option<&'static str>,
    within: Option<u64>,
}

impl Proposal {
    /// Of Alice to Bob, for so much of each.
    fn new(world: &World, shares: [u64; 2]) -> Self {
        let definition = room_of(world);
        let lines = definition.participants.iter().zip(shares);
        let lines = lines.filter(|(_, share)| *share > 0);
        let allocations = lines.map(|(member, share)| world.share(*member, share)).collect();
        Self { definition, allocations, data: Some("chess"), within: None }
    }

    fn id(&self) -> ChannelId {
        Definition::from(&self.definition).channel_id()
    }

    fn ask(&self, world: &World) -> Ask {
        let mut params = json!({"definition": self.definition, "allocations": self.allocations});
        params["session_data"] = json!(self.data);
        params["accept_within_secs"] = json!(self.within);
        world.ask("propose_virtual_channel", &params)
    }

    fn acceptance(&self, world: &World) -> Ask {
        let params =
            json!({"app_session_id": self.id(), "allocations": self.allocations, "session_data": self.data});
        world.ask("accept_virtual_channel", &params)
    }

    fn end(&self, world: &World, method: &str) -> Ask {
        world.ask(method, &json!({"app_session_id": self.id()}))
    }

    /// Proposes it as Alice.
    async fn propose(&self, world: &World, alice: &mut Socket) {
        let answer = world.done(alice, "a proposal", &self.ask(world).by(&world.key("alice")).frame()).await;
        let reply = &answer["data"]["res"][2];
        let is_right = reply["status"] == "proposed" && reply["version"] == 0;
        world.check(is_right && reply["app_session_id"] == json!(self.id()), &answer);
    }

    /// Waits until somebody is told that it is so now.
    async fn told(&self, socket: &mut Socket, status: &str) -> Value {
        let id = json!(self.id());
        let is_it = |news: &Value| {
            let session = &news["data"]["res"][2]["app_session"];
            session["app_session_id"] == id && session["status"] == status
        };
        socket.news_within(HOST_GONE_LIMIT, is_it).await["data"]["res"][2]["app_session"].clone()
    }
}

/// What somebody has on its wallet and in this channel.
async fn balances(world: &World, socket: &mut Socket, channel: ChannelId) -> (String, String) {
    let answer = world.done(socket, "balances", &world.ask("get_ledger_balances", &json!({})).frame()).await;
    let lines = answer["data"]["res"][2]["ledger_balances"].as_array().unwrap().clone();
    let of = |is_it: &dyn Fn(&Value) -> bool| {
        let found = lines.iter().find(|line| is_it(line)).map(|line| line["amount"].as_str().unwrap());
        found.unwrap_or("0").to_owned()
    };
    (of(&|line| line["kind"] == "wallet"), of(&|line| line["account_id"] == json!(channel)))
}

async fn proposing(world: &World, alice: &mut Socket, alices: &Direct) {
    let (a, b, carol) = (world.key("alice"), world.key("bob"), world.key("carol"));
    let right = Proposal::new(world, [20, 10]);
    let with = |change: &dyn Fn(&mut Proposal)| {
        let mut proposal = right.clone();
        change(&mut proposal);
        proposal.ask(world)
    };
    let members = |members: Vec<Address>| with(&move |p| p.definition.participants = members.clone());
    let lines = |lines: Value| with(&move |p| p.allocations = lines.clone());
    let (us, guest) = (a.address(), b.address());
    let cases = [
        ("of another Host", members(vec![guest, us]).by(&a), "wrong_role"),
        ("of two strangers", members(vec![guest, carol.address()]).by(&a), "wrong_role"),
        ("with a share of a stranger", members(vec![us, carol.address()]).by(&a), "not_a_member"),
        ("without money and signature", lines(json!([])), "missing_signature"),
        ("for no time", with(&|p| p.within = Some(0)).by(&a), "invalid_params"),
        ("for too long", with(&|p| p.within = Some(86_401)).by(&a), "invalid_params"),
        ("more than is free", lines(json!([world.share(us, 301)])).by(&a), "insufficient_balance"),
        ("with nothing in a line", lines(json!([world.share(us, 0)])).by(&a), "invalid_amount"),
        ("signed by the Guest", right.ask(world).by(&b), "unknown_signer"),
        ("signed by the Guest too", right.ask(world).by(&a).by(&b), "unknown_signer"),
        ("unsigned", right.ask(world), "missing_signature"),
    ];
    for (what, ask, code) in cases {
        world.refused(alice, what, &ask.frame(), code).await;
    }
    let three = with(&|p| {
        p.definition.participants.push(carol.address());
        p.definition.weights.push(p.definition.weights[0]);
    });
    world.refused(alice, "of three", &three.by(&a).frame(), "invalid_definition").await;
    let mut alone = Proposal::new(world, [20, 0]);
    alone.definition.participants[1] = carol.address();
    let ask = alone.ask(world).by(&a);
    world.refused(alice, "to somebody without a channel", &ask.frame(), "no_direct_channel").await;
    let ask = right.ask(world);
    let stale = alices.next(ask.hash(), alices.version, 690);
    let ask = ask.carrying(alices.signed(&stale));
    world.refused(alice, "with a stale state", &ask.frame(), "stale_version").await;
}

/// A proposal that is accepted: Bob pays 6 from his channel.
async fn accepting(world: &World, alice: &mut Socket, bob: &mut Socket, bobs: &Direct) -> Proposal {
    let proposal = Proposal::new(world, [20, 6]);
    let (a, b, mallory) = (world.key("alice"), world.key("bob"), world.key("mallory"));
    proposal.propose(world, alice).await;
    let shown = proposal.told(bob, "proposed").await;
    let lasts = shown["expires_at"].as_u64().unwrap() - shown["created_at"].as_u64().unwrap();
    world.check(lasts == 300_000 && shown["allocations"] == proposal.allocations, &shown);
    world.check(shown["session_data"].is_null(), "a stranger's data is not pushed");
    let read = world.ask("get_app_sessions", &json!({"app_session_id": proposal.id()})).frame();
    let read = world.done(bob, "the proposal", &read).await;
    world.check(read["data"]["res"][2]["app_sessions"][0]["session_data"] == "chess", &read);
    let mut stranger = world.session("mallory").await;
    let probe = proposal.ask(world).by(&world.key("mallory"));
    world.refused(&mut stranger, "a room of others that is there", &probe.frame(), "wrong_role").await;
    let id = proposal.id();
    world.check(balances(world, alice, id).await == ("280".to_owned(), "20".to_owned()), "the Host has paid");
    world.check(balances(world, bob, id).await == ("0".to_owned(), "0".to_owned()), "the Guest has not");
    let again = proposal.ask(world).by(&a);
    world.refused(alice, "the same again", &again.frame(), "channel_exists").await;
    let other = |change: &dyn Fn(&mut Proposal)| {
        let mut other = proposal.clone();
        change(&mut other);
        // The id is that of what was proposed.
        other.definition = proposal.definition.clone();
        other.acceptance(world)
    };
    let shares = |shares: [u64; 2]| other(&move |p| p.allocations = Proposal::new(world, shares).allocations);
    let cases = [
        ("another share", shares([20, 5]).by(&b), "terms_differ"),
        ("another share of the Host", shares([19, 6]).by(&b), "terms_differ"),
        ("other data", other(&|p| p.data = Some("go")).by(&b), "terms_differ"),
        ("no data", other(&|p| p.data = None).by(&b), "terms_differ"),
        ("without the money", proposal.acceptance(world).by(&b), "insufficient_balance"),
        ("signed by the Host", proposal.acceptance(world).by(&a), "unknown_signer"),
        ("unsigned", proposal.acceptance(world), "missing_signature"),
        ("taken back by the Guest", proposal.end(world, "cancel_virtual_channel").by(&b), "wrong_role"),
    ];
    for (what, ask, code) in cases {
        world.refused(bob, what, &ask.frame(), code).await;
    }
    let by_host = [
        ("accepted by the Host", proposal.acceptance(world).by(&a), "wrong_role"),
        ("rejected by the Host", proposal.end(world, "reject_virtual_channel").by(&a), "wrong_role"),
        (
            "cancelled with a state",
            proposal.end(world, "cancel_virtual_channel").by(&a).moving(bobs, 1),
            "unknown_signer",
        ),
    ];
    for (what, ask, code) in by_host {
        world.refused(alice, what, &ask.frame(), code).await;
    }
    let mut stranger = world.session("mallory").await;
    for method in ["reject_virtual_channel", "cancel_virtual_channel"] {
        let ask = proposal.end(world, method).by(&mallory);
        world.refused(&mut stranger, method, &ask.frame(), "unknown_channel").await;
    }
    let ask = proposal.acceptance(world).by(&mallory);
    world.refused(&mut stranger, "accepted by a stranger", &ask.frame(), "unknown_channel").await;
    let frame = proposal.acceptance(world).moving(bobs, 494).frame();
    let answer = world.done(bob, "the acceptance", &frame).await;
    let reply = &answer["data"]["res"][2];
    world.check(reply["status"] == "open" && reply["version"] == 1, &answer);
    world.check(world.done(bob, "once more", &frame).await == answer, "a repeat gets the same");
    proposal.told(alice, "open").await;
    world.check(balances(world, bob, id).await == ("0".to_owned(), "6".to_owned()), "the Guest has paid");
    proposal
}

async fn once_open(world: &World, alice: &mut Socket, bob: &mut Socket, open: &Proposal) {
    let (a, b) = (world.key("alice"), world.key("bob"));
    let accept = open.acceptance(world).by(&b);
    world.refused(bob, "accepted again", &accept.frame(), "wrong_phase").await;
    let reject = open.end(world, "reject_virtual_channel").by(&b);
    world.refused(bob, "rejected afterwards", &reject.frame(), "wrong_phase").await;
    let cancel = open.end(world, "cancel_virtual_channel").by(&a);
    world.refused(alice, "taken back afterwards", &cancel.frame(), "wrong_phase").await;
}

async fn declining(world: &World, alice: &mut Socket, bob: &mut Socket) {
    let (a, b) = (world.key("alice"), world.key("bob"));
    for (method, status) in [("reject_virtual_channel", "rejected"), ("cancel_virtual_channel", "cancelled")]
    {
        let proposal = Proposal::new(world, [20, 0]);
        proposal.propose(world, alice).await;
        proposal.told(bob, "proposed").await;
        let update = world.ask(
            "submit_app_state",
            &json!({"app_session_id": proposal.id(), "intent": "operate",
            "version": 1, "allocations": [world.share(b.address(), 20)], "approvals": []}),
        );
        world.refused(alice, "an update of a proposal", &update.by(&a).frame(), "wrong_phase").await;
        let ask = proposal.end(world, method);
        let answer = if status == "rejected" {
            world.done(bob, method, &ask.by(&b).frame()).await
        } else {
            world.done(alice, method, &ask.by(&a).frame()).await
        };
        world.check(answer["data"]["res"][2]["status"] == status, &answer);
        proposal.told(alice, status).await;
        proposal.told(bob, status).await;
        let held = balances(world, alice, proposal.id()).await;
        world.check(held == ("280".to_owned(), "0".to_owned()), format!("{status}: {held:?}"));
        let late = proposal.acceptance(world).by(&b);
        world.refused(bob, "accepted too late", &late.frame(), "channel_closed").await;
        let again = proposal.ask(world).by(&a);
        world.refused(alice, "proposed again", &again.frame(), "channel_exists").await;
        let listen = format!(r#"{{"type":"subscribe","channel":"{}"}}"#, proposal.id());
        world.refused(bob, "a room that never opened", &listen, "channel_closed").await;
    }
}

async fn lapsing(world: &World, alice: &mut Socket, bob: &mut Socket) {
    let proposal = Proposal { within: Some(1), ..Proposal::new(world, [20, 0]) };
    proposal.propose(world, alice).await;
    proposal.told(bob, "lapsed").await;
    let held = balances(world, alice, proposal.id()).await;
    world.check(held == ("280".to_owned(), "0".to_owned()), format!("lapsed: {held:?}"));
    let late = proposal.acceptance(world).by(&world.key("bob"));
    world.refused(bob, "accepted too late", &late.frame(), "channel_expired").await;
}

async fn too_many(world: &World, alice: &mut Socket) {
    let a = world.key("alice");
    let mut proposals = Vec::new();
    for _ in 0..PROPOSALS_MAX {
        let proposal = Proposal::new(world, [1, 0]);
        proposal.propose(world, alice).await;
        proposals.push(proposal);
    }
    let one_more = Proposal::new(world, [1, 0]);
    let details =
        world.refused(alice, "one more", &one_more.ask(world).by(&a).frame(), "limit_reached").await;
    world.check(details["max"] == PROPOSALS_MAX, &details);
    for proposal in proposals.iter().take(PROPOSALS_MAX) {
        let cancel = proposal.end(world, "cancel_virtual_channel").by(&a);
        world.done(alice, "taken back", &cancel.frame()).await;
    }
    one_more.propose(world, alice).await;
    let cancel = one_more.end(world, "cancel_virtual_channel").by(&a);
    world.done(alice, "taken back", &cancel.frame()).await;
}

/// The Host leaves: its money comes back by itself.
async fn host_gone(world: &World, mut alice: Socket, bob: &mut Socket) {
    let proposal = Proposal::new(world, [20, 0]);
    proposal.propose(world, &mut alice).await;
    drop(alice);
    proposal.told(bob, "cancelled").await;
    let mut alice = world.session("alice").await;
    let held = balances(world, &mut alice, proposal.id()).await;
    world.check(held == ("280".to_owned(), "0".to_owned()), format!("gone: {held:?}"));
}
