//! Requests before they are signed.

use domain::crypto::SigningKey;
use domain::protocol::method::{close_app_session, submit_app_state};
use serde_json::{Value, json};

use super::super::ask::{Ask, Direct, approvals, fresh};
use super::super::world::World;

/// A request before it is signed.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) method: &'static str,
    pub(crate) params: Value,
    /// Through whose session it comes.
    pub(crate) caller: &'static str,
    /// Who signs it, by label.
    pub(crate) signers: Vec<&'static str>,
    pub(crate) carried: Carried,
}

/// The state of a direct channel that is carried.
#[derive(Clone)]
pub(crate) enum Carried {
    Nothing,
    /// OPERATE with so much less for the owner.
    Less(Direct, u128),
    /// FINALIZE.
    Last(Direct),
    /// INITIALIZE.
    First(Direct),
}

impl Draft {
    /// Of Alice, signed by nobody.
    pub(crate) fn new(method: &'static str, params: Value) -> Self {
        Self { method, params, caller: "alice", signers: Vec::new(), carried: Carried::Nothing }
    }

    pub(crate) fn by(mut self, signers: &[&'static str]) -> Self {
        self.signers = signers.to_vec();
        self
    }

    pub(super) fn carrying(self, carried: Carried) -> Self {
        Self { carried, ..self }
    }

    pub(super) fn from(self, caller: &'static str) -> Self {
        Self { caller, ..self }
    }

    /// With these parameters, whatever they are.
    pub(crate) fn ask_with(&self, world: &World, params: &str) -> Ask {
        let (id, at) = (fresh(), clearnet::clock::now().as_millis());
        let req = format!(r#"[{id},"{}",{params},{at}]"#, self.method);
        let ask = Ask::raw(world.broker.address(), req);
        let ask = self.signers.iter().fold(ask, |ask, label| ask.by(&world.key(label)));
        match &self.carried {
            Carried::Nothing => ask,
            Carried::Less(channel, less) => ask.moving(channel, channel.part - less),
            Carried::Last(channel) => ask.carrying(channel.signed(&channel.last())),
            Carried::First(channel) => {
                let state =
                    channel.state(domain::crypto::Intent::Initialize, 0, Vec::new(), [channel.locked, 0]);
                ask.carrying(channel.signed(&state))
            }
        }
    }

    pub(crate) fn ask(&self, world: &World) -> Ask {
        self.ask_with(world, &self.params.to_string())
    }

    /// The same with approvals of both members under what the parameters have become, if they are a state.
    pub(crate) fn approved(mut self, world: &World) -> Self {
        let members = [world.address("alice"), world.address("bob")];
        let broker = world.broker.address();
        let mut bare = self.params.clone();
        bare["approvals"] = json!([]);
        let state = match self.method {
            "submit_app_state" => serde_json::from_value::<submit_app_state::Params>(bare)
                .ok()
                .and_then(|params| params.state(broker, &members).ok()),
            "close_app_session" => serde_json::from_value::<close_app_session::Params>(bare)
                .ok()
                .and_then(|params| params.state(broker, &members).ok()),
            _ => None,
        };
        if let Some(state) = state {
            let keys = ["alice", "bob"].map(|label| world.key(label));
            self.params["approvals"] = approvals(&state, &keys.iter().collect::<Vec<&SigningKey>>());
        }
        self
    }
}
