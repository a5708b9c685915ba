//! The methods that take more than parameters: what we sign in them, and what we check in their answers.
//!
//! All others are [`Client::call`] with their parameters.

use domain::crypto::{DirectState, Intent};
use domain::primitives::{Address, Amount, ChainId, ChannelId, Token, Version};
use domain::protocol::method::{
    close_app_session, close_channel, create_app_session, create_channel, get_config, get_ledger_balances,
    settle, submit_app_state, transfer, update_state,
};
use domain::protocol::{
    ChannelTerms, PAGE_MAX, PageSize, Request, State, StateAllocation, StateData, TokenAmount, Uint53,
};

use crate::client::{Agreement, Client, Part, together};
use crate::cosigned::{Cosigned, carried};
use crate::error::ClientError;
use crate::random;

impl Client {
    /// Who the broker is and on which chains.
    ///
    /// # Errors
    /// Those of [`Client::send`].
    pub async fn config(&mut self) -> Result<get_config::Reply, ClientError> {
        self.call(&get_config::Params {}, &[]).await
    }

    /// Our accounts that are not empty, all of them.
    ///
    /// # Errors
    /// Those of [`Client::send`].
    pub async fn balances(&mut self) -> Result<Vec<get_ledger_balances::Balance>, ClientError> {
        let limit = PageSize::new(PAGE_MAX);
        let (mut balances, mut cursor) = (Vec::new(), None);
        loop {
            let params = get_ledger_balances::Params { account_id: None, limit, cursor };
            let page = self.call(&params, &[]).await?;
            balances.extend(page.ledger_balances);
            cursor = page.cursor;
            if cursor.is_none() {
                return Ok(balances);
            }
        }
    }

    /// Pays. What `parts` give up pays first, the rest comes from our wallet account.
    ///
    /// # Errors
    /// Those of [`Client::call`].
    pub async fn transfer(
        &mut self,
        destination: Address,
        allocations: Vec<TokenAmount>,
        parts: &[Part],
    ) -> Result<transfer::Reply, ClientError> {
        self.call(&transfer::Params { destination, allocations }, parts).await
    }

    /// Moves money between our wallet account and our direct channels, so that these parts are ours afterwards.
    ///
    /// # Errors
    /// Those of [`Client::call`].
    pub async fn update(&mut self, parts: &[Part]) -> Result<update_state::Reply, ClientError> {
        self.call(&update_state::Params {}, parts).await
    }

    /// Moves wallet money into our part of a direct channel, where we can enforce it alone.
    ///
    /// # Errors
    /// [`ClientError::PartTooLarge`] when the broker's part is smaller; those of [`Client::update`].
    pub async fn anchor(
        &mut self,
        channel_id: ChannelId,
        amount: Amount,
    ) -> Result<update_state::Reply, ClientError> {
        let newest = self.channel(channel_id).await?;
        // More than there can be is more than is locked, and refused as such.
        let amount = newest.part().checked_add(amount).unwrap_or(Amount::MAX);
        self.update(&[Part { channel_id, amount }]).await
    }

    /// Gets both signatures under the first state of a direct channel with `amount` in it, all ours. The channel
    /// counts when we have brought it on chain with them and it is confirmed: the broker tells.
    ///
    /// # Errors
    /// Those of [`Client::send`]; [`ClientError::OtherState`] when the broker offers another channel than this.
    pub async fn create_channel(&mut self, token: Token, amount: Amount) -> Result<Cosigned, ClientError> {
        let params = create_channel::Params {
            chain_id: token.chain_id,
            token: token.address,
            amount,
            challenge: None,
        };
        let reply = self.call(&params, &[]).await?;
        let terms = reply.channel.on_chain(token.chain_id);
        let state = reply.state.of_channel(reply.channel_id);
        if reply.state != self.initial_state(token, amount) {
            return Err(ClientError::OtherState { channel_id: reply.channel_id });
        }
        let ours = self.key().sign(state.hash());
        Cosigned::verify(self.us(), terms, state, [ours, reply.server_signature])
    }

