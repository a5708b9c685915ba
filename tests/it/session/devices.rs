//! Several devices of one participant: each is told of everything, and of two that want the same one wins.

use std::cell::RefCell;
use std::collections::BTreeMap;

use domain::protocol::method::create_app_session::AppDefinition;
use serde_json::{Value, json};

use super::ask::{Ask, Direct};
use super::socket::Socket;
use super::stage::{Draft, id_of};
use super::virtual_channels::{opening, room_of};
use super::world::World;
use crate::harness::database::{Database, on_every_database};

/// How often each race is run.
const ROUNDS: usize = 20;

/// What a participant knows from what it was told alone.
#[derive(Debug, Clone, Default, PartialEq)]
struct View {
    /// The newest co-signed state of each direct channel.
    states: BTreeMap<String, Value>,
    rooms: BTreeMap<String, Value>,
    wallet: String,
}

impl View {
    /// Takes a notification in; versions never go back.
    fn take(&mut self, frame: &Value) {
        let content = &frame["data"]["res"][2];
        match frame["data"]["res"][1].as_str() {
            Some("channel") if !content["state"].is_null() => {
                let state = &content["state"];
                newer(&mut self.states, &state["channel_id"], state, &state["state"]["version"]);
                assert_eq!(content["channel"]["version"], state["state"]["version"], "{content}");
            }
            Some("virtual_channel") => {
                let room = &content["app_session"];
                newer(&mut self.rooms, &room["app_session_id"], room, &room["version"]);
            }
            Some("balances") => {
                let line = &content["balances"][0];
                line["amount"].as_str().unwrap_or_default().clone_into(&mut self.wallet);
            }
            _ => {}
        }
    }
}

fn newer(known: &mut BTreeMap<String, Value>, id: &Value, found: &Value, version: &Value) {
    let id = id.as_str().unwrap().to_owned();
    if let Some(before) = known.insert(id, found.clone()) {
        let before =
            if before["version"].is_null() { &before["state"]["version"] } else { &before["version"] };
        assert!(before.as_u64() <= version.as_u64(), "{found} after version {before}");
    }
}

/// A session that listens.
struct Device {
    socket: Socket,
    view: RefCell<View>,
}

impl Device {
    async fn of(world: &World, label: &str) -> Self {
        Self { socket: world.session(label).await, view: RefCell::default() }
    }

    /// Listens until it knows this.
    async fn until(&mut self, knows: impl Fn(&View) -> bool) {
        if knows(&self.view.borrow()) {
            return;
        }
        let found = self.listen(&knows);
        let found = tokio::time::timeout(std::time::Duration::from_secs(15), found).await;
        assert!(found.is_ok(), "this is all that was told: {:?}", self.view.borrow());
    }

    async fn listen(&mut self, knows: impl Fn(&View) -> bool) {
        let take = |frame: &Value| {
            self.view.borrow_mut().take(frame);
            knows(&self.view.borrow())
        };
        self.socket.news(take).await;
    }
}

/// What a list of balances says is on the wallet.
fn wallet_in(balances: &Value) -> String {
    let lines = balances["ledger_balances"].as_array().unwrap();
    let wallet = lines.iter().find(|line| line["kind"] == "wallet");
    wallet.map_or("0", |line| line["amount"].as_str().unwrap()).to_owned()
}

struct Race<'a> {
    world: &'a World,
    alice: [Device; 3],
    bob: [Device; 3],
}

on_every_database!(devices_of_one_participant_see_the_same_and_one_of_two_wins);

async fn devices_of_one_participant_see_the_same_and_one_of_two_wins(database: Database) {
    let world = World::start(database, 3_600).await;
    let mut channel = world.open("alice", 10_000, None).await;
    world.open("bob", 500, None).await;
    world.settle_down().await;
    let mut race = Race {
        world: &world,
        alice: [
            Device::of(&world, "alice").await,
            Device::of(&world, "alice").await,
            Device::of(&world, "alice").await,
        ],
        bob: [
            Device::of(&world, "bob").await,
            Device::of(&world, "bob").await,
            Device::of(&world, "bob").await,
        ],
    };
    race.payments(&mut channel).await;
    race.anchors(&mut channel).await;
    race.last_money().await;
    let rooms = race.openings().await;
    race.updates(&rooms[0]).await;
    race.mixed(&mut channel).await;
    race.views(&channel, &rooms).await;
    world.finish().await;
}

