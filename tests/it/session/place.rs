//! A broker and its chain, wherever the broker runs: direct channels are opened there.

use std::sync::Arc;

use clearnet::devnet::{LocalChain, Participant};
use domain::crypto::SigningKey;
use domain::primitives::{Address, Amount, Token};
use domain::protocol::method::create_channel;
use serde_json::json;

use super::ask::{Ask, Direct};
use super::socket::Socket;

const COIN: u128 = 1_000_000_000_000_000_000;

pub(crate) struct Place<'w> {
    pub(crate) chain: &'w LocalChain,
    pub(crate) token: Token,
    pub(crate) broker: Address,
    pub(crate) url: &'w str,
}

impl Place<'_> {
    /// Opens a direct channel and waits until it counts.
    pub(crate) async fn open(
        &self,
        key: impl Fn() -> SigningKey,
        locked: u128,
        challenge_secs: Option<u64>,
    ) -> Direct {
        let mut session = Socket::connect(self.url).await;
        session.log_in(&key()).await;
        let params = json!({"chain_id": self.token.chain_id, "token": self.token.address,
            "amount": locked.to_string(), "challenge": challenge_secs});
        let answer = session.ask(&Ask::new(self.broker, "create_channel", &params).frame()).await;
        let reply: create_channel::Reply =
            serde_json::from_value(answer["data"]["res"][2].clone()).unwrap_or_else(|_| panic!("{answer}"));
        let terms = reply.channel.on_chain(self.token.chain_id);
        let hands = hands(self.chain, self.token, key(), locked).await;
        let (key, token) = (Arc::new(key()), self.token.address);
        let direct = Direct { key, params: terms.clone(), token, locked, version: 0, part: locked };
        let state = reply.state.of_channel(reply.channel_id);
        let signatures = [direct.key.sign(state.hash()), reply.server_signature];
        hands.open_channel(terms, state, signatures).await.unwrap();
        let id = direct.id().to_string();
        session
            .news(|news| {
                let channel = &news["data"]["res"][2]["channel"];
                channel["channel_id"] == id.as_str() && channel["status"] == "open"
            })
            .await;
        direct
    }
}

/// What a participant does on chain, with tokens to do it.
pub(crate) async fn hands(chain: &LocalChain, token: Token, key: SigningKey, tokens: u128) -> Participant {
    chain.give_coin(key.address(), Amount::from(COIN)).await.unwrap();
    chain.give_tokens(token.address, key.address(), Amount::from(tokens)).await.unwrap();
    chain.participant(key)
}
