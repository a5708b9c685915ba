//! What the custody contract can be told to do.

use domain::crypto::{DirectParams, Signature};
use domain::primitives::{Address, Amount, ChannelId};
use ethers_core::abi::Token;

use super::artifact::CUSTODY;
use super::record::SignedState;
use super::tokens;
use crate::tx::Call;

/// Something for the custody contract to do. Who sends it decides whose money moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustodyCall {
    /// Adds to an account's available balance, paid by the sender: the coin along with the transaction,
    /// a token by an allowance given before.
    Deposit {
        /// Whose balance grows.
        account: Address,
        /// In which token.
        token: Address,
        /// By how much.
        amount: Amount,
    },
    /// Pays the sender out of its available balance.
    Withdraw {
        /// In which token.
        token: Address,
        /// How much.
        amount: Amount,
    },
    /// Opens a channel; allocation 0 is taken from the sender's available balance. With one signature it
    /// waits for [`CustodyCall::Join`], with two it is active at once.
    Create {
        /// The channel's terms.
        params: DirectParams,
        /// Its first state.
        initial: SignedState,
    },
    /// A deposit for the sender and an opening in one.
    DepositAndCreate {
        /// In which token.
        token: Address,
        /// How much is deposited.
        amount: Amount,
        /// The channel's terms.
        params: DirectParams,
        /// Its first state.
        initial: SignedState,
    },
    /// Activates a channel that side 1 has not signed yet; its allocation is taken from side 1's available
    /// balance.
    Join {
        /// The channel.
        channel_id: ChannelId,
        /// Side 1's signature under the first state.
        signature: Signature,
    },
    /// Hands in a newer state; answers a challenge.
    Checkpoint {
        /// The state.
        candidate: SignedState,
    },
    /// Begins a dispute.
    Challenge {
        /// The state that the contract has, or a newer one.
        candidate: SignedState,
        /// A signature under the challenge with that state, by either participant.
        challenger: Signature,
    },
    /// Changes how much money the channel holds.
    Resize {
        /// The RESIZE.
        candidate: SignedState,
        /// The state of the version before: the one that the contract has, or a newer one.
        proof: SignedState,
    },
    /// Ends a channel by agreement; after the expiry of a challenge, by the state that the contract has,
    /// whatever is handed in.
    Close {
        /// The FINALIZE.
        candidate: SignedState,
    },
}

impl CustodyCall {
    /// The call of the contract at this address, with the coin that goes along.
    #[must_use]
    pub fn to_call(&self, custody: Address) -> Call {
        let (function, arguments, value) = match self {
            Self::Deposit { account, token, amount } => {
                let arguments =
                    vec![tokens::address(*account), tokens::address(*token), tokens::amount(*amount)];
                ("deposit", arguments, coin_part(*token, *amount))
            }
            Self::Withdraw { token, amount } => {
                ("withdraw", vec![tokens::address(*token), tokens::amount(*amount)], Amount::ZERO)
            }
            Self::Create { params, initial } => {
                ("create", vec![tokens::params(params), tokens::state(initial)], Amount::ZERO)
            }
            Self::DepositAndCreate { token, amount, params, initial } => {
                let mut arguments = vec![tokens::address(*token), tokens::amount(*amount)];
                arguments.extend([tokens::params(params), tokens::state(initial)]);
                ("depositAndCreate", arguments, coin_part(*token, *amount))
            }
            Self::Join { channel_id, signature } => {
                /// The only side that can join.
                const SIDE: u64 = 1;
                let id = tokens::channel_id(*channel_id);
                ("join", vec![id, tokens::number(SIDE), tokens::signature(signature)], Amount::ZERO)
            }
            Self::Checkpoint { candidate } => ("checkpoint", with_proofs(candidate, &[]), Amount::ZERO),
            Self::Challenge { candidate, challenger } => {
                let mut arguments = with_proofs(candidate, &[]);
                arguments.push(tokens::signature(challenger));
                ("challenge", arguments, Amount::ZERO)
            }
            Self::Resize { candidate, proof } => {
                ("resize", with_proofs(candidate, std::slice::from_ref(proof)), Amount::ZERO)
            }
            Self::Close { candidate } => ("close", with_proofs(candidate, &[]), Amount::ZERO),
        };
        Call { to: Some(custody), value, data: CUSTODY.call(function, &arguments) }
    }
}

fn with_proofs(candidate: &SignedState, proofs: &[SignedState]) -> Vec<Token> {
    vec![tokens::channel_id(candidate.state.channel_id), tokens::state(candidate), tokens::states(proofs)]
}

/// How much coin goes along when so much of a token is deposited.
fn coin_part(token: Address, amount: Amount) -> Amount {
    if token.is_zero() { amount } else { Amount::ZERO }
}
