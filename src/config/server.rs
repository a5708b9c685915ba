//! `[server]`: where clients connect.

use std::net::{Ipv4Addr, SocketAddr};

use super::problem::ProblemKind;
use super::reader::Section;

/// Loopback: whoever wants the world to reach the broker says so.
const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8000);

/// Where clients connect.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The address and port of HTTP and WebSocket; with port 0 the system chooses one.
    pub listen: SocketAddr,
}

pub(super) fn read(mut section: Section<'_>) -> Option<ServerConfig> {
    let listen = section.text("listen").try_map(|text| text.parse().map_err(|_| ProblemKind::ListenAddress));
    section.finish();
    Some(ServerConfig { listen: listen.or(LISTEN_DEFAULT)?.value })
}