fn is_done(answer: &Value) -> bool {
    answer["type"] == "rpc"
}

impl Race<'_> {
    /// Asks on two devices at once; the answers of who wins and who loses, and which of them won.
    async fn both(&mut self, what: &str, asks: [Ask; 2], round: usize) -> (Value, Value, usize) {
        let [first, second] = asks.map(|ask| ask.frame());
        // Which device asks first takes turns; the third only listens.
        let [one, other, listener] = &mut self.alice;
        let (left, right) = match round % 3 {
            0 => (one, other),
            1 => (other, listener),
            _ => (listener, one),
        };
        let (a, b) = tokio::join!(left.socket.ask(&first), right.socket.ask(&second));
        self.world.check(is_done(&a) != is_done(&b), format!("{what}: one of two wins: {a} and {b}"));
        if is_done(&a) { (a, b, 0) } else { (b, a, 1) }
    }

    /// Who loses is given the state that won, and everybody is told of it.
    async fn won(&mut self, what: &str, channel: &Direct, winner: &Value, loser: &Value) {
        let won = &winner["data"]["states"][0];
        let (code, current) = (&loser["data"]["code"], &loser["data"]["details"]["current"]);
        let is_told = code == "stale_version"
            && current["state"] == won["state"]
            && current["signatures"][1] == won["sig"]
            && current["channel_id"] == won["channel_id"];
        self.world.check(is_told, format!("{what}: {loser} after {winner}"));
        let id = channel.id().to_string();
        for device in &mut self.alice {
            device
                .until(|view| view.states.get(&id).is_some_and(|state| state["state"] == won["state"]))
                .await;
            let get = self.world.ask("get_state", &json!({"channel_id": channel.id()})).frame();
            let shown = device.socket.ask(&get).await;
            let shown = &shown["data"]["res"][2];
            let view = device.view.borrow();
            let told = &view.states[&id];
            let is_same = shown["state"] == told["state"] && shown["signatures"] == told["signatures"];
            self.world.check(is_same, format!("{what}: {shown} but {told}"));
        }
    }

    async fn payments(&mut self, channel: &mut Direct) {
        for round in 0..ROUNDS {
            let bob = self.world.address("bob");
            let pay = |amount: u128| {
                self.world.pay(bob, &amount.to_string()).moving(channel, channel.part - amount)
            };
            let (winner, loser, which) = self.both("a payment", [pay(1), pay(2)], round).await;
            channel.moved(channel.part - [1, 2][which]);
            self.won("a payment", channel, &winner, &loser).await;
        }
    }

    async fn anchors(&mut self, channel: &mut Direct) {
        for round in 0..ROUNDS {
            let update =
                |less| self.world.ask("update_state", &json!({})).moving(channel, channel.part - less);
            let (winner, loser, which) = self.both("an anchor", [update(3), update(4)], round).await;
            channel.moved(channel.part - [3, 4][which]);
            self.won("an anchor", channel, &winner, &loser).await;
        }
    }

    /// Two payments out of a wallet that can pay one of them.
    async fn last_money(&mut self) {
        let read = self.world.ask("get_ledger_balances", &json!({})).frame();
        let held = self.alice[2].socket.ask(&read).await;
        let held = wallet_in(&held["data"]["res"][2]);
        let pay = || self.world.pay(self.world.address("bob"), &held).by(&self.world.key("alice"));
        let (_, loser, _) = self.both("the last money", [pay(), pay()], 0).await;
        self.world.check(loser["data"]["code"] == "insufficient_balance", &loser);
        for device in &mut self.alice {
            device.until(|view| view.wallet == "0").await;
        }
    }

    /// The same room from two devices, and from two participants.
    async fn openings(&mut self) -> Vec<AppDefinition> {
        let (a, b) = (self.world.key("alice"), self.world.key("bob"));
        let mut rooms = Vec::new();
        for round in 0..ROUNDS {
            let definition = room_of(self.world);
            let open = || {
                let shares = json!([self.world.share(b.address(), if round == 0 { 30 } else { 0 })]);
                let shares = if round == 0 { shares } else { json!([]) };
                opening(self.world, &json!(definition), shares).by(&a).by(&b)
            };
            let (winner, loser) = if round % 2 == 0 {
                let (winner, loser, _) = self.both("an opening", [open(), open()], round).await;
                (winner, loser)
            } else {
                let (first, second) = (open().frame(), open().frame());
                let [alice, _, _] = &mut self.alice;
                let [bob, _, _] = &mut self.bob;
                let (one, other) = tokio::join!(alice.socket.ask(&first), bob.socket.ask(&second));
                if is_done(&one) { (one, other) } else { (other, one) }
            };
            let is_one = is_done(&winner) && loser["data"]["code"] == "channel_exists";
            self.world.check(is_one, format!("{winner} and {loser}"));
            self.told(&definition, |room| room["version"] == 1).await;
            rooms.push(definition);
        }
        rooms
    }

    /// Every device of both members knows this of a room.
    async fn told(&mut self, definition: &AppDefinition, is_it: impl Fn(&Value) -> bool) {
        let id = id_of(definition).to_string();
        for device in self.alice.iter_mut().chain(&mut self.bob) {
            device.until(|view| view.rooms.get(&id).is_some_and(&is_it)).await;
        }
    }

    /// Two next states of a room, both agreed on.
    async fn updates(&mut self, definition: &AppDefinition) {
        let members = ["alice", "bob"].map(|label| self.world.address(label));
        for round in 0..ROUNDS {
            let version = round + 2;
            let next = |share: u64| {
                let lines =
                    json!([self.world.share(members[0], share), self.world.share(members[1], 30 - share)]);
                let params = json!({"app_session_id": id_of(definition), "intent": "operate", "version": version,
                    "allocations": lines, "session_data": format!("round {round}: {share}"), "approvals": []});
                Draft::new("submit_app_state", params).by(&["alice"]).approved(self.world).ask(self.world)
            };
            let (_, loser, which) = self.both("an update", [next(7), next(11)], round).await;
            let share = [7, 11][which].to_string();
            let (details, data) = (&loser["data"]["details"], format!("round {round}: {share}"));
            let newest = &details["app_session"];
            let is_told = loser["data"]["code"] == "stale_version"
                && details["current_version"] == version
                && details["channel_id"] == json!(id_of(definition))
                && newest["version"] == version
                && newest["session_data"] == data.as_str()
                && newest["allocations"][0]["amount"] == share.as_str();
            self.world.check(is_told, format!("round {round}, {share} won: {loser}"));
            self.told(definition, |room| room["version"] == version && room["session_data"] == data.as_str())
                .await;
        }
    }

    /// A payment and an anchor with the same version.
    async fn mixed(&mut self, channel: &mut Direct) {
        for round in 0..ROUNDS {
            let pay = self.world.pay(self.world.address("bob"), "1").moving(channel, channel.part - 1);
            let update = self.world.ask("update_state", &json!({})).moving(channel, channel.part - 2);
            let (winner, loser, which) = self.both("a payment or an anchor", [pay, update], round).await;
            channel.moved(channel.part - [1, 2][which]);
            self.won("a payment or an anchor", channel, &winner, &loser).await;
        }
    }

    /// What each device was told is what the store has.
    async fn views(&mut self, channel: &Direct, rooms: &[AppDefinition]) {
        for (label, devices) in [("alice", &mut self.alice), ("bob", &mut self.bob)] {
            let mut fresh = self.world.session(label).await;
            let mut read = async |method: &str, params: Value| {
                fresh.ask(&self.world.ask(method, &params).frame()).await["data"]["res"][2].clone()
            };
            let mut stored = View::default();
            let balances = read("get_ledger_balances", json!({"limit": 100})).await;
            stored.wallet = wallet_in(&balances);
            let shown = read("get_app_sessions", json!({"limit": 100})).await;
            for room in shown["app_sessions"].as_array().unwrap() {
                stored.rooms.insert(room["app_session_id"].as_str().unwrap().to_owned(), room.clone());
            }
            self.world
                .check(stored.rooms.len() == rooms.len(), format!("{label} has {}", stored.rooms.len()));
            if label == "alice" {
                let state = read("get_state", json!({"channel_id": channel.id()})).await;
                let state = json!({"channel_id": state["channel_id"], "state": state["state"],
                    "signatures": state["signatures"]});
                stored.states.insert(channel.id().to_string(), state);
            }
            for device in devices {
                device.until(|view| *view == stored).await;
            }
        }
    }
}
