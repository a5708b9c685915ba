//! Channels that are not in the phase that a request needs.

use serde_json::json;

use super::super::stage::{Carried, Draft, Stage};
use super::Fault;

/// The right request about channels in every other phase.
pub(super) fn wrong(stage: &Stage, draft: &Draft) -> Vec<Fault> {
    let mut faults = rooms(stage, draft);
    faults.extend(parts(stage, draft));
    if draft.method == "close_channel" {
        faults.extend(ends(stage, draft));
    }
    faults
}

/// What a request about a room in each phase is refused with; of those that are not named here it is right.
fn refused_in(method: &str, fate: &str) -> Option<&'static str> {
    let is_end = match fate {
        "closed" | "rejected" | "cancelled" => Some("channel_closed"),
        "lapsed" => Some("channel_expired"),
        _ => None,
    };
    match method {
        "accept_virtual_channel" | "reject_virtual_channel" | "cancel_virtual_channel" => match fate {
            "open" | "expiring" => Some("wrong_phase"),
            _ => is_end,
        },
        "submit_app_state" | "close_app_session" => match fate {
            "proposed" => Some("wrong_phase"),
            _ => is_end,
        },
        _ => None,
    }
}

fn rooms(stage: &Stage, draft: &Draft) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (fate, _) in &stage.rooms {
        let Some(code) = refused_in(draft.method, fate) else { continue };
        let mut asked = draft.clone();
        asked.params["app_session_id"] = json!(stage.room(fate));
        faults.push(Fault::of(&asked.approved(&stage.world), format!("a room that is {fate}"), code));
    }
    if draft.method == "submit_app_state" {
        let mut asked = draft.clone();
        asked.params["app_session_id"] = json!(stage.room("expiring"));
        asked.params["intent"] = json!("deposit");
        let asked = asked.approved(&stage.world);
        faults.push(Fault::of(&asked, "a deposit after the lifetime", "channel_expired"));
    }
    faults
}

/// Methods that may carry states of the requester's direct channels.
const MOVING: [&str; 7] = [
    "transfer",
    "update_state",
    "create_app_session",
    "propose_virtual_channel",
    "accept_virtual_channel",
    "close_app_session",
    "submit_app_state",
];

/// Carried states of channels that sign nothing, and where nothing can be carried.
fn parts(stage: &Stage, draft: &Draft) -> Vec<Fault> {
    let takes_none =
        ["reject_virtual_channel", "cancel_virtual_channel", "revoke_session_key", "delegate_session_key"]
            .contains(&draft.method);
    let is_alices = draft.caller == "alice";
    let is_operate = draft.method == "submit_app_state";
    let mut faults = Vec::new();
    for (what, channel, code) in
        [("being closed", &stage.frozen, "channel_frozen"), ("closed", &stage.closed, "channel_closed")]
    {
        let code = if takes_none || is_operate { "invalid_state" } else { code };
        if !takes_none && !MOVING.contains(&draft.method) {
            continue;
        }
        // Alice's state in a request of Bob's is signed by nobody who is expected to.
        let code = if is_alices { code } else { "unknown_signer" };
        let asked = Draft { carried: Carried::Less(channel.clone(), 1), ..draft.clone() };
        faults.push(Fault::of(&asked, format!("a state of a channel that is {what}"), code));
    }
    faults
}

fn ends(stage: &Stage, draft: &Draft) -> Vec<Fault> {
    let of = |channel: &super::super::ask::Direct, last: &super::super::ask::Direct| {
        let mut asked = draft.clone();
        asked.params["channel_id"] = json!(channel.id());
        Draft { carried: Carried::Last(last.clone()), ..asked }
    };
    let mut less = stage.frozen.clone();
    less.part -= 1;
    vec![
        Fault::of(&of(&stage.frozen, &less), "another end of what is being closed", "channel_frozen"),
        Fault::of(&of(&stage.closed, &stage.closed), "an end of what is closed", "channel_closed"),
        Fault::of(&of(&stage.open, &stage.frozen), "an end of another channel", "missing_state"),
        Fault::of(
            &Draft { carried: Carried::Less(stage.to_end.clone(), 0), ..draft.clone() },
            "no end",
            "invalid_state",
        ),
        Fault::of(&Draft { carried: Carried::Nothing, ..draft.clone() }, "nothing carried", "missing_state"),
    ]
}
