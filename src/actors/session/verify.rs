//! Who signed what: proven once, here, before an owner is asked.

use std::sync::Arc;

use domain::crypto::{CustodyDomain, DirectState, Signed, VerifyError};
use domain::ledger::OwnerId;
use domain::participant::KeyUse;
use domain::primitives::{Address, ChainId};
use domain::protocol::{self, CarriedState, Code, Details, Refusal};

use super::keys::Keys;
use crate::actors::journal::NoPermit;
use crate::actors::request::{Asked, Refused, Request};
use crate::actors::services::Services;
use crate::clock;
use crate::store::StateKind;
use domain::channel::direct::DirectChannel;

/// Refuses a repeat, and what is out of time, before any signature is looked at.
///
/// # Errors
/// [`Refused::NoPermit`].
pub(super) fn check_time(
    services: &Services,
    by: Address,
    request: &protocol::Request,
) -> Result<(), Refused> {
    let hash = request.text(services.broker).hash();
    let refusal: Option<NoPermit> = services.journal.permits().refusal(request.key(by), hash, clock::now());
    refusal.map_or(Ok(()), |refusal| Err(refusal.into()))
}

/// Proves the signatures under carried states, each by one of `expected`. `new_on` is the chain of a channel that nobody
/// knows yet, where the request names one.
///
/// # Errors
/// The first that proves nothing, as [`VerifyError`].
pub(super) async fn states(
    services: &Services,
    carried: &[CarriedState],
    expected: &[Address],
    new_on: Option<ChainId>,
) -> Result<Vec<Signed<DirectState>>, Refusal> {
    let of_new = new_on.and_then(|chain_id| services.terms_of(chain_id)).map(|terms| terms.custody);
    let mut proven = Vec::with_capacity(carried.len());
    for state in carried {
        let body = state.to_direct();
        let expected_digest = body.hash();
        let signed = match Signed::verify(body.clone(), &[state.sig], expected) {
            Ok(signed) => Ok(signed),
            // It may be signed as the custody contract's typed data, which names the contract.
            Err(error) => {
                let custody = match of_new {
                    Some(custody) => Some(custody),
                    None => custody_of(services, state, expected).await?,
                };
                custody
                    .map_or(Err(error), |custody| Signed::verify_on(&custody, body, &[state.sig], expected))
            }
        };
        proven.push(signed.map_err(|error| Refusal::of_signatures(&error, expected_digest))?);
    }
    Ok(proven)
}

/// Proves who signed a request: signatures, or carried states that hold its hash, by members of `expected` or their
/// session keys as far as those may; who asks must be among them.
///
/// # Errors
/// The first that proves nothing; `session_key_forbidden`; `missing_signature` when who asks has not signed.
pub(super) async fn asked(
    services: &Services,
    by: Address,
    request: &protocol::Request,
    states: Vec<Signed<DirectState>>,
    (expected, usage): (&[Address], Option<&KeyUse>),
) -> Result<Asked<()>, Refusal> {
    let text = request.text(services.broker);
    let expected_digest = text.hash();
    let body = |text| Request { text, id: request.id().get(), at: request.at() };
    let missing = || {
        let (expected_digest, participant) = (Some(expected_digest), Some(by));
        let details = Details { expected_digest, participant, ..Details::default() };
        Refusal::new(Code::MissingSignature).with(details)
    };
    let signed = match Signed::verify_carrying(body(text), request.signatures(), &states, expected) {
        Err(error @ VerifyError::UnknownSigner { .. }) => {
            let keys = Keys::of(services, expected).await?;
            let (now, signatures) = (clock::now(), request.signatures());
            let delegates = keys.delegates(now);
            if delegates.is_empty() {
                return Err(Refusal::of_signatures(&error, expected_digest));
            }
            let body = body(request.text(services.broker));
            let signed = Signed::verify_carrying_for(body, signatures, &states, expected, &delegates);
            let signed = signed.map_err(|error| Refusal::of_signatures(&error, expected_digest))?;
            keys.check(signed.signers(), usage, now)?;
            signed
        }
        Ok(signed) => signed,
        Err(VerifyError::NoSignature { .. }) => return Err(missing()),
        Err(error) => return Err(Refusal::of_signatures(&error, expected_digest)),
    };
    if !signed.signers().contains(by) {
        return Err(missing());
    }
    Ok(Asked { by, request: signed, states, params: () })
}

/// The custody contract of the chain of a channel that is one of theirs: of others nothing is told, not even whether
/// there are any.
async fn custody_of(
    services: &Services,
    carried: &CarriedState,
    expected: &[Address],
) -> Result<Option<CustodyDomain>, Refusal> {
    let stored = services.store.load(OwnerId::Channel(carried.channel_id)).await;
    let state = stored.map_err(|_| Refusal::new(Code::Unavailable))?.state;
    let Some(row) = state.filter(|row| row.kind == StateKind::Direct) else { return Ok(None) };
    let chain = DirectChannel::stored_chain(&row.body).ok();
    let Some(terms) = chain.and_then(|chain_id| services.terms_of(chain_id)) else { return Ok(None) };
    let channel = DirectChannel::decode(carried.channel_id, Arc::clone(&terms), &row.body).ok();
    let is_theirs =
        channel.and_then(|channel| channel.owner()).is_some_and(|owner| expected.contains(&owner));
    Ok(is_theirs.then(|| terms.custody))
}
