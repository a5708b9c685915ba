use super::*;
use crate::actors::journal::Author;
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
