//! Wallet money on its way to a chain, and what the chain does with it.

use domain::ledger::OwnerId;
use domain::primitives::Address;
use futures::future::join_all;
use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use tokio::task::yield_now;

use super::cast::{ADJUDICATOR, Draft, PEOPLE, TOKENS, broker, person, terms, token};
use super::model::{Channel, Life};
use super::play::Play;
use super::world::Happening;

impl Play<'_> {
    /// Somebody settles, mostly what can be settled; now and then with a first state of another amount, somebody
    /// else's signature, terms that never count, or a channel that is there already.
    pub(super) async fn settle(&mut self, is_interrupted: bool) {
        let by = self.anybody();
        let (of, mut amount) = self.sum_of(by);
        let free = self.model.free.get(&of).copied().unwrap_or_default();
        if free > 0 && self.rng.random_bool(0.8) {
            amount = amount.min(free);
        }
        let (mut locked, mut signer, mut adjudicator) = (amount, by, ADJUDICATOR);
        match self.rng.random_range(0..20) {
            0 => locked += 1,
            1 => locked = free,
            2 => signer = (by + 1) % PEOPLE,
            3 => adjudicator = Address::from_bytes([0xEE; 20]),
            4 => amount = 0,
            // What the contract still has, but has been promised.
            5..=7 => (amount, locked) = (free + 1, free + 1),
            _ => {}
        }
        let mut params = terms(by, of, self.next(), adjudicator);
        if let (0, Some(other)) = (self.rng.random_range(0..12), self.model.channels.choose(&mut self.rng))
            && (other.owner, other.token) == (by, of)
        {
            params = other.params.clone();
        }
        let channel =
            Channel { params, owner: by, token: of, locked, part: 0, version: 0, life: Life::Announced };
        let expected = self.model.settle(channel.clone(), amount, signer);
        let expected = expected.filter(|_| adjudicator == ADJUDICATOR);
        let usurped = is_interrupted.then(|| match self.rng.random_range(0..3) {
            0 => OwnerId::Participant(person(by)),
            1 => OwnerId::Network(token(of).chain_id),
            _ => OwnerId::Channel(channel.params.channel_id()),
        });
        let draft = Draft::new(self.next());
        self.expect(draft.settle(&channel, amount, signer), expected, usurped).await;
    }

    /// Everybody settles on one chain at the same time, as much as there is for all of them.
    pub(super) async fn settle_together(&mut self) {
        let of = self.rng.random_range(0..TOKENS);
        let (mut asks, mut model) = (Vec::new(), self.model.clone());
        for by in 0..PEOPLE {
            let wallet = model.wallets.get(&(by, of)).copied().unwrap_or_default();
            let most = wallet.min(model.free.get(&of).copied().unwrap_or_default());
            if most == 0 {
                continue;
            }
            let locked = self.rng.random_range(1..=most);
            let params = terms(by, of, self.next(), ADJUDICATOR);
            let channel =
                Channel { params, owner: by, token: of, locked, part: 0, version: 0, life: Life::Announced };
            model = model.settle(channel.clone(), locked, by).expect("there is enough");
            asks.push((Draft::new(self.next()).settle(&channel, locked, by), model.clone()));
        }
        let answers = join_all(asks.iter().map(|(ask, _)| self.world.ask(ask))).await;
        for ((ask, model), answer) in asks.into_iter().zip(answers) {
            self.taken(ask, answer.unwrap(), model).await;
        }
        // And what is left is promised to nobody twice.
        self.settle(false).await;
    }

    /// A chain includes the next creation that it was sent: it succeeds, fails, or comes after the owner's own.
    pub(super) async fn chain_goes_on(&mut self) {
        let is_announced = |channel: &Channel| channel.life == Life::Announced;
        let Some(any) = self.model.channels.iter().find(|channel| is_announced(channel)) else { return };
        let chain = std::sync::Arc::clone(&self.chains[&any.params.chain_id]);
        let id = tokio::time::timeout(super::world::PATIENCE, async {
            loop {
                if let Some(id) = chain.next() {
                    return id;
                }
                yield_now().await;
            }
        });
        let id = id.await.expect("what was decided is sent");
        let place = self.model.channels.iter().position(|channel| channel.params.channel_id() == id);
        let place = place.expect("only what was asked for is sent");
        let channel = self.model.channels[place].clone();
        assert!(is_announced(&channel), "what is sent is set aside for: {channel:?}");
        let fate = self.rng.random_range(0..4);
        if fate == 0 {
            // The owner was faster: the contract takes no second channel of the same terms.
            chain.create(channel.params.clone(), token(channel.token).address, channel.locked);
            self.made_by(person(channel.owner), &channel).await;
            self.model = self.model.created_by_owner(place);
            self.tally.refunded += 1;
        }
        if chain.include(token(channel.token).address, channel.locked, fate > 1) {
            self.made_by(broker(), &channel).await;
            self.model = self.model.executed(place);
            self.tally.executed += 1;
        } else if fate == 1 {
            self.model = self.model.refunded(place);
            self.tally.refunded += 1;
        }
        self.world.sender_is_done(channel.params.chain_id, id).await;
    }

    async fn made_by(&mut self, wallet: Address, channel: &Channel) {
        let happened = Happening::opened_by(wallet, self.next(), channel);
        self.next();
        assert!(self.world.happened(&happened).await, "an event is news");
        self.told.push(happened.to_vec());
    }
}
