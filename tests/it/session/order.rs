//! Requests with two faults: the one that `docs/protocol.md` lists first is the one that is told.

use domain::protocol::method::Method;
use serde_json::{Value, json};

use super::ask::{Ask, Direct, approvals, signed_by};
use super::socket::Socket;
use super::virtual_channels::{Room, opening, room_of};
use super::world::World;
use crate::harness::database::{Database, on_every_database};

on_every_database!(of_two_faults_the_one_that_is_listed_first_is_told);

async fn of_two_faults_the_one_that_is_listed_first_is_told(database: Database) {
    let world = World::start(database, 3_600).await;
    let mut channel = world.open("alice", 1_000, None).await;
    world.open("bob", 500, None).await;
    world.settle_down().await;
    let mut alice = world.session("alice").await;
    let update = world.ask("update_state", &json!({})).moving(&channel, 900);
    world.done(&mut alice, "to the wallet", &update.frame()).await;
    channel.moved(900);
    let room = Room::open(&world, &mut alice).await;
    payments(&world, &mut alice, &channel).await;
    ends(&world, &mut alice, &channel).await;
    openings(&world, &mut alice, &channel).await;
    updates(&world, &mut alice, &room, &channel).await;
    closes(&world, &mut alice, &room, &channel).await;
    world.finish().await;
}

/// What can be wrong with a request: a code, and how to get there.
type Fault = (&'static str, Box<dyn Fn(&mut Draft)>);

fn fault(code: &'static str, spoil: impl Fn(&mut Draft) + 'static) -> Fault {
    (code, Box::new(spoil))
}

/// A request before it is signed.
#[derive(Clone)]
struct Draft {
    params: Value,
    /// Whether who asks signs the request.
    is_signed: bool,
    /// Whether the other member does, too.
    is_signed_by_other: bool,
    /// Whether a stranger does, too.
    is_signed_by_stranger: bool,
    /// What is carried, made from the request's hash.
    carried: Carried,
}

/// Which state of the direct channel is carried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carried {
    Nothing,
    /// With this version above the newest one, a wrong payee or not, and this part.
    Next {
        step: u64,
        is_wrong: bool,
        part: u128,
    },
    /// The last one, with this version above the newest one and this part.
    Last {
        step: u64,
        part: u128,
    },
    /// Of a channel that nobody knows.
    Unknown,
}

impl Draft {
    fn new(params: Value) -> Self {
        Self {
            params,
            is_signed: true,
            is_signed_by_other: false,
            is_signed_by_stranger: false,
            carried: Carried::Nothing,
        }
    }

    fn carrying(self, carried: Carried) -> Self {
        Self { carried, ..self }
    }

    fn frame(&self, world: &World, method: &str, channel: &Direct) -> String {
        let signers = [
            (self.is_signed, "alice"),
            (self.is_signed_by_other, "bob"),
            (self.is_signed_by_stranger, "mallory"),
        ];
        let ask = world.ask(method, &self.params);
        let signed = signers.into_iter().filter(|(signs, _)| *signs);
        let ask = signed.fold(ask, |ask, (_, label)| ask.by(&world.key(label)));
        self.carried.put(ask, channel).frame()
    }
}

impl Carried {
    fn put(self, ask: Ask, channel: &Direct) -> Ask {
        let mut state = match self {
            Self::Nothing => return ask,
            Self::Next { step, part, .. } => channel.next(ask.hash(), channel.version + step, part),
            Self::Last { step, part } => {
                let mut last = channel.last();
                last.version = domain::primitives::Version::new(channel.version + step).unwrap();
                last.allocations[0].amount = part.into();
                last.allocations[1].amount = (channel.locked - part).into();
                last
            }
            Self::Unknown => {
                let mut state = channel.next(ask.hash(), channel.version + 1, channel.part);
                state.channel_id = domain::primitives::ChannelId::from_bytes([9; 32]);
                state
            }
        };
        if let Self::Next { is_wrong: true, .. } = self {
            state.data = vec![9; 32];
        }
        ask.carrying(signed_by(&channel.key, &state))
    }
}

/// Plays every fault alone and every pair of faults.
async fn play(
    world: &World,
    alice: &mut Socket,
    channel: &Direct,
    (method, right, faults): (Method, &Draft, &[Fault]),
) {
    for (place, (code, spoil)) in faults.iter().enumerate() {
        for (later, spoil_more) in &faults[place..] {
            let mut draft = right.clone();
            spoil_more(&mut draft);
            spoil(&mut draft);
            let what = format!("{}: {code} and {later}", method.name());
            world.refused(alice, &what, &draft.frame(world, method.name(), channel), code).await;
        }
    }
}

/// Changes the first line of `allocations`.
fn line(draft: &mut Draft, field: &str, value: Value) {
    draft.params["allocations"][0][field] = value;
}

