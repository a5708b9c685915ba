//! What an operator sees of a broker that runs: readiness and figures over real sockets, and the page about them.

mod figures;
mod log;
mod readiness;
mod stopping;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than an answer takes.
const LIMIT: Duration = Duration::from_secs(20);

/// Asks the broker at the address of this WebSocket URL for a page; returns status and body.
async fn get(ws_url: &str, path: &str) -> (u16, String) {
    let addr: SocketAddr = ws_url.trim_start_matches("ws://").trim_end_matches("/ws").parse().unwrap();
    let asked = async {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: broker\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let answer = timeout(LIMIT, asked).await.expect("no answer");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
