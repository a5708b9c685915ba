//! Whether the Host of a proposal is still there: its money waits for a room that nobody may ever enter.

use std::sync::atomic::Ordering;
use std::time::Duration;

use actix::prelude::*;
use domain::channel::Machine as _;
use domain::channel::virtual_channel::{Phase, VirtualChannelEvent};

use super::VirtualChannelActor;
use crate::actors::participant::HasSessions;
use crate::clock;

/// How often the Host is looked for.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// How often in a row a Host may be missed after the first time: 30 seconds, in which a client that has lost its
/// connection, or its broker, comes back.
const ABSENCES_MAX: u32 = 6;

impl VirtualChannelActor {
    /// Looks after the Host of a proposal, until it is none any more.
    pub(super) fn watch_host(&mut self, ctx: &mut Context<Self>) {
        if self.channel.phase() == Phase::Proposed {
            self.slot = Some(self.services.proposals.count_in(self.channel.host(), clock::now()));
            ctx.run_later(LOOK_INTERVAL, Self::look_for_host);
        }
    }

    fn look_for_host(&mut self, ctx: &mut Context<Self>) {
        let host = self.services.directory.participant(self.channel.host());
        let look = async move {
            match host {
                Some(host) => host.send(HasSessions).timeout(LOOK_INTERVAL).await.unwrap_or(false),
                None => false,
            }
        };
        ctx.spawn(look.into_actor(self).map(|is_there, act, ctx| act.looked_for_host(is_there, ctx)));
    }

    fn looked_for_host(&mut self, is_there: bool, ctx: &mut Context<Self>) {
        if self.channel.phase() != Phase::Proposed {
            return;
        }
        let may_be_there = self.services.is_serving.load(Ordering::Relaxed);
        self.absences = if is_there || !may_be_there { 0 } else { self.absences + 1 };
        // Whoever is about to accept goes first.
        if self.absences > ABSENCES_MAX && !self.is_asking {
            match self.channel.apply(VirtualChannelEvent::HostGone, clock::now()) {
                Ok(transition) => return self.hand_over(transition, None, None, ctx),
                Err(error) => {
                    log::error!(channel_id:% = self.channel.id(), error:%; "a proposal cannot be given back");
                }
            }
        }
        ctx.run_later(LOOK_INTERVAL, Self::look_for_host);
    }
}
