//! The HTTP side: the WebSocket endpoint, the health of the process, and the figures for operators.
//!
//! Deliberately absent: what is said over the socket (the session's), and any way to change something.

mod frames;

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actix_web_actors::ws;
use domain::protocol::FRAME_BYTES_MAX;
use serde::Serialize;

use frames::Frames;

use crate::actors::journal::JournalHealth;
use crate::actors::session::{SessionActor, SessionShared};

/// How long connections may take to end when the server stops, in seconds: sessions have ended before.
const SHUTDOWN_SECS: u64 = 2;

/// A server that listens, and where.
pub struct Listening {
    /// Runs until it is stopped.
    pub server: Server,
    /// The address, with the port that the system chose if none was asked for.
    pub addr: SocketAddr,
}

/// Listens for clients.
///
/// # Errors
/// What the system said when the address could not be bound.
pub fn listen(addr: SocketAddr, shared: Arc<SessionShared>) -> std::io::Result<Listening> {
    let shared = web::Data::from(shared);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(shared.clone())
            .route("/ws", web::get().to(socket))
            .route("/healthz", web::get().to(health))
            .route("/readyz", web::get().to(readiness))
            .route("/metrics", web::get().to(figures))
    })
    // A notification right after a response must not wait for the client's acknowledgement.
    .tcp_nodelay(true)
    .shutdown_timeout(SHUTDOWN_SECS)
    .disable_signals()
    .bind(addr)?;
    let addr = server.addrs().first().copied().unwrap_or(addr);
    Ok(Listening { server: server.run(), addr })
}

async fn socket(
    request: HttpRequest,
    body: web::Payload,
    shared: web::Data<SessionShared>,
) -> Result<HttpResponse, actix_web::Error> {
    // Who connects now would only be told to leave.
    if shared.services.stop.has_begun() {
        return Ok(HttpResponse::ServiceUnavailable().finish());
    }
    let session = SessionActor::new(shared.into_inner());
    let frames = Frames::new(body, FRAME_BYTES_MAX);
    ws::WsResponseBuilder::new(session, &request, frames).frame_size(FRAME_BYTES_MAX).start()
}

#[derive(Serialize)]
struct Health {
    ok: bool,
    reason: &'static str,
}

/// 200 while requests can be decided, else 503 with the reason.
async fn health(shared: web::Data<SessionShared>) -> HttpResponse {
    let health = *shared.services.journal.health().borrow();
    match health {
        JournalHealth::Writing { .. } => HttpResponse::Ok().json(Health { ok: true, reason: "writing" }),
        JournalHealth::Away => {
            HttpResponse::ServiceUnavailable().json(Health { ok: false, reason: "the database is away" })
        }
        JournalHealth::Fenced => HttpResponse::ServiceUnavailable()
            .json(Health { ok: false, reason: "another broker has taken over the store" }),
    }
}

/// 200 while everything is there that the broker needs, else 503; each part with its reason.
async fn readiness(shared: web::Data<SessionShared>) -> HttpResponse {
    let readiness = shared.readiness().await;
    let status = if readiness.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    HttpResponse::build(status).json(readiness)
}

/// The figures, as Prometheus reads them.
async fn figures(shared: web::Data<SessionShared>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(shared.services.scrape().await)
}
