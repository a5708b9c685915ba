//! Frames over a WebSocket, and the login with which every connection begins.
//!
//! Knows nothing of requests and money.

use std::time::Duration;

use domain::crypto::{LoginText, SigningKey};
use domain::primitives::Address;
use domain::protocol::{Auth, ClientBody, ClientFrame, Code, FrameId, ServerBody, ServerFrame};
use futures::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::error::ClientError;
use crate::random;

/// How long an answer may take. The broker answers in milliseconds; a loaded database takes seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// One connection.
pub(crate) struct Wire {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Wire {
    /// Connects to `ws://…` or `wss://…`.
    pub(crate) async fn connect(url: &str) -> Result<Self, ClientError> {
        // Frames are small and wait for answers: nothing is gained by collecting them.
        let is_nagle_disabled = true;
        let connecting = connect_async_with_config(url, None, is_nagle_disabled);
        let (socket, _) = timeout(ANSWER_TIMEOUT, connecting).await.map_err(|_| ClientError::TimedOut)??;
        Ok(Self { socket })
    }

    /// Logs in and returns the broker, which must be `expected` if that is given.
    pub(crate) async fn log_in(
        &mut self,
        key: &SigningKey,
        expected: Option<Address>,
    ) -> Result<Address, ClientError> {
        let challenge = self.ask_alone(ClientBody::Auth(Auth::default())).await?;
        let ServerBody::AuthChallenge { message, .. } = challenge else {
            return Err(ClientError::OtherType);
        };
        let text: LoginText = message.parse().map_err(|_| ClientError::BadChallenge)?;
        if let Some(expected) = expected.filter(|expected| *expected != text.broker) {
            return Err(ClientError::OtherBroker { expected, actual: text.broker });
        }
        let success = self.ask_alone(ClientBody::Auth(Auth::answer(&text, key))).await?;
        let ServerBody::AuthSuccess { broker_address, .. } = success else {
            return Err(ClientError::OtherType);
        };
        if broker_address == text.broker {
            Ok(broker_address)
        } else {
            Err(ClientError::OtherBroker { expected: text.broker, actual: broker_address })
        }
    }

    /// Sends a frame before anybody can have anything else to tell us.
    async fn ask_alone(&mut self, body: ClientBody) -> Result<ServerBody, ClientError> {
        self.ask(body, &mut Vec::new()).await
    }

    /// Sends a frame and waits for its answer; what else comes meanwhile is added to `others`.
    pub(crate) async fn ask(
        &mut self,
        body: ClientBody,
        others: &mut Vec<ServerBody>,
    ) -> Result<ServerBody, ClientError> {
        let id = FrameId::from(random::request_id());
        let frame = ClientFrame { id: Some(id.clone()), body };
        self.exchange(&frame.encode(), &id, others).await
    }

    /// Sends a frame as it is written and waits for the answer to `id`; what else comes meanwhile is added to
    /// `others`.
    pub(crate) async fn exchange(
        &mut self,
        frame: &str,
        id: &FrameId,
        others: &mut Vec<ServerBody>,
    ) -> Result<ServerBody, ClientError> {
        let answered = async {
            self.socket.send(Message::Text(frame.to_owned())).await?;
            loop {
                let frame = self.receive().await?;
                match frame.body {
                    // Without an id it is about the connection, and so about this frame too.
                    ServerBody::Error(refusal) if frame.id.as_ref().is_none_or(|of| of == id) => {
                        return Err(ClientError::Refused(Box::new(refusal)));
                    }
                    body if frame.id.as_ref() == Some(id) => return Ok(body),
                    body => others.push(body),
                }
            }
        };
        timeout(ANSWER_TIMEOUT, answered).await.map_err(|_| ClientError::TimedOut)?
    }

    /// The next frame of a type that we know. Nothing is lost when this is dropped unfinished.
    pub(crate) async fn receive(&mut self) -> Result<ServerFrame, ClientError> {
        loop {
            match self.socket.next().await.ok_or(ClientError::Closed { code: None })?? {
                Message::Text(text) => {
                    if let Some(frame) = ServerFrame::decode(&text)? {
                        return Ok(frame);
                    }
                }
                Message::Close(reason) => {
                    let code = reason.and_then(|frame| code_of(&frame.reason));
                    return Err(ClientError::Closed { code });
                }
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Says farewell.
    pub(crate) async fn close(mut self) -> Result<(), ClientError> {
        Ok(self.socket.close(None).await?)
    }
}

fn code_of(reason: &str) -> Option<Code> {
    Code::ALL.iter().copied().find(|code| code.name() == reason)
}
