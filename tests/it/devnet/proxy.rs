//! A wire that can be cut: a small TCP proxy.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What happens to connections, those that stand included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Bytes go through, to this port of this machine.
    To(u16),
    /// Connections are closed at once.
    Cut,
    /// Connections stand and nothing goes through: the other end is gone and nobody says so.
    Silent,
}

/// Listens on a free port until it is dropped.
pub(crate) struct Proxy {
    port: u16,
    wire: watch::Sender<Wire>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    pub(crate) async fn start(wire: Wire) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (wire, seen) = watch::channel(wire);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                connections.spawn(carry(client, seen.clone()));
            }
        });
        Self { port, wire, _tasks: tasks }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    pub(crate) fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }
}

/// Carries one connection for as long as the wire is not changed, and afterwards closes or silences it.
async fn carry(mut client: TcpStream, mut wire: watch::Receiver<Wire>) {
    let now = *wire.borrow_and_update();
    let Wire::To(port) = now else {
        return end(client, now, wire).await;
    };
    let Ok(mut server) = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = wire.changed() => {
            let now = *wire.borrow_and_update();
            end(client, now, wire).await;
        }
    }
}

/// Drops the connection; a silent one only when the wire changes again.
async fn end(client: TcpStream, now: Wire, mut wire: watch::Receiver<Wire>) {
    if now == Wire::Silent {
        let _ = wire.changed().await;
    }
    drop(client);
}
