//! A connection whose bytes are written by hand.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::super::world::World;

/// A frame with a mask of zero.
pub(super) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match u16::try_from(payload.len()) {
        Ok(short @ 0..126) => bytes.push(0x80 | u8::try_from(short).unwrap()),
        Ok(long) => {
            bytes.push(0xfe);
            bytes.extend_from_slice(&long.to_be_bytes());
        }
        Err(_) => {
            bytes.push(0xff);
            bytes.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(payload);
    bytes
}

/// A connection whose bytes are written by hand.
pub(super) struct Raw {
    pub(super) stream: TcpStream,
}

impl Raw {
    pub(super) async fn connect(world: &World) -> Self {
        let host = world.url.trim_start_matches("ws://").trim_end_matches("/ws");
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        Self { stream }
    }

    pub(super) async fn log_in(world: &World, label: &str) -> Self {
        use domain::crypto::{LoginText, Signable as _};
        let mut raw = Self::connect(world).await;
        raw.text().await;
        raw.send(&masked(0x81, br#"{"type":"auth"}"#)).await;
        let challenge: Value = serde_json::from_str(&raw.text().await).unwrap();
        let text: LoginText = challenge["data"]["message"].as_str().unwrap().parse().unwrap();
        let key = world.key(label);
        let auth = json!({"type": "auth", "pub_key": key.public_key().to_string(), "message": text.to_string(),
            "signature": key.sign(text.digests().first()).to_string()});
        raw.send(&masked(0x81, auth.to_string().as_bytes())).await;
        let answer: Value = serde_json::from_str(&raw.text().await).unwrap();
        assert_eq!(answer["type"], "auth_success", "{answer}");
        raw
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next frame: its kind and what is in it; `None` when the stream has ended.
    async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let limit = std::time::Duration::from_secs(20);
        let read = async {
            let first = self.stream.read_u8().await.ok()?;
            let length = match self.stream.read_u8().await.ok()? {
                126 => u64::from(self.stream.read_u16().await.ok()?),
                127 => self.stream.read_u64().await.ok()?,
                short => u64::from(short),
            };
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.stream.read_exact(&mut payload).await.ok()?;
            Some((first & 0x0f, payload))
        };
        tokio::time::timeout(limit, read).await.expect("nothing comes")
    }

    /// The next text that is no notification.
    pub(super) async fn text(&mut self) -> String {
        loop {
            let (kind, payload) = self.frame().await.expect("the stream has ended");
            let text = if kind == 1 { String::from_utf8(payload).unwrap() } else { continue };
            if !text.contains(r#""res":[0,"balances""#) && !text.contains(r#""res":[0,"channel""#) {
                return text;
            }
        }
    }

    /// Waits for the end; the reason that was given.
    pub(super) async fn closed(&mut self) -> String {
        let mut reason = String::new();
        while let Some((kind, payload)) = self.frame().await {
            if kind == 8 {
                reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default()).into_owned();
            }
        }
        reason
    }
}