async fn payments(world: &World, alice: &mut Socket, channel: &Direct) {
    let (bob, broker) = (world.address("bob"), world.broker.address());
    let right = Draft::new(json!({"destination": bob, "allocations": [world.line("10")]}))
        .carrying(Carried::Next { step: 1, is_wrong: false, part: 890 });
    let carried = |step, is_wrong, part| Carried::Next { step, is_wrong, part };
    let faults = [
        fault("unknown_signer", move |draft| draft.is_signed_by_stranger = true),
        fault("invalid_destination", move |draft| draft.params["destination"] = json!(broker)),
        fault("invalid_amount", move |draft| line(draft, "amount", json!("0"))),
        fault("unknown_token", move |draft| line(draft, "token", json!(bob))),
        fault("unknown_channel", move |draft| draft.carried = Carried::Unknown),
        fault("invalid_state", move |draft| draft.carried = carried(0, true, 890)),
        fault("stale_version", move |draft| draft.carried = carried(0, false, 890)),
        fault("insufficient_balance", move |draft| line(draft, "amount", json!("100000"))),
    ];
    play(world, alice, channel, (Method::Transfer, &right, &faults)).await;
}

async fn ends(world: &World, alice: &mut Socket, channel: &Direct) {
    let last = |step, part| Carried::Last { step, part };
    let part = channel.part;
    let right = Draft::new(json!({"channel_id": channel.id()})).carrying(last(1, part));
    let faults = [
        fault("missing_signature", move |draft| draft.is_signed = false),
        fault("missing_state", move |draft| draft.carried = Carried::Nothing),
        fault("missing_state", move |draft| draft.carried = Carried::Unknown),
        fault("stale_version", move |draft| draft.carried = last(0, part - 1)),
        fault("invalid_state", move |draft| draft.carried = last(1, part - 1)),
    ];
    play(world, alice, channel, (Method::CloseChannel, &right, &faults)).await;
}

async fn openings(world: &World, alice: &mut Socket, channel: &Direct) {
    let (bob, carol) = (world.address("bob"), world.address("carol"));
    let definition = room_of(world);
    let ask = opening(world, &json!(definition), json!([world.share(world.address("alice"), 10)]));
    let mut right = Draft::new(ask.params());
    right.is_signed_by_other = true;
    let stale = Carried::Next { step: 0, is_wrong: false, part: channel.part };
    let faults = [
        fault("unknown_signer", move |draft| draft.is_signed_by_stranger = true),
        fault("unsupported_protocol", move |draft| draft.params["definition"]["protocol"] = json!("Other/1")),
        fault("invalid_definition", move |draft| draft.params["definition"]["quorum"] = json!(0)),
        fault("not_a_member", move |draft| line(draft, "participant", json!(carol))),
        fault("unknown_token", move |draft| line(draft, "token", json!(bob))),
        fault("invalid_amount", move |draft| line(draft, "amount", json!("0"))),
        fault("missing_signature", move |draft| draft.is_signed_by_other = false),
        fault("stale_version", move |draft| draft.carried = stale),
        fault("insufficient_balance", move |draft| line(draft, "amount", json!("100000"))),
    ];
    play(world, alice, channel, (Method::CreateAppSession, &right, &faults)).await;
}

async fn updates(world: &World, alice: &mut Socket, room: &Room, channel: &Direct) {
    let [a, b] = &room.keys;
    let right = Draft::new(room.next(world, 2, [12, 8], &[a, b]));
    let wrong = Carried::Next { step: 1, is_wrong: true, part: channel.part };
    let id = channel.id();
    let mut faults = vec![
        fault("unknown_channel", move |draft| draft.params["app_session_id"] = json!(id)),
        fault("missing_signature", move |draft| draft.is_signed = false),
        fault("invalid_state", move |draft| draft.carried = wrong),
    ];
    faults.extend(room_faults(world, room));
    play(world, alice, channel, (Method::SubmitAppState, &right, &faults)).await;
}

async fn closes(world: &World, alice: &mut Socket, room: &Room, channel: &Direct) {
    let wrong = Carried::Next { step: 1, is_wrong: true, part: channel.part };
    let right = Draft::new(room.end(world, 2, [12, 8]).params());
    let id = channel.id();
    let mut faults = vec![
        fault("unknown_channel", move |draft| draft.params["app_session_id"] = json!(id)),
        fault("missing_signature", move |draft| draft.is_signed = false),
    ];
    faults.extend(room_faults(world, room));
    faults.push(fault("invalid_state", move |draft| draft.carried = wrong));
    play(world, alice, channel, (Method::CloseAppSession, &right, &faults)).await;
}

/// What can be wrong with the state of a room, in the order in which it is told.
fn room_faults(world: &World, room: &Room) -> Vec<Fault> {
    let mallory = world.address("mallory");
    let bob = world.address("bob");
    let (one, stranger) = (room.keys[0].address(), world.key("mallory"));
    let own = world.share(one, 20);
    // Under another state than the one that is handed in.
    let elsewhere = room.state(world, 9, [20, 0]);
    let (by_stranger, by_nobody) = (approvals(&elsewhere, &[&stranger]), json!([]));
    vec![
        fault("not_a_member", move |draft| line(draft, "participant", json!(mallory))),
        fault("invalid_amount", move |draft| draft.params["allocations"] = json!([own, own])),
        fault("stale_version", move |draft| draft.params["version"] = json!(1)),
        fault("unknown_token", move |draft| line(draft, "token", json!(bob))),
        fault("total_differs", move |draft| line(draft, "amount", json!("13"))),
        fault("unknown_signer", move |draft| draft.params["approvals"] = by_stranger.clone()),
        fault("quorum_not_reached", move |draft| draft.params["approvals"] = by_nobody.clone()),
    ]
}
