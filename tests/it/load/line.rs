//! One device of a member: a connection that is made again when it is gone, and requests one after another.

use std::time::Duration;

use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::Value;
use tokio::time::{Interval, interval};

use super::field::Field;
use super::member::{Deed, Effect};
use super::wish;
use crate::session::socket::Socket;

/// How often it is tried again what cannot be done now.
const AGAIN: Duration = Duration::from_millis(20);

pub(super) struct Line<'f> {
    field: &'f Field,
    by: usize,
    socket: Option<Socket>,
    again: Interval,
}

/// Asks for one thing after another until the story is over; the last one is seen through to its answer.
pub(super) async fn ask_until_over(field: &Field, by: usize, mut rng: StdRng) {
    let mut line = Line::new(field, by);
    while !field.is_over() {
        let again = field.members[by].newest.get().filter(|_| rng.random_ratio(1, 5));
        let number = again.unwrap_or_else(|| {
            let deed = wish::think_of(field, by, &mut rng);
            let mut deeds = field.deeds.borrow_mut();
            deeds.push(deed);
            deeds.len() - 1
        });
        // Another device of the member may take up the newest one at the same time.
        field.members[by].newest.set(Some(number));
        line.see_through(number).await;
    }
}

impl<'f> Line<'f> {
    pub(super) fn new(field: &'f Field, by: usize) -> Self {
        Self { field, by, socket: None, again: interval(AGAIN) }
    }

    /// Sends a request until it is taken or refused, and notes which.
    async fn see_through(&mut self, number: usize) {
        let frame = self.field.deeds.borrow()[number].frame.clone();
        let (answer, text) = self.ask(&frame).await;
        let code = answer["data"]["code"].as_str().map(str::to_owned);
        self.field.answered.send_modify(|count| *count += 1);
        let mut deeds = self.field.deeds.borrow_mut();
        let deed = &mut deeds[number];
        match (code, &deed.taken) {
            (Some(code), None) => deed.refused = Some(code),
            (Some(code), Some(first)) => panic!("first {first}, then {code}: {deed:?}"),
            (None, None) => {
                deed.taken = Some(text);
                learn(self.field, deed);
            }
            (None, Some(first)) => assert_eq!(*first, text, "a repeat gets the first answer"),
        }
    }

    /// The answer to a frame, and its bytes: sends the same ones until there is an outcome.
    pub(super) async fn ask(&mut self, frame: &str) -> (Value, String) {
        loop {
            let socket = self.socket().await;
            let answered = socket.try_ask(frame).await;
            let text = socket.newest.clone();
            self.field.sent.send_modify(|count| *count += 1);
            match answered {
                Ok(answer) => match answer["data"]["code"].as_str() {
                    Some("unavailable" | "overloaded" | "rate_limited" | "chain_unavailable") => {
                        self.field.unknown.send_modify(|count| *count += 1);
                        self.again.tick().await;
                    }
                    Some(_) | None => return (answer, text),
                },
                Err(_closed) => self.socket = None,
            }
        }
    }

    /// The bytes of the answer to a request that the broker can only pay for once it has read the chain.
    pub(super) async fn ask_until_paid_for(&mut self, frame: &str) -> String {
        loop {
            let (answer, text) = self.ask(frame).await;
            match answer["data"]["code"].as_str() {
                None => return text,
                Some("liquidity_short") => drop(self.again.tick().await),
                Some(_) => panic!("{answer}"),
            }
        }
    }

    /// The connection, made again if it is gone.
    async fn socket(&mut self) -> &mut Socket {
        while self.socket.is_none() {
            let url = self.field.url().await;
            let key = std::sync::Arc::clone(&self.field.members[self.by].direct.borrow().key);
            let Ok(mut socket) = Socket::try_connect(&url).await else {
                self.again.tick().await;
                continue;
            };
            match socket.try_log_in(&key).await {
                Ok(()) => self.socket = Some(socket),
                Err(_not_now) => drop(self.again.tick().await),
            }
        }
        self.socket.as_mut().expect("made above")
    }
}

/// What all devices know from an answer.
fn learn(field: &Field, deed: &Deed) {
    if let Some(part) = deed.part {
        let mut direct = field.members[deed.by].direct.borrow_mut();
        if part.version > direct.version {
            (direct.version, direct.part) = (part.version, part.part);
        }
    }
    let mut rooms = field.rooms.borrow_mut();
    match deed.effect {
        Effect::Pay { .. } | Effect::Anchor => {}
        Effect::Open { room } => rooms[room].version = rooms[room].version.max(1),
        Effect::Update { room, version, shares } | Effect::Close { room, version, shares } => {
            let room = &mut rooms[room];
            room.is_closed |= matches!(deed.effect, Effect::Close { .. });
            if version > room.version {
                (room.version, room.shares) = (version, shares);
            }
        }
    }
}
