//! A world with everything in it that can be named, in every phase, and a right request for every method.

mod draft;

use domain::crypto::Definition;
use domain::primitives::ChannelId;
use domain::protocol::method::create_app_session::AppDefinition;
use domain::protocol::{ChannelTerms, Uint53};
use serde_json::{Value, json};

pub(crate) use draft::{Carried, Draft};

use super::ask::Direct;
use super::settle::offer;
use super::socket::Socket;
use super::virtual_channels::{opening, room_of};
use super::world::World;
use crate::harness::database::Database;

/// Session keys of Alice: for everything, for payments, for rooms, to be revoked, to be delegated to.
pub(crate) const KEY: &str = "a key for everything";
pub(crate) const KEY_THAT_PAYS: &str = "a key that pays";
pub(crate) const KEY_THAT_PLAYS: &str = "a key that plays";
const KEY_TO_REVOKE: &str = "a key to revoke";
const KEY_TO_COME: &str = "a key to come";

/// Everything there is of Alice and Bob.
pub(crate) struct Stage {
    pub(crate) world: World,
    /// Alice's channels: one to pay from, one to end, one that is being closed, one that is closed.
    pub(crate) open: Direct,
    pub(crate) to_end: Direct,
    pub(crate) frozen: Direct,
    pub(crate) closed: Direct,
    /// A settlement of Alice's that is confirmed.
    pub(crate) settled: Direct,
    /// Their rooms, by what has become of them. Alice is the Host.
    pub(crate) rooms: Vec<(&'static str, AppDefinition)>,
    /// Proposals are given up when their Host is gone.
    pub(crate) alice: Socket,
}

pub(crate) fn id_of(definition: &AppDefinition) -> ChannelId {
    Definition::from(definition).channel_id()
}

impl Stage {
    pub(crate) async fn set(database: Database) -> Self {
        let world = World::start(database, 3_600).await;
        world.give_to_broker(1_000).await;
        let mut open = world.open("alice", 1_000, None).await;
        let to_end = world.open("alice", 30, None).await;
        let frozen = world.open("alice", 30, None).await;
        let closed = world.open("alice", 30, None).await;
        let bobs = world.open("bob", 500, None).await;
        world.settle_down().await;
        let (mut alice, mut bob) = (world.session("alice").await, world.session("bob").await);
        let update = || world.ask("update_state", &json!({}));
        world.done(&mut alice, "to the wallet", &update().moving(&open, 400).frame()).await;
        open.moved(400);
        world.done(&mut bob, "to the wallet", &update().moving(&bobs, 300).frame()).await;
        for channel in [&frozen, &closed] {
            let ask = world.ask("close_channel", &json!({"channel_id": channel.id()}));
            let last = channel.last();
            let ask = ask.by(&channel.key).carrying(channel.signed(&last));
            let answer = world.done(&mut alice, "an end", &ask.frame()).await;
            if channel.id() == closed.id() {
                let sig = serde_json::from_value(answer["data"]["states"][0]["sig"].clone()).unwrap();
                let signatures = [channel.key.sign(last.hash()), sig];
                world
                    .chain
                    .participant(world.key("alice"))
                    .close_and_withdraw(last, signatures)
                    .await
                    .unwrap();
            }
        }
        let settled = offer(&world, 10);
        let mut stage =
            Self { world, open, to_end, frozen, closed, settled: settled.clone(), rooms: Vec::new(), alice };
        let ask = stage.settlement(&settled).ask(&stage.world);
        stage.world.done(&mut stage.alice, "a settlement", &ask.frame()).await;
        stage.world.settle_down().await;
        stage.delegate().await;
        stage.furnish(&mut bob).await;
        stage
    }

