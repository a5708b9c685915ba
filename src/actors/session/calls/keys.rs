//! Requests about session keys.

use std::collections::{BTreeMap, BTreeSet};

use domain::participant::{Cap, SessionKey};
use domain::primitives::{Address, Amount};
use domain::protocol::method::delegate_session_key;
use domain::protocol::{Code, Details, Refusal};

use super::rooms::no_states;
use super::{Caller, Failed, within};
use crate::actors::answer::Answer;
use crate::actors::participant::{ChangeKeys, KeyChange};
use crate::actors::request::Asked;
use crate::clock;

impl Caller {
    pub(super) async fn delegate(&self, params: delegate_session_key::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let key = params.session_key;
        let asked = self.proven(&[self.member, key], None).await?;
        if !asked.request.signers().contains(key) {
            let details = Details { participant: Some(key), ..Details::default() };
            return Err(Refusal::new(Code::MissingSignature).with(details).into());
        }
        no_states(&asked)?;
        if params.participant != self.member {
            let details = Details { field: Some("participant".to_owned()), ..Details::default() };
            return Err(Refusal::new(Code::InvalidParams).with(details).into());
        }
        let session_key = self.read(params)?;
        self.change_keys(asked, KeyChange::Delegate { key, session_key }).await
    }

    pub(super) async fn revoke(&self, key: Address) -> Result<Answer, Failed> {
        self.check_time()?;
        let asked = self.proven(&[self.member], None).await?;
        no_states(&asked)?;
        self.change_keys(asked, KeyChange::Revoke { key }).await
    }

    async fn change_keys(&self, asked: Asked<()>, change: KeyChange) -> Result<Answer, Failed> {
        let participant = self.services().participant(self.member).await?;
        Ok(within(participant.send(ChangeKeys { asked: Box::new(asked.about(change)) })).await?)
    }

    /// What the key may do, if it is something that there is.
    fn read(&self, params: delegate_session_key::Params) -> Result<SessionKey, Refusal> {
        let wrong = |field: &str| {
            let details = Details { field: Some(field.to_owned()), ..Details::default() };
            Refusal::new(Code::InvalidParams).with(details)
        };
        let scope: BTreeSet<_> = params.scope.iter().map(|scope| scope.0).collect();
        if scope.is_empty() || scope.len() != params.scope.len() {
            return Err(wrong("scope"));
        }
        let mut caps = BTreeMap::new();
        for line in params.caps {
            if !self.services().assets.contains(&line.asset) {
                let details = Details { asset: Some(line.asset), ..Details::default() };
                return Err(Refusal::new(Code::UnknownToken).with(details));
            }
            if caps.insert(line.asset, Cap { most: line.amount, used: Amount::ZERO }).is_some() {
                return Err(wrong("caps"));
            }
        }
        let application = params.application.map(|application| application.to_string());
        let created_at = clock::now();
        Ok(SessionKey { scope, application, caps, created_at, expires_at: params.expires_at })
    }
}
