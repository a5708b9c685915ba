//! Between clients and broker: counts the messages and says when the broker is to be killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::{Kill, Passed};

/// What the connections of one run share.
#[derive(Debug)]
pub(crate) struct Counter {
    kill: Kill,
    requests: AtomicUsize,
    answers: AtomicUsize,
    /// Set when the broker is to be killed.
    pub(crate) killing: watch::Sender<bool>,
    /// Where the broker listens; none while it is dead.
    pub(crate) broker: watch::Sender<Option<String>>,
}

impl Counter {
    pub(crate) fn new(kill: Kill) -> Arc<Self> {
        let (requests, answers) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (killing, broker) = (watch::Sender::new(false), watch::Sender::new(None));
        Arc::new(Self { kill, requests, answers, killing, broker })
    }

    pub(crate) fn passed(&self) -> Passed {
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        Passed { requests: count(&self.requests), answers: count(&self.answers) }
    }
}

/// Listens; every connection is passed on to where the broker is at that time.
pub(crate) async fn listen(counter: Arc<Counter>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    actix_rt::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let broker = counter.broker.borrow().clone();
            let Some(broker) = broker else { continue };
            let Ok(broker) = TcpStream::connect(&broker).await else { continue };
            let ((from_client, to_client), (from_broker, to_broker)) =
                (client.into_split(), broker.into_split());
            actix_rt::spawn(pass(from_client, to_broker, Arc::clone(&counter), true));
            actix_rt::spawn(pass(from_broker, to_client, Arc::clone(&counter), false));
        }
    });
    url
}

/// Passes one direction on, message by message, until it ends or the broker is killed.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, counter: Arc<Counter>, is_request: bool) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut bytes).await else { return };
        let passed = if is_request { &counter.requests } else { &counter.answers };
        let number = passed.fetch_add(1, Ordering::SeqCst) + 1;
        if !is_request && counter.kill == Kill::BeforeAnswer(number) {
            counter.killing.send_replace(true);
            return;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
        if is_request && counter.kill == Kill::AfterRequest(number) {
            counter.killing.send_replace(true);
        }
    }
}
