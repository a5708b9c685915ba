//! What members ask for: signed as it will be sent, however often.

use client::room_definition;
use domain::primitives::{Address, Version};
use domain::protocol::MemberAmount;
use domain::protocol::method::close_app_session;
use domain::protocol::method::submit_app_state::{self, AppIntent};
use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};

use super::field::Field;
use super::member::{Deed, Effect, Part, Room};
use crate::session::ask::{Ask, approvals};

/// What each member puts into a room.
const STAKE: u64 = 100;

/// Open rooms of two members at a time, about.
const ROOMS_A_PAIR: usize = 2;

/// Something new that this member wants.
pub(super) fn think_of(field: &Field, by: usize, rng: &mut StdRng) -> Deed {
    match rng.random_range(0..10) {
        0..=3 => pay(field, by, rng),
        4..=5 => anchor(field, by, rng),
        _ => meet(field, by, rng),
    }
}

/// Somebody else.
fn other(field: &Field, by: usize, rng: &mut StdRng) -> usize {
    (by + rng.random_range(1..field.members.len())) % field.members.len()
}

fn ask(field: &Field, method: &str, params: &Value) -> Ask {
    Ask::new(field.home.broker, method, params)
}

fn line(field: &Field, amount: u64) -> Value {
    json!({"chain_id": field.token.chain_id, "token": field.token.address, "amount": amount.to_string()})
}

/// Carries the next state of the member's channel: what others of its devices do at the same time has the same version.
fn carry(field: &Field, by: usize, ask: Ask, rng: &mut StdRng) -> (Ask, Option<Part>) {
    let direct = field.members[by].direct.borrow();
    let part = Part { version: direct.version + 1, part: rng.random_range(400_000..600_000) };
    (ask.moving(&direct, part.part), Some(part))
}

fn signed(field: &Field, ask: Ask, by: usize) -> Ask {
    let direct = field.members[by].direct.borrow();
    ask.by(&direct.key)
}

fn deed(by: usize, ask: &Ask, part: Option<Part>, effect: Effect) -> Deed {
    Deed { by, frame: ask.frame(), part, effect, taken: None, refused: None }
}

fn pay(field: &Field, by: usize, rng: &mut StdRng) -> Deed {
    let to = other(field, by, rng);
    // Now and then more than there is.
    let amount = if rng.random_ratio(1, 20) { 10_000_000 } else { rng.random_range(1..50) };
    let params = json!({"destination": field.members[to].address(), "allocations": [line(field, amount)]});
    let bare = ask(field, "transfer", &params);
    let (ask, part) =
        if rng.random_bool(0.3) { carry(field, by, bare, rng) } else { (signed(field, bare, by), None) };
    deed(by, &ask, part, Effect::Pay { to, amount })
}

fn anchor(field: &Field, by: usize, rng: &mut StdRng) -> Deed {
    let (ask, part) = carry(field, by, ask(field, "update_state", &json!({})), rng);
    deed(by, &ask, part, Effect::Anchor)
}

/// Something about a room with somebody else.
fn meet(field: &Field, by: usize, rng: &mut StdRng) -> Deed {
    let guest = other(field, by, rng);
    let open: Vec<usize> = {
        let rooms = field.rooms.borrow();
        let is_ours = |room: &Room| room.members.contains(&by) && room.members.contains(&guest);
        let is_open = |room: &Room| is_ours(room) && room.version > 0 && !room.is_closed;
        (0..rooms.len()).filter(|number| is_open(&rooms[*number])).collect()
    };
    match open.choose(rng) {
        Some(room) if open.len() >= ROOMS_A_PAIR || rng.random_bool(0.8) => {
            if rng.random_ratio(1, 6) {
                close(field, by, *room, rng)
            } else {
                update(field, by, *room, rng)
            }
        }
        Some(_) | None => enter(field, by, guest, rng),
    }
}

fn enter(field: &Field, by: usize, guest: usize, rng: &mut StdRng) -> Deed {
    let members = [by, guest];
    let addresses = members.map(|member| field.members[member].address());
    let definition = room_definition(addresses[0], addresses[1], "load", 3_600).unwrap();
    let shares = addresses.map(|address| share(field, address, STAKE));
    let params = json!({"definition": definition, "allocations": shares});
    let ask = signed(field, ask(field, "create_app_session", &params), guest);
    let (ask, part) =
        if rng.random_bool(0.2) { carry(field, by, ask, rng) } else { (signed(field, ask, by), None) };
    let mut rooms = field.rooms.borrow_mut();
    rooms.push(Room { members, definition, version: 0, shares: [STAKE; 2], is_closed: false });
    deed(by, &ask, part, Effect::Open { room: rooms.len() - 1 })
}

fn share(field: &Field, participant: Address, amount: u64) -> MemberAmount {
    let token = field.token;
    MemberAmount {
        participant,
        chain_id: token.chain_id,
        token: token.address,
        amount: u128::from(amount).into(),
    }
}

/// The next state of a room: version, shares and the parameters that both say.
fn next(field: &Field, room: usize, rng: &mut StdRng) -> (u64, [u64; 2], submit_app_state::Params) {
    let room = &field.rooms.borrow()[room];
    let won = rng.random_range(0..=2 * STAKE);
    let shares = [won, 2 * STAKE - won];
    let members = room.members.map(|member| field.members[member].address());
    let allocations = members.into_iter().zip(shares).map(|(member, amount)| share(field, member, amount));
    let params = submit_app_state::Params {
        app_session_id: room.id(),
        intent: AppIntent::Operate,
        version: Version::new(room.version + 1).unwrap(),
        allocations: allocations.filter(|line| !line.amount.is_zero()).collect(),
        session_data: None,
        approvals: Vec::new(),
    };
    (room.version + 1, shares, params)
}

fn update(field: &Field, by: usize, room: usize, rng: &mut StdRng) -> Deed {
    let (version, shares, params) = next(field, room, rng);
    let members = &field.rooms.borrow()[room].definition.participants;
    let state = params.state(field.home.broker, members).unwrap();
    let mut params = json!(params);
    params["approvals"] = approved(field, room, &state);
    let ask = signed(field, ask(field, "submit_app_state", &params), by);
    deed(by, &ask, None, Effect::Update { room, version, shares })
}

fn close(field: &Field, by: usize, room: usize, rng: &mut StdRng) -> Deed {
    let (version, shares, params) = next(field, room, rng);
    let mut params = json!(params);
    params.as_object_mut().unwrap().remove("intent");
    let read: close_app_session::Params = serde_json::from_value(params.clone()).unwrap();
    let members = &field.rooms.borrow()[room].definition.participants;
    params["approvals"] = approved(field, room, &read.state(field.home.broker, members).unwrap());
    let ask = signed(field, ask(field, "close_app_session", &params), by);
    deed(by, &ask, None, Effect::Close { room, version, shares })
}

fn approved(field: &Field, room: usize, state: &domain::crypto::VirtualState) -> Value {
    let [host, guest] =
        field.rooms.borrow()[room].members.map(|member| field.members[member].direct.borrow());
    approvals(state, &[&host.key, &guest.key])
}
