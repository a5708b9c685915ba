//! Everything that can be wrong with a request, made of the right one: every place in it is spoilt in every way.
//!
//! Each spoilt request is answered with its code and has no effect, and the session goes on. What the store shows is
//! compared once for all faults of a kind: if it has changed, they are played again one by one to find the culprit.

mod callers;
mod phases;
pub(super) mod places;
mod values;

use domain::protocol::FRAMES_AT_ONCE_MAX;
use domain::protocol::method::Method;
use serde_json::Value;

use super::document;
use super::socket::Socket;
use super::stage::{Draft, Stage};
use super::world::World;
use crate::harness::database::{Database, on_every_database};

/// A request with a fault.
pub(super) struct Fault {
    what: String,
    /// What it must be refused with.
    code: &'static str,
    /// Through whose session it comes; `None` without a login.
    caller: Option<&'static str>,
    frame: Box<dyn Fn(&World) -> String>,
}

impl Fault {
    fn of(draft: &Draft, what: impl Into<String>, code: &'static str) -> Self {
        let caller = draft.caller;
        let draft = draft.clone();
        let frame = move |world: &World| draft.ask(world).frame();
        Self { what: what.into(), code, caller: Some(caller), frame: Box::new(frame) }
    }

    /// With these parameters as they are written.
    fn written(draft: &Draft, params: String, what: impl Into<String>, code: &'static str) -> Self {
        let caller = draft.caller;
        let draft = draft.clone();
        let frame = move |world: &World| draft.ask_with(world, &params).frame();
        Self { what: what.into(), code, caller: Some(caller), frame: Box::new(frame) }
    }

    /// The right request, changed after it was signed.
    fn frame(
        draft: &Draft,
        change: impl Fn(&World, String) -> String + 'static,
        what: impl Into<String>,
        code: &'static str,
    ) -> Self {
        let caller = draft.caller;
        let draft = draft.clone();
        let frame = move |world: &World| change(world, draft.ask(world).frame());
        Self { what: what.into(), code, caller: Some(caller), frame: Box::new(frame) }
    }
}

on_every_database!(every_fault_of_every_method_has_its_code_and_no_effect);

async fn every_fault_of_every_method_has_its_code_and_no_effect(database: Database) {
    let mut stage = Stage::set(database).await;
    let (mut played, mut least) = (0, 0);
    // Those of test mode are unknown here.
    for method in Method::ALL.iter().copied().filter(|method| !method.is_for_tests()) {
        let draft = stage.right(method.name());
        let places = places::all(&draft.params).len();
        // Each place has at least four wrong types; each request ten wrong envelopes.
        least += 4 * (places - 1) + 10;
        let groups = [
            ("types", places::types(&draft)),
            ("fields", places::fields(&draft)),
            ("envelopes", places::envelopes(&stage.world, &draft)),
            ("values", values::wrong(&stage.world, &draft)),
            ("callers", callers::wrong(&stage.world, method, &draft)),
            ("phases", phases::wrong(&stage, &draft)),
        ];
        for (kind, faults) in groups {
            let what = format!("{} {kind}", method.name());
            played += faults.len();
            play(&stage.world, &what, &faults).await;
        }
        let draft = stage.right(method.name());
        let mut session = session(&stage.world, Some(draft.caller)).await;
        let right = draft.ask(&stage.world).frame();
        stage.world.done(&mut session, &format!("the right {}", method.name()), &right).await;
        stage.done(&draft);
        // What it has set going on chain is over: from here on nothing changes by itself.
        stage.world.settle_down().await;
    }
    eprintln!("{played} faults of {} methods", Method::ALL.len());
    assert!(played >= least, "{played} of {least}");
    stage.world.finish().await;
}

async fn session(world: &World, caller: Option<&str>) -> Socket {
    match caller {
        Some(caller) => world.session(caller).await,
        None => Socket::connect(&world.url).await,
    }
}

/// Plays faults of one kind.
async fn play(world: &World, kind: &str, faults: &[Fault]) {
    let before = world.digest().await;
    let mut sessions: Vec<(Option<&str>, u64, Socket)> = Vec::new();
    for fault in faults {
        let place = sessions.iter().position(|(caller, _, _)| *caller == fault.caller);
        let place = match place {
            Some(place) => place,
            None => {
                sessions.push((fault.caller, 0, session(world, fault.caller).await));
                sessions.len() - 1
            }
        };
        let (_, count, socket) = &mut sessions[place];
        if *count + 10 > FRAMES_AT_ONCE_MAX {
            (*count, *socket) = (0, session(world, fault.caller).await);
        }
        *count += 1;
        let frame = (fault.frame)(world);
        let answer = socket.ask(&frame).await;
        check(world, kind, fault, &frame, &answer);
    }
    for (caller, _, mut socket) in sessions.into_iter().filter(|(caller, _, _)| caller.is_some()) {
        let alive = socket.check_alive().await;
        world.check(alive.is_ok(), format!("{kind}: {caller:?} is served no more: {alive:?}"));
    }
    if world.digest().await != before {
        world.check(false, format!("{kind}: something had an effect"));
        for fault in faults {
            let before = world.digest().await;
            session(world, fault.caller).await.ask(&(fault.frame)(world)).await;
            world.check(world.digest().await == before, format!("{kind}: {} has an effect", fault.what));
        }
    }
}

fn check(world: &World, kind: &str, fault: &Fault, frame: &str, answer: &Value) {
    let Fault { what, code, .. } = fault;
    let is_right = answer["type"] == "error" && answer["data"]["code"] == *code;
    world.check(is_right, format!("{kind}: {what}: {code} expected, {answer} came"));
    let is_listed = document::lists(frame, code);
    world.check(is_listed, format!("{kind}: {what}: the document does not list {code}"));
}
