use domain::crypto::{RequestText, Signed, Signers, SigningKey};
use domain::ledger::{AccountKey, Cause, Entry, EventKey, Transfer, TransferKind};
use domain::participant::{AssetOf, Cap, KeyUse, Scope, SessionKey};
use domain::primitives::{ChainId, ChannelId};
use futures::StreamExt as _;

use super::*;
use crate::actors::journal::{Author, Commit, Ticket};
use crate::actors::request::Request;
use crate::actors::samples;
use crate::actors::supervisor::SupervisorActor;

#[actix::test]
async fn sessions_of_a_participant_that_is_rebuilt_hear_of_it() {
    let (services, _) = samples::services(clock::now()).await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    let address = Address::from_bytes([7; 20]);
    let participant = services.participant(address).await.unwrap();
    let (tell, told) = samples::listener();
    participant.send(Attach { session: SessionId::random(), tell, key: None }).await.unwrap().unwrap();
    let author = Author::Owner(OwnerId::Participant(address));
    let (_registered, _told) = services.journal.register(author).await.unwrap();
    samples::until(|| !told.lock().unwrap().is_empty()).await;
    assert!(matches!(told.lock().unwrap()[..], [Push::ParticipantEnded]));
}

fn alice() -> SigningKey {
    SigningKey::from_bytes([2; 32]).unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_bytes([3; 32]).unwrap()
}

fn token() -> Token {
    Token { chain_id: ChainId::new(1), address: Address::from_bytes([7; 20]) }
}

fn five() -> BTreeMap<(Address, Token), Amount> {
    BTreeMap::from([((alice().address(), token()), 5_u64.into())])
}

/// A request of Alice by this id.
fn asked(services: &Services, id: u64, change: KeyChange) -> Box<Asked<KeyChange>> {
    let text = RequestText::new(services.broker, &format!("[{id},\"any\",{{}},1]"));
    let signature = alice().sign(text.hash());
    let request = Request { text, id, at: clock::now() };
    let request = Signed::verify_carrying(request, &[signature], &[], &[alice().address()]).unwrap();
    Box::new(Asked { by: alice().address(), request, states: Vec::new(), params: change })
}

/// Who has signed a request for Alice: her key, or she herself.
fn signers(by_key: bool) -> Signers {
    let text = RequestText::new(Address::ZERO, "[1,\"any\",{},1]");
    let signature = if by_key { key() } else { alice() }.sign(text.hash());
    let delegates = [(key().address(), alice().address())].into_iter().collect();
    Signed::verify_for(text, &[signature], &[alice().address()], &delegates).unwrap().into_parts().1
}

/// Alice with 20 on her wallet, and a key that may spend 20.
async fn with_key() -> (Arc<Services>, Addr<ParticipantActor>) {
    let asset = || "usd".parse().unwrap();
    let of = AssetOf { asset: asset(), token_decimals: 6, asset_decimals: 6 };
    let (mut services, _) = samples::services(clock::now()).await;
    Arc::get_mut(&mut services).unwrap().assets = [(token(), of)].into_iter().collect();
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    let entry = |account, side| Entry::new(account, side, 20_u64.into()).unwrap();
    let wallet = AccountKey::wallet(alice().address(), token());
    let came = vec![entry(AccountKey::custody(token()), Side::Debit), entry(wallet, Side::Credit)];
    let hash = Digest::from_bytes([1; 32]);
    let (chain_id, block_hash, tx_hash) = (token().chain_id, hash, hash);
    let cause = Cause::Chain(EventKey { chain_id, block_hash, tx_hash, log_index: 0 });
    let came = Transfer::new(TransferKind::ChannelOpened, cause, clock::now(), came).unwrap();
    let author = Author::Owner(OwnerId::Channel(ChannelId::from_bytes([9; 32])));
    let (registered, mut told) = services.journal.register(author).await.unwrap();
    let mut commit = Commit::new(author, registered.incarnation, Ticket(1));
    commit.transfers.push(came);
    services.journal.hand_over(commit).unwrap();
    assert!(matches!(told.next().await, Some(FromJournal::Durable { .. })));
    let participant = services.participant(alice().address()).await.unwrap();
    let now = clock::now();
    let session_key = SessionKey {
        scope: Scope::ALL.into_iter().collect(),
        application: None,
        caps: BTreeMap::from([(asset(), Cap { most: 20_u64.into(), used: Amount::ZERO })]),
        created_at: now,
        expires_at: now.plus_millis(3_600_000),
    };
    let change = KeyChange::Delegate { key: key().address(), session_key };
    participant.send(ChangeKeys { asked: asked(&services, 1, change) }).await.unwrap().unwrap();
    (services, participant)
}