    async fn delegate(&mut self) {
        let scopes = [
            (KEY, json!(["transfer", "rooms"])),
            (KEY_THAT_PAYS, json!(["transfer"])),
            (KEY_THAT_PLAYS, json!(["rooms"])),
            (KEY_TO_REVOKE, json!(["rooms"])),
        ];
        for (label, scope) in scopes {
            let mut params = self.delegation(label);
            params["scope"] = scope;
            let ask = self.world.ask("delegate_session_key", &params);
            let ask = ask.by(&self.world.key("alice")).by(&self.world.key(label));
            self.world.done(&mut self.alice, label, &ask.frame()).await;
        }
    }

    fn delegation(&self, label: &str) -> Value {
        json!({"participant": self.world.address("alice"),
            "session_key": self.world.address(label), "scope": ["transfer", "rooms"], "application": "session",
            "caps": [{"asset": "SHIB", "amount": "100"}],
            "expires_at": clearnet::clock::now().plus_millis(3_600_000)})
    }

    /// A room in every phase.
    async fn furnish(&mut self, bob: &mut Socket) {
        for fate in ["open", "updated", "to close", "expiring", "closed"] {
            let secs = if fate == "expiring" { 1 } else { 86_400 };
            let definition = AppDefinition { challenge: Uint53::new(secs).unwrap(), ..room_of(&self.world) };
            let shares = json!([self.world.share(self.world.address("alice"), 20)]);
            let ask = opening(&self.world, &json!(definition), shares);
            let ask = ask.by(&self.world.key("alice")).by(&self.world.key("bob"));
            self.world.done(&mut self.alice, fate, &ask.frame()).await;
            self.rooms.push((fate, definition));
        }
        let end = self.next("closed", "close_app_session").ask(&self.world);
        self.world.done(&mut self.alice, "a close", &end.frame()).await;
        for fate in ["proposed", "to accept", "to reject", "to cancel", "rejected", "cancelled", "lapsed"] {
            let mut draft = self.proposal();
            draft.params["accept_within_secs"] = json!(if fate == "lapsed" { 1 } else { 3_600 });
            self.world.done(&mut self.alice, fate, &draft.ask(&self.world).frame()).await;
            let definition = serde_json::from_value(draft.params["definition"].clone()).unwrap();
            self.rooms.push((fate, definition));
        }
        let reject = self.decline("rejected", "reject_virtual_channel").from("bob").by(&["bob"]);
        self.world.done(bob, "a rejection", &reject.ask(&self.world).frame()).await;
        let cancel = self.decline("cancelled", "cancel_virtual_channel").by(&["alice"]);
        self.world.done(&mut self.alice, "a cancellation", &cancel.ask(&self.world).frame()).await;
        for status in ["expiring", "lapsed"] {
            let id = json!(self.room(status));
            let is_it = |news: &Value| {
                let shown = &news["data"]["res"][2]["app_session"];
                shown["status"] == status && shown["app_session_id"] == id
            };
            bob.news(is_it).await;
        }
    }

    /// The room of which this has become.
    pub(crate) fn room(&self, fate: &str) -> ChannelId {
        id_of(self.definition(fate))
    }

    pub(crate) fn definition(&self, fate: &str) -> &AppDefinition {
        &self.rooms.iter().find(|(found, _)| *found == fate).unwrap().1
    }

    fn lines(&self, shares: [u64; 2]) -> Value {
        json!([
            self.world.share(self.world.address("alice"), shares[0]),
            self.world.share(self.world.address("bob"), shares[1])
        ])
    }

    fn proposal(&self) -> Draft {
        let params = json!({"definition": room_of(&self.world), "allocations": self.lines([5, 3]),
            "session_data": "chess", "accept_within_secs": 600});
        Draft::new("propose_virtual_channel", params).by(&["alice"])
    }

    fn decline(&self, fate: &str, method: &'static str) -> Draft {
        Draft::new(method, json!({"app_session_id": self.room(fate)}))
    }

    /// The next state of a room, which ends it or not.
    pub(crate) fn next(&self, fate: &str, method: &'static str) -> Draft {
        let mut params = json!({"app_session_id": self.room(fate), "version": 2, "allocations": self.lines([12, 8]),
            "session_data": "moved", "approvals": []});
        if method == "submit_app_state" {
            params["intent"] = json!("operate");
        }
        Draft::new(method, params).by(&["alice"]).approved(&self.world)
    }

