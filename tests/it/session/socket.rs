//! One connection, on which frames are sent as they are written.

use std::collections::VecDeque;
use std::time::Duration;

use domain::crypto::{LoginText, Signable as _, SigningKey};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longer than anything takes that is not broken.
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Socket {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Notifications and messages that came while something else was waited for.
    news: VecDeque<Value>,
    /// The newest frame that came, byte for byte.
    pub(crate) newest: String,
    /// The code with which the connection was closed; `None` before.
    pub(crate) close_code: Option<u16>,
}

impl Socket {
    /// Connects; the list of assets comes first.
    pub(crate) async fn connect(url: &str) -> Self {
        Self::try_connect(url).await.unwrap()
    }

    /// The same with a broker that may be gone.
    pub(crate) async fn try_connect(url: &str) -> Result<Self, String> {
        let (socket, _) = connect_async(url).await.map_err(|error| error.to_string())?;
        let mut socket = Self { socket, news: VecDeque::new(), newest: String::new(), close_code: None };
        let assets = socket.next().await?;
        assert_eq!(assets["res"][1], "assets", "{assets}");
        Ok(socket)
    }

    /// Asks for a challenge.
    pub(crate) async fn challenge(&mut self) -> LoginText {
        let answer = self.ask(r#"{"type":"auth"}"#).await;
        assert_eq!(answer["type"], "auth_challenge", "{answer}");
        answer["data"]["message"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) async fn log_in(&mut self, key: &SigningKey) {
        let text = self.challenge().await;
        let signature = key.sign(text.digests().first()).to_string();
        let answer = self.answer(&key.public_key().to_string(), &text.to_string(), &signature).await;
        assert_eq!(answer["type"], "auth_success", "{answer}");
    }

    /// The same with a broker that may be gone, or cannot say who is whom: says what came instead.
    pub(crate) async fn try_log_in(&mut self, key: &SigningKey) -> Result<(), String> {
        let challenge = self.try_ask(r#"{"type":"auth"}"#).await?;
        let text: Option<LoginText> = challenge["data"]["message"].as_str().and_then(|it| it.parse().ok());
        let text = text.ok_or_else(|| challenge.to_string())?;
        let signature = key.sign(text.digests().first());
        let frame = json!({"type": "auth", "pub_key": key.public_key().to_string(),
            "message": text.to_string(), "signature": signature.to_string()});
        let answer = self.try_ask(&frame.to_string()).await?;
        if answer["type"] == "auth_success" { Ok(()) } else { Err(answer.to_string()) }
    }

    /// Answers a challenge with these texts.
    pub(crate) async fn answer(&mut self, pub_key: &str, message: &str, signature: &str) -> Value {
        let frame = json!({"type": "auth", "pub_key": pub_key, "message": message, "signature": signature});
        self.ask(&frame.to_string()).await
    }

    pub(crate) async fn send(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Sends a message to somebody who may be gone.
    pub(crate) async fn try_send(
        &mut self,
        message: Message,
    ) -> Result<(), tokio_tungstenite::tungstenite::Error> {
        self.socket.send(message).await
    }

    /// Sends a frame to a broker that may be gone, and forgets the news that come before the answer.
    pub(crate) async fn try_ask(&mut self, frame: &str) -> Result<Value, String> {
        let sent = self.socket.send(Message::Text(frame.to_owned())).await;
        sent.map_err(|error| error.to_string())?;
        let answer = async {
            loop {
                let frame = self.next_frame().await?;
                if !is_news(&frame) {
                    return Ok(frame);
                }
            }
        };
        timeout(LIMIT, answer).await.unwrap_or_else(|_| panic!("no answer comes to {frame}"))
    }

    /// Sends a frame and returns its answer.
    pub(crate) async fn ask(&mut self, frame: &str) -> Value {
        self.send(Message::Text(frame.to_owned())).await;
        self.reply().await
    }

    /// The next frame that is no news.
    pub(crate) async fn reply(&mut self) -> Value {
        loop {
            let frame = self.next().await.unwrap_or_else(|reason| panic!("closed: {reason}"));
            if !is_news(&frame) {
                return frame;
            }
            self.news.push_back(frame);
        }
    }

    /// The next news, kept or to come, that are what is looked for; others before them are forgotten.
    pub(crate) async fn news(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        self.news_within(LIMIT, is_it).await
    }

    /// News that may take longer.
    pub(crate) async fn news_within(&mut self, limit: Duration, is_it: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            loop {
                let frame = match self.news.pop_front() {
                    Some(frame) => frame,
                    None => self.next_frame().await.unwrap_or_else(|reason| panic!("closed: {reason}")),
                };
                if is_it(&frame) {
                    return frame;
                }
            }
        };
        timeout(limit, found).await.expect("what is looked for does not come")
    }

    /// Whether the session goes on: says what came instead of a `pong`.
    pub(crate) async fn check_alive(&mut self) -> Result<(), String> {
        let answer = self.ask(r#"{"type":"ping","id":"alive"}"#).await;
        let is_alive = answer["id"] == "alive";
        if is_alive { Ok(()) } else { Err(answer.to_string()) }
    }

    /// Waits until the connection is closed; says with which reason.
    pub(crate) async fn closed(&mut self) -> String {
        match self.next().await {
            Ok(frame) => panic!("not closed: {frame}"),
            Err(reason) => reason,
        }
    }

    /// Reads what still comes; says how many frames came, and with which reason the connection was closed.
    pub(crate) async fn until_closed(&mut self) -> (usize, String) {
        let mut frames = 0;
        loop {
            match self.next().await {
                Ok(_) => frames += 1,
                Err(reason) => return (frames, reason),
            }
        }
    }

    /// The next frame, or why there is none any more.
    pub(crate) async fn next(&mut self) -> Result<Value, String> {
        timeout(LIMIT, self.next_frame()).await.expect("nothing comes")
    }

    async fn next_frame(&mut self) -> Result<Value, String> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame = serde_json::from_str(&text).unwrap();
                    self.newest = text;
                    return Ok(frame);
                }
                Some(Ok(Message::Close(reason))) => {
                    self.close_code = reason.as_ref().map(|frame| frame.code.into());
                    return Err(reason.map(|frame| frame.reason.into_owned()).unwrap_or_default());
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return Err(error.to_string()),
                None => return Err(String::new()),
            }
        }
    }
}

/// Whether a frame answers nothing.
fn is_news(frame: &Value) -> bool {
    frame["type"] == "message"
        || (frame["type"] == "unsubscribed" && frame["id"].is_null())
        || (frame["type"] == "rpc" && (!frame["seq"].is_null() || frame["data"]["res"][0] == 0))
}