/// Five of Alice's are held for a request of this number, by her key or by herself.
async fn held(services: &Services, number: u8, by_key: bool) -> Result<Preparation, Refused> {
    let mut preparation = Preparation::begin();
    let usage = KeyUse::Room { application: String::new() };
    let signers = signers(by_key);
    let hash = Digest::from_bytes([number; 32]);
    preparation.debits(services, &five(), hash, (&signers, &usage)).await?;
    Ok(preparation)
}

/// Five of Alice's go somewhere else, as the preparation allows.
async fn spend(services: &Services, preparation: Preparation) {
    let channel = ChannelId::from_bytes([8; 32]);
    let author = Author::Owner(OwnerId::Channel(channel));
    let (registered, mut told) = services.journal.register(author).await.unwrap();
    let mut commit = Commit::new(author, registered.incarnation, Ticket(1));
    let entry = |account, side| Entry::new(account, side, 5_u64.into()).unwrap();
    let wallet = |address| AccountKey::wallet(address, token());
    let to = wallet(Address::from_bytes([6; 20]));
    let entries = vec![entry(wallet(alice().address()), Side::Debit), entry(to, Side::Credit)];
    let cause = Cause::Timer(channel, clock::now());
    commit.transfers.push(Transfer::new(TransferKind::Payment, cause, clock::now(), entries).unwrap());
    preparation.spend(&mut commit);
    services.journal.hand_over(commit).unwrap();
    let word = told.next().await;
    assert!(matches!(word, Some(FromJournal::Durable { .. })), "{word:?}");
}

fn is_busy<T>(outcome: &Result<T, Refused>) -> bool {
    matches!(outcome, Err(Refused::Participant(domain::participant::ParticipantError::Key(_))))
}

#[actix::test]
async fn a_hold_of_the_same_amount_does_not_take_the_place_of_that_of_a_key() {
    let (services, _participant) = with_key().await;
    let by_key = held(&services, 1, true).await.unwrap();
    let by_herself = held(&services, 2, false).await.unwrap();
    assert!(is_busy(&held(&services, 3, true).await), "one use of a key at a time");
    spend(&services, by_herself).await;
    drop(by_key);
    let again = held(&services, 4, true).await.unwrap();
    spend(&services, again).await;
    let stored = services.store.load(OwnerId::Participant(alice().address())).await.unwrap().state.unwrap();
    let keys = SessionKeys::from_stored(&stored.body).unwrap();
    let left: Vec<_> =
        keys.live(key().address(), clock::now()).unwrap().caps.values().map(Cap::left).collect();
    assert_eq!(left, [15_u64.into()], "what the key has spent is counted, and nothing else");
}

#[actix::test]
async fn the_end_of_a_key_waits_for_one_use_of_it_and_goes_before_the_next() {
    let (services, participant) = with_key().await;
    let by_key = held(&services, 1, true).await.unwrap();
    let change = KeyChange::Revoke { key: key().address() };
    let ended = participant.send(ChangeKeys { asked: asked(&services, 2, change) });
    let use_again = async {
        assert!(is_busy(&held(&services, 2, true).await), "the end goes first");
        drop(by_key);
    };
    let (ended, ()) = futures::future::join(ended, use_again).await;
    ended.unwrap().unwrap();
    assert!(is_busy(&held(&services, 3, true).await), "the key has ended");
    spend(&services, held(&services, 4, false).await.unwrap()).await;
}
