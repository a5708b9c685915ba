//! What the custody contract answers.

use domain::primitives::{ChainId, ChannelId};
use ethers_core::abi::Token;

use super::record::{ChannelStatus, OnChainChannel};
use super::tokens;

/// The contract's number for a channel that is not there.
const STATUS_VOID: u64 = 0;

/// Reads the answer to `getChannelData`; inside, `None` when the contract has no such channel. `None`
/// outside when the answer is not of that form or of another channel.
pub(crate) fn channel(
    id: ChannelId,
    answer: Vec<Token>,
    chain_id: ChainId,
) -> Option<Option<OnChainChannel>> {
    let [params, status, wallets, expiry, state] = answer.try_into().ok()?;
    let status = match tokens::into_number(status)? {
        STATUS_VOID => return Some(None),
        1 => ChannelStatus::Initial,
        2 => ChannelStatus::Active,
        3 => ChannelStatus::Dispute,
        _ => return None,
    };
    let params = tokens::into_params(params, chain_id)?;
    if params.channel_id() != id {
        return None;
    }
    let [creator, _] = tokens::into_list(wallets)?;
    let expiry = tokens::into_secs(expiry)?;
    Some(Some(OnChainChannel {
        params,
        status,
        creator: tokens::into_address(creator)?,
        challenge_expires_at_secs: (status == ChannelStatus::Dispute).then_some(expiry),
        last_valid_state: tokens::into_state(state)?,
    }))
}
