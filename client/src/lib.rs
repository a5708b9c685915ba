//! What a participant uses: connect, log in, ask, pay, co-sign, talk in rooms.
//!
//! ```no_run
//! # async fn example(key: domain::crypto::SigningKey, bob: domain::primitives::Address,
//! #     amount: domain::protocol::TokenAmount, channel_id: domain::primitives::ChannelId,
//! #     rest: domain::primitives::Amount) -> Result<(), client::ClientError> {
//! let mut alice = client::Client::connect("ws://127.0.0.1:8000/ws", key, None).await?;
//! // Pays out of a direct channel, in which `rest` stays.
//! alice.transfer(bob, vec![amount], &[client::Part { channel_id, amount: rest }]).await?;
//! # Ok(()) }
//! ```
//!
//! A [`Client`] is one login on one connection. It trusts nobody: what the broker says is read only after its
//! signature was checked, and a state of a direct channel counts only with both signatures under it, ours
//! included. Deliberately absent: tasks of its own (it reads while it is asked for something), reconnecting
//! (connect again, [`Client::send`] the same request, subscribe from the last [`Position`]), and the chain.
//!
//! [`Position`]: domain::protocol::Position

mod client;
mod clock;
mod cosigned;
mod error;
mod event;
mod methods;
mod random;
mod room;
mod wire;

pub use client::{Agreement, Client, Part, together};
pub use cosigned::Cosigned;
pub use error::ClientError;
pub use event::{Event, Message, RoomCall};
pub use room::{Published, Subscribed, room_definition};
