//! Requests that are served in test mode alone: money from nothing, and an empty book.

use std::collections::BTreeMap;

use domain::primitives::{Amount, Token};
use domain::protocol::method::test_fund;
use domain::protocol::{Code, Details, Refusal};

use super::money::{invalid_amount, unknown_token};
use super::{Caller, Failed, within};
use crate::actors::answer::Answer;
use crate::actors::participant::{FundWallet, Funding};
use crate::actors::supervisor::begin_anew;

impl Caller {
    pub(super) async fn test_fund(&self, params: test_fund::Params) -> Result<Answer, Failed> {
        self.check_time()?;
        let (asked, _) = self.proven_itself(None).await?;
        let to = params.participant;
        if to.is_zero() || to == self.services().broker {
            let details = Details { participant: Some(to), ..Details::default() };
            return Err(Refusal::new(Code::InvalidDestination).with(details).into());
        }
        let (amounts, tokens) = (amounts(&params)?, &self.services().tokens);
        if let Some(token) = amounts.keys().find(|token| !tokens.contains(token)) {
            return Err(unknown_token(*token).into());
        }
        let asked = asked.about(Funding { to, amounts });
        let participant = self.services().participant(self.member).await?;
        Ok(within(participant.send(FundWallet { asked: Box::new(asked) })).await?)
    }

    pub(super) async fn test_reset(&self) -> Result<Answer, Failed> {
        self.check_time()?;
        let (asked, _) = self.proven_itself(None).await?;
        Ok(begin_anew(self.services(), asked).await?)
    }
}

/// How much of each token is made.
fn amounts(params: &test_fund::Params) -> Result<BTreeMap<Token, Amount>, Refusal> {
    let (mut amounts, max) = (BTreeMap::new(), test_fund::amount_max());
    for line in &params.allocations {
        let is_out_of_bounds = line.amount.is_zero() || line.amount > max;
        if is_out_of_bounds || amounts.insert(line.to_token(), line.amount).is_some() {
            return Err(invalid_amount("allocations"));
        }
    }
    if amounts.is_empty() { Err(invalid_amount("allocations")) } else { Ok(amounts) }
}