    /// Agrees on the end of a direct channel. The state that is returned closes it on chain.
    ///
    /// # Errors
    /// Those of [`Client::channel`] and [`Client::send`].
    pub async fn close_channel(&mut self, channel_id: ChannelId) -> Result<Cosigned, ClientError> {
        let newest = self.channel(channel_id).await?;
        let (params, part) = (newest.params.clone(), newest.part());
        let last = newest.next(Intent::Finalize, part, Vec::new())?;
        let request = self.request(&close_channel::Params { channel_id });
        let request = self.signed_beside(request, &last);
        let (_, states) = self.send_for_states::<close_channel::Params>(&request).await?;
        let finalize = states.first().ok_or(ClientError::NotCountersigned { channel_id })?;
        Cosigned::verify(self.us(), params, last, finalize.signatures)
    }

    /// Asks the broker to bring wallet money on chain, in a direct channel of ours that it creates. How far that has
    /// come is told by [`settlement`](domain::protocol::notification::Notification::Settlement).
    ///
    /// # Errors
    /// [`ClientError::UnknownNetwork`]; those of [`Client::send`].
    pub async fn settle(&mut self, token: Token, amount: Amount) -> Result<ChannelId, ClientError> {
        let channel = self.terms_on(token.chain_id).await?;
        let channel_id = channel.on_chain(token.chain_id).channel_id();
        let first = self.initial_state(token, amount).of_channel(channel_id);
        let params = settle::Params { chain_id: token.chain_id, token: token.address, amount, channel };
        let request = self.request(&params);
        let request = self.signed_beside(request, &first);
        let reply = self.send::<settle::Params>(&request).await?;
        if reply.channel_id == channel_id {
            Ok(channel_id)
        } else {
            Err(ClientError::OtherState { channel_id })
        }
    }

    /// Opens a virtual channel by a request with which all members [agree](Client::agree).
    ///
    /// # Errors
    /// Those of [`Client::send`].
    pub async fn open_virtual_channel(
        &mut self,
        request: Request,
        agreements: impl IntoIterator<Item = Agreement>,
    ) -> Result<create_app_session::Reply, ClientError> {
        self.send::<create_app_session::Params>(&together(request, agreements)).await
    }

    /// Hands in a state of a virtual channel that members with the quorum have [approved](Client::approve). `parts` are
    /// what should be ours in direct channels afterwards, where money of ours comes in or goes out; money of others
    /// comes in only if they [agree](Client::agree) with the request too.
    ///
    /// # Errors
    /// Those of [`Client::call`].
    pub async fn submit(
        &mut self,
        params: &submit_app_state::Params,
        parts: &[Part],
    ) -> Result<submit_app_state::Reply, ClientError> {
        self.call(params, parts).await
    }

    /// Ends a virtual channel by a state that members with the quorum have [approved](Client::approve). What we get
    /// goes to the direct channels of `parts`, the rest to our wallet account.
    ///
    /// # Errors
    /// Those of [`Client::call`].
    pub async fn close_virtual_channel(
        &mut self,
        params: &close_app_session::Params,
        parts: &[Part],
    ) -> Result<close_app_session::Reply, ClientError> {
        self.call(params, parts).await
    }

    /// Terms of a channel of ours that never was.
    async fn terms_on(&mut self, chain_id: ChainId) -> Result<ChannelTerms, ClientError> {
        let config = self.config().await?;
        let network = config.networks.into_iter().find(|network| network.chain_id == chain_id);
        let network = network.ok_or(ClientError::UnknownNetwork { chain_id })?;
        // A challenge above 2^53 - 1 seconds is none that any chain has.
        let challenge = Uint53::new(network.challenge_min).unwrap_or(Uint53::MAX);
        Ok(ChannelTerms {
            participants: self.us(),
            adjudicator: network.adjudicator_address,
            challenge,
            nonce: random::nonce(),
        })
    }

    /// INITIALIZE [amount, 0].
    fn initial_state(&self, token: Token, amount: Amount) -> State {
        let [us, broker] = self.us();
        let line = |destination, amount| StateAllocation { destination, token: token.address, amount };
        State {
            intent: Intent::Initialize,
            version: Version::ZERO,
            data: StateData::default(),
            allocations: [line(us, amount), line(broker, Amount::ZERO)],
        }
    }

    /// A request signed itself, with a state of ours that has no room for its hash.
    fn signed_beside(&self, request: Request, state: &DirectState) -> Request {
        let signature = self.key().sign(request.text(self.broker()).hash());
        let states = vec![carried(state, self.key().sign(state.hash()))];
        together(request, [Agreement { signature: Some(signature), states }])
    }
}
