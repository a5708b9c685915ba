use domain::primitives::ChannelId;
use futures::StreamExt as _;

use super::*;
use crate::actors::samples;

async fn services() -> Arc<Services> {
    samples::services(clock::now()).await.0
}

#[actix::test]
async fn who_does_not_exist_is_looked_for_once() {
    let services = services().await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    let owner = OwnerId::Channel(ChannelId::from_bytes([7; 32]));
    assert!(matches!(services.owner(owner).await, Err(Refused::NotFound { .. })));
    // Whoever looked again would end this incarnation, and close its stream.
    let (_, mut told) = services.journal.register(Author::Owner(owner)).await.unwrap();
    let looked_again = tokio::time::timeout(3 * REBIRTH_DELAY, told.next()).await;
    assert!(looked_again.is_err(), "loaded again and again: {looked_again:?}");
}

#[actix::test]
async fn who_has_ended_is_loaded_again() {
    let services = services().await;
    SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    let address = domain::primitives::Address::from_bytes([7; 20]);
    let first = services.participant(address).await.unwrap();
    // A new incarnation ends the actor's; the supervisor brings it back and ends this one.
    let author = Author::Owner(OwnerId::Participant(address));
    let (_, mut told) = services.journal.register(author).await.unwrap();
    assert_eq!(told.next().await, None);
    assert!(!first.connected());
}

/// Makes a supervisor panic.
#[derive(Message)]
#[rtype(result = "()")]
struct Panic;

impl Handler<Panic> for SupervisorActor {
    type Result = ();

    fn handle(&mut self, _: Panic, _: &mut Context<Self>) {
        panic!("as the test wants it");
    }
}

#[actix::test]
async fn a_supervisor_that_panics_is_followed_by_another() {
    let services = services().await;
    let first = SupervisorActor::open(Arc::clone(&services)).await.unwrap();
    let address = domain::primitives::Address::from_bytes([7; 20]);
    let participant = services.participant(address).await.unwrap();
    first.send(Panic).await.unwrap_err();
    let other = domain::primitives::Address::from_bytes([8; 20]);
    let loaded = async {
        while services.participant(other).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(20 * REBIRTH_DELAY, loaded).await.expect("owners are loaded again");
    assert!(participant.connected(), "who lived lives on");
    assert!(services.directory.supervisor().is_some_and(|addr| addr != first));
}