    pub(crate) fn acceptance(&self, fate: &str) -> Draft {
        let params = json!({"app_session_id": self.room(fate), "allocations": self.lines([5, 3]),
            "session_data": "chess"});
        Draft::new("accept_virtual_channel", params).from("bob").by(&["bob"])
    }

    pub(crate) fn settlement(&self, offered: &Direct) -> Draft {
        let mut params = self.world.line(&offered.locked.to_string());
        params["channel"] = json!(ChannelTerms::of(&offered.params).unwrap());
        Draft::new("settle", params).by(&["alice"]).carrying(Carried::First(offered.clone()))
    }

    /// A request of this method that is carried out, with everything that it can have in it.
    pub(crate) fn right(&self, method: &'static str) -> Draft {
        let (world, open) = (&self.world, &self.open);
        let (token, alice) = (world.token, world.address("alice"));
        let wallet = ChannelId::of_wallet(alice);
        let page = |mut params: Value, cursor: Value| {
            (params["limit"], params["cursor"]) = (json!(5), cursor);
            params
        };
        let read = |params: Value| Draft::new(method, params);
        match method {
            "ping" | "get_config" | "get_session_keys" => read(json!({})),
            "get_assets" => read(json!({"chain_id": token.chain_id})),
            "get_channels" => read(page(json!({"status": "open"}), json!(open.id()))),
            "get_state" => read(json!({"channel_id": open.id()})),
            "get_ledger_balances" => read(page(json!({"account_id": wallet}), json!("0"))),
            "get_ledger_entries" | "get_ledger_transactions" => {
                read(page(json!({"account_id": wallet}), json!("100000")))
            }
            "get_app_sessions" => {
                let params = json!({"app_session_id": self.room("open"), "status": "open"});
                read(page(params, json!(self.room("open"))))
            }
            "get_app_definition" => read(json!({"app_session_id": self.room("open")})),
            "get_settlement" => read(json!({"channel_id": self.settled.id()})),
            "transfer" => {
                read(json!({"destination": world.address("bob"), "allocations": [world.line("10")]}))
                    .carrying(Carried::Less(open.clone(), 10))
            }
            "update_state" => read(json!({})).carrying(Carried::Less(open.clone(), 10)),
            "create_app_session" => {
                let params = json!({"definition": room_of(world), "allocations": [world.share(alice, 5)],
                    "session_data": "go"});
                read(params).by(&["alice", "bob"])
            }
            "propose_virtual_channel" => self.proposal(),
            "accept_virtual_channel" => self.acceptance("to accept"),
            "reject_virtual_channel" => self.decline("to reject", method).from("bob").by(&["bob"]),
            "cancel_virtual_channel" => self.decline("to cancel", method).by(&["alice"]),
            "submit_app_state" => self.next("updated", method),
            "close_app_session" => self.next("to close", method),
            "create_channel" => {
                let mut params = world.line("10");
                params["challenge"] = json!(3_600);
                read(params)
            }
            "close_channel" => read(json!({"channel_id": self.to_end.id()}))
                .by(&["alice"])
                .carrying(Carried::Last(self.to_end.clone())),
            "settle" => self.settlement(&offer(world, 10)),
            "delegate_session_key" => read(self.delegation(KEY_TO_COME)).by(&["alice", KEY_TO_COME]),
            "revoke_session_key" => read(json!({"session_key": world.address(KEY_TO_REVOKE)})).by(&["alice"]),
            other => panic!("{other} has no right request: nothing of it is tested"),
        }
    }

    /// The right request was carried out.
    pub(crate) fn done(&mut self, draft: &Draft) {
        if let Carried::Less(_, less) = draft.carried {
            let part = self.open.part - less;
            self.open.moved(part);
        }
    }
}
