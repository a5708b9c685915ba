//! Requests about money outside virtual channels.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::channel::direct::{CONTRACT_CHALLENGE_SECS_MIN, Terms};
use domain::crypto::{Allocation, DirectParams, DirectState, Intent, Signed};
use domain::participant::KeyUse;
use domain::primitives::{Amount, ChainId, ChannelId, Token, Version};
use domain::protocol::method::{Method, close_channel, create_channel, settle, transfer};
use domain::protocol::{self, ChannelTerms, Code, Details, Refusal, Response, ServerBody, State};

use super::{Caller, Failed, within};
use crate::actors::answer::Answer;
use crate::actors::direct_channel::{Finalize, FinalizeChannel};
use crate::actors::participant::{MoveMoney, Movements, NextNonce, Settle, SettleWallet};
use crate::actors::request::Asked;
use crate::actors::session::{refusal, render, verify};
use crate::clock;

impl Caller {
    pub(super) async fn transfer(&self, params: transfer::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let asked = self.proven(&[self.member], Some(&KeyUse::Transfer)).await?;
        let to = params.destination;
        if to.is_zero() || to == self.member || to == self.services().broker {
            let details = Details { participant: Some(to), ..Details::default() };
            return Err(Refusal::new(Code::InvalidDestination).with(details).into());
        }
        let (payments, tokens) = (payments(&params)?, &self.services().tokens);
        if let Some(token) = payments.keys().find(|token| !tokens.contains(token)) {
            return Err(unknown_token(*token).into());
        }
        self.move_money(asked.about(Movements { to: Some(to), payments })).await
    }

    pub(super) async fn update_state(&self) -> Result<Answer, Failed> {
        self.check_time()?;
        let asked = self.proven(&[self.member], None).await?;
        if asked.states.is_empty() {
            return Err(Refusal::new(Code::MissingState).into());
        }
        self.move_money(asked.about(Movements { to: None, payments: BTreeMap::new() })).await
    }

    async fn move_money(&self, asked: Asked<Movements>) -> Result<Answer, Failed> {
        let participant = self.services().participant(self.member).await?;
        Ok(within(participant.send(MoveMoney { asked: Box::new(asked) })).await?)
    }

    pub(super) async fn finalize(&self, params: close_channel::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let (asked, states) = self.proven_itself(None).await?;
        let state = only(states).filter(|state| state.body().channel_id == params.channel_id);
        let state = state.ok_or_else(|| missing_state(params.channel_id))?;
        let asked = asked.about(Finalize { state });
        let channel = self.services().direct_channel(params.channel_id).await?;
        Ok(within(channel.send(FinalizeChannel { asked: Box::new(asked) })).await?)
    }

    pub(super) async fn settle(&self, params: settle::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let (asked, states) = self.proven_itself(Some(params.chain_id)).await?;
        if params.amount.is_zero() {
            return Err(invalid_amount("amount").into());
        }
        let token = Token { chain_id: params.chain_id, address: params.token };
        let terms = self.check_token(token)?;
        let channel = params.channel.on_chain(params.chain_id);
        let initial = only(states).ok_or_else(|| missing_state(channel.channel_id()))?;
        // Of others' channels nothing is told, not even whether there are any.
        if channel.participants[0] != self.member {
            let details = Details { field: Some("channel.participants".to_owned()), ..Details::default() };
            return Err(Refusal::new(Code::InvalidState).with(details).into());
        }
        // The broker gets its part back by a challenge when the participant is gone: it pays for none that is longer.
        let least = least_challenge(&terms);
        if channel.challenge_secs != least {
            return Err(challenge_too_short(least, least).into());
        }
        let asked = asked.about(Settle { token, amount: params.amount, params: channel, initial });
        let participant = self.services().participant(self.member).await?;
        Ok(within(participant.send(SettleWallet { asked: Box::new(asked) })).await?)
    }

    /// Who signed the request itself: the states that it carries have no room for its hash.
    pub(super) async fn proven_itself(
        &self,
        new_on: Option<ChainId>,
    ) -> Result<(Asked<()>, Vec<Signed<DirectState>>), Refusal> {
        let expected = [self.member];
        let states = verify::states(self.services(), self.request.states(), &expected, new_on).await?;
        let signers = (expected.as_slice(), None);
        let asked = verify::asked(self.services(), self.member, &self.request, Vec::new(), signers).await?;
        Ok((asked, states))
    }

