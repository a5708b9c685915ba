//! Frames: what one WebSocket message holds, one enum per direction.

mod assets;
mod auth;
mod client;
mod fault;
mod frame_id;
mod raw_frame;
mod server;

pub use assets::AssetsFrame;
pub use auth::{Auth, AuthError};
pub use client::{ClientBody, ClientFrame, Position};
pub use fault::{FrameError, FrameFault};
pub use frame_id::FrameId;
pub use server::{ServerBody, ServerFrame, Stamp};
