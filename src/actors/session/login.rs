//! The login: one open challenge at a time, accepted once, on the connection that asked for it.

use std::sync::Arc;

use actix::prelude::*;
use domain::crypto::{LoginChallenge, LoginText};
use domain::participant::SessionKey;
use domain::primitives::{Address, Timestamp};
use domain::protocol::{
    AUTH_ATTEMPTS_MAX, Auth, CHALLENGE_LIFETIME_MS, Code, Details, FrameId, Refusal, ServerBody, ServerFrame,
};
use rand::RngCore as _;

use super::{Ctx, SessionActor, keys};
use crate::clock;

/// How far the login of a connection has come.
#[derive(Debug, Default)]
pub(super) struct Login {
    participant: Option<Address>,
    /// The session key that logged in for the participant, and until when; `None` when it did itself.
    key: Option<(Address, Arc<SessionKey>)>,
    open: Option<LoginText>,
    attempts: u32,
}

impl Login {
    /// Who logged in; `None` before.
    pub(super) const fn participant(&self) -> Option<Address> {
        self.participant
    }

    /// The session key that logged in; `None` when the participant did itself.
    pub(super) fn key(&self) -> Option<Address> {
        self.key.as_ref().map(|(key, _)| *key)
    }

    /// What that key may do.
    pub(super) fn session_key(&self) -> Option<Arc<SessionKey>> {
        self.key.as_ref().map(|(_, session_key)| Arc::clone(session_key))
    }

    /// Whether the session key that logged in has expired.
    pub(super) fn has_ended(&self, now: Timestamp) -> bool {
        self.key.as_ref().is_some_and(|(_, session_key)| !session_key.is_live(now))
    }

    /// Opens a challenge; an open one is replaced.
    fn challenge(&mut self, broker: Address, now: Timestamp) -> LoginText {
        let mut random = [0; 32];
        rand::rng().fill_bytes(&mut random);
        let expires_at = now.plus_millis(CHALLENGE_LIFETIME_MS);
        let text = LoginText { broker, challenge: LoginChallenge::from_bytes(random), expires_at };
        self.open = Some(text);
        text
    }

    /// Takes an answer to the open challenge, which is used up by it unless it proves nothing.
    ///
    /// # Errors
    /// First that applies, as `docs/protocol.md` lists them.
    fn answer(&mut self, auth: &Auth, now: Timestamp) -> Result<Address, Refusal> {
        let text = auth.text();
        let Some(open) = self.open.filter(|open| text == Some(*open)) else {
            return Err(Refusal::new(Code::ChallengeUnknown));
        };
        if now > open.expires_at {
            let details = Details { now: Some(now), ..Details::default() };
            return Err(Refusal::new(Code::ChallengeExpired).with(details));
        }
        let address = auth.prove(open).map_err(|error| Refusal::from(&error))?;
        self.open = None;
        Ok(address)
    }
}

impl SessionActor {
    /// Answers an `auth` frame.
    pub(super) fn auth(&mut self, id: Option<FrameId>, auth: &Auth, ctx: &mut Ctx) {
        let (broker, now) = (self.services().broker, clock::now());
        if let Some(participant) = self.login.participant {
            let details = Details { participant: Some(participant), ..Details::default() };
            return self.refuse(id, Refusal::new(Code::AlreadyAuthenticated).with(details), ctx);
        }
        self.login.attempts += 1;
        if self.login.attempts > AUTH_ATTEMPTS_MAX {
            let details = Details { max: Some(AUTH_ATTEMPTS_MAX.into()), ..Details::default() };
            return self.refuse(id, Refusal::new(Code::TooManyAttempts).with(details), ctx);
        }
        // Who knows no challenge of this connection yet is told what to sign.
        if auth.message.is_none() || self.login.open.is_none() {
            let text = self.login.challenge(broker, now);
            let body = ServerBody::AuthChallenge { message: text.to_string(), expires_at: text.expires_at };
            return self.send(&ServerFrame { id, body }, ctx);
        }
        match self.login.answer(auth, now) {
            Ok(address) => match auth.participant.filter(|participant| *participant != address) {
                None => self.logged_in(id, address, None, ctx),
                Some(participant) => self.log_in_with_key(id, participant, address, ctx),
            },
            Err(refusal) => self.refuse(id, refusal, ctx),
        }
    }

    /// A key has proven itself: it may log in for a participant whose session key it is.
    fn log_in_with_key(&mut self, id: Option<FrameId>, participant: Address, key: Address, ctx: &mut Ctx) {
        let services = Arc::clone(self.services());
        let looked_up = async move {
            let live = keys::of_one(&services, participant).await?;
            let session_key = live.live(key, clock::now()).cloned().map(Arc::new);
            let details = Details { participant: Some(key), ..Details::default() };
            session_key.ok_or_else(|| Refusal::new(Code::UnknownSessionKey).with(details))
        };
        ctx.wait(looked_up.into_actor(self).map(move |looked_up, act, ctx| match looked_up {
            Ok(session_key) => act.logged_in(id, participant, Some((key, session_key)), ctx),
            Err(refusal) => act.refuse(id, refusal, ctx),
        }));
    }

    fn logged_in(
        &mut self,
        id: Option<FrameId>,
        address: Address,
        key: Option<(Address, Arc<SessionKey>)>,
        ctx: &mut Ctx,
    ) {
        (self.login.participant, self.login.key) = (Some(address), key);
        log::info!(session_id:% = self.id, participant:% = address; "a participant logged in");
        let (broker_address, session_key) = (self.services().broker, self.login.key());
        let body = ServerBody::AuthSuccess { address, broker_address, session_key };
        self.attach(address, Some(ServerFrame { id, body }), ctx);
    }
}

#[cfg(test)]
mod tests {
    use domain::crypto::{Signable as _, SigningKey};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn answer_to(text: &LoginText) -> (Auth, Address) {
        let key = SigningKey::from_bytes([7; 32]).unwrap();
        let auth = Auth {
            pub_key: Some(key.public_key().to_string()),
            message: Some(text.to_string()),
            signature: Some(key.sign(text.digests().first()).to_string()),
            participant: None,
        };
        (auth, key.address())
    }

    #[test]
    fn a_challenge_is_answered_until_its_end_and_once() {
        let mut login = Login::default();
        let text = login.challenge(Address::ZERO, NOW);
        let (auth, address) = answer_to(&text);
        assert_eq!(text.expires_at, NOW.plus_millis(CHALLENGE_LIFETIME_MS));
        let late = login.answer(&auth, text.expires_at.plus_millis(1)).unwrap_err();
        assert_eq!(late.code, Code::ChallengeExpired);
        assert_eq!(login.answer(&auth, text.expires_at).unwrap(), address);
        let again = login.answer(&auth, NOW).unwrap_err();
        assert_eq!(again.code, Code::ChallengeUnknown);
    }
}