    /// Signs INITIALIZE [amount, 0] of a channel with a fresh nonce. It binds the broker to nothing, so that
    /// nothing has to be kept first.
    pub(super) async fn create_channel(&self, params: create_channel::Params) -> Result<ServerBody, Refusal> {
        let token = Token { chain_id: params.chain_id, address: params.token };
        let services = self.services();
        let terms = self.check_token(token)?;
        let challenge_secs = params.challenge.map_or(least_challenge(&terms), protocol::Uint53::get);
        if !(CONTRACT_CHALLENGE_SECS_MIN..=terms.challenge_secs_max).contains(&challenge_secs) {
            return Err(challenge_too_short(CONTRACT_CHALLENGE_SECS_MIN, terms.challenge_secs_max));
        }
        let participant = services.participant(self.member).await.map_err(|refused| refusal::of(&refused))?;
        let nonce = participant.send(NextNonce).await.map_err(|_| Refusal::new(Code::Unavailable))?;
        let params_on_chain = DirectParams {
            participants: [self.member, services.broker],
            adjudicator: terms.adjudicator,
            challenge_secs,
            nonce,
            chain_id: params.chain_id,
        };
        let side = |destination, amount| Allocation { destination, token: token.address, amount };
        let state = DirectState {
            channel_id: params_on_chain.channel_id(),
            intent: Intent::Initialize,
            version: Version::ZERO,
            data: Vec::new(),
            allocations: [side(self.member, params.amount), side(services.broker, Amount::ZERO)],
        };
        let shown = ChannelTerms::of(&params_on_chain).zip(State::of(&state));
        let (channel, shown) = shown.ok_or_else(|| Refusal::new(Code::Unavailable))?;
        let reply = create_channel::Reply {
            channel_id: state.channel_id,
            channel,
            state: shown,
            server_signature: services.key.sign(state.hash()),
        };
        let response = Response::answer(self.request.id(), Method::CreateChannel, &reply, clock::now());
        Ok(render::sign(services, response))
    }

    /// The terms of the token's chain, if the broker takes the token.
    fn check_token(&self, token: Token) -> Result<Arc<Terms>, Refusal> {
        let terms = self.services().terms_of(token.chain_id).ok_or_else(|| unknown_chain(token.chain_id))?;
        if self.services().tokens.contains(&token) { Ok(terms) } else { Err(unknown_token(token)) }
    }
}

/// The shortest challenge with which a part of a channel may shrink.
fn least_challenge(terms: &Terms) -> u64 {
    terms.debit_challenge_secs_min.max(CONTRACT_CHALLENGE_SECS_MIN)
}

fn challenge_too_short(min: u64, max: u64) -> Refusal {
    let details = Details { min: Some(min), max: Some(max), ..Details::default() };
    Refusal::new(Code::ChallengeTooShort).with(details)
}

/// The one state that there must be.
fn only(mut states: Vec<Signed<DirectState>>) -> Option<Signed<DirectState>> {
    states.pop().filter(|_| states.is_empty())
}

fn missing_state(channel: ChannelId) -> Refusal {
    Refusal::new(Code::MissingState).with(Details { channel_id: Some(channel), ..Details::default() })
}

/// How much of each token is paid.
fn payments(params: &transfer::Params) -> Result<BTreeMap<Token, Amount>, Refusal> {
    let mut payments = BTreeMap::new();
    for line in &params.allocations {
        if line.amount.is_zero() || payments.insert(line.to_token(), line.amount).is_some() {
            return Err(invalid_amount("allocations"));
        }
    }
    if payments.is_empty() { Err(invalid_amount("allocations")) } else { Ok(payments) }
}

pub(super) fn unknown_token(token: Token) -> Refusal {
    let (chain_id, address) = (Some(token.chain_id), Some(token.address));
    Refusal::new(Code::UnknownToken).with(Details { chain_id, token: address, ..Details::default() })
}

fn unknown_chain(chain_id: ChainId) -> Refusal {
    Refusal::new(Code::UnknownChain).with(Details { chain_id: Some(chain_id), ..Details::default() })
}

pub(super) fn invalid_amount(field: &str) -> Refusal {
    let details = Details { field: Some(field.to_owned()), ..Details::default() };
    Refusal::new(Code::InvalidAmount).with(details)
}
