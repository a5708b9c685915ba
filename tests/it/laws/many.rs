//! A hundred thousand rooms in the store, of which a thousand at a time are needed: memory holds the thousand.
//!
//! The rows are written past the journal, without the transfers that led to them: this is about life, not money.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use clearnet::actors::journal::JournalMemory;
use clearnet::actors::participant::NextNonce;
use clearnet::actors::virtual_channel::MayCall;
use clearnet::clock;
use clearnet::store::{AccountRow, Batch, EntryId, Head, Revision, SqlStore, StateKind, StateRow, Store};
use domain::channel::Machine as _;
use domain::channel::virtual_channel::{OpeningRequest, OpeningTerms, RoomRpc, open};
use domain::crypto::{RequestText, Signed, VirtualAllocation};
use domain::ledger::{AccountKey, OwnerId, RequestKey};
use domain::primitives::{Address, Amount, Timestamp};
use futures::future::join_all;
use tokio::time::timeout;

use super::cast::{Draft, broker, definition, key, person, token};
use super::model::{Amounts, Next, Room};
use super::world::{PATIENCE, Threads, World};
use crate::harness::database::Database;

const ROOMS: u64 = 100_000;
/// How many of them are due when the broker starts: their lifetime is over.
const DUE: u64 = 300;
/// How many are needed at a time, and how often others are.
const NEEDED: u64 = 1_000;
const ROUNDS: u64 = 6;
/// How often the last of them are needed again.
const REPEATS: u64 = 5;
/// Every how many-th room gets a new state; in the others somebody asks for something.
const CHANGED: u64 = 10;
/// How many ask at the same time.
const AT_A_TIME: u64 = 50;
/// How many rows one transaction writes.
const BATCH: u64 = 10_000;
/// How much each of the two has in each room.
const SHARE: u64 = 5;
/// How much the process may grow by after the second round, in bytes: the database keeps pages that it has read in a
/// cache of its own, about a megabyte for the rooms of a round. Were the owners to stay, they would take more than that.
const GROWTH_MAX: u64 = 16 * 1024 * 1024;
/// How much it may grow by when those are needed again who were needed before: their pages are in the cache.
const REPEATED_GROWTH_MAX: u64 = 8 * 1024 * 1024;

/// Tells the process of its own where the store is.
const STORE: &str = "CLEARNET_MANY_STORE";

#[actix::test]
async fn memory_holds_those_who_are_needed_however_many_are_stored() {
    if let Ok(url) = std::env::var(STORE) {
        return play(Arc::new(SqlStore::open(&url).await.unwrap())).await;
    }
    let (database, began) = (Database::sqlite().await, clock::now());
    fill(database.open().await.as_ref()).await;
    eprintln!("{ROOMS} rooms written in {} ms", clock::now().millis_since(began));
    // Memory is the process's, and in this one others play and a store was filled.
    let name = "laws::many::memory_holds_those_who_are_needed_however_many_are_stored";
    let alone = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(STORE, database.url())
        .output()
        .unwrap();
    let told =
        format!("{}{}", String::from_utf8_lossy(&alone.stdout), String::from_utf8_lossy(&alone.stderr));
    eprintln!("{told}");
    assert!(alone.status.success() && told.contains("1 passed"));
}

async fn play(store: Arc<dyn Store>) {
    let (threads, chains) = (Threads::start(), BTreeMap::new());
    let began = clock::now();
    let world = World::open(Arc::clone(&store), &threads, &chains).await;
    world.services.participant(person(0)).await.unwrap().send(NextNonce).await.unwrap();
    let started_in = clock::now().millis_since(began);
    eprintln!("started in {started_in} ms");
    assert!(started_in < 2_000, "the start reads what it does not need");
    let mut resident = Vec::new();
    for round in 0..ROUNDS + REPEATS {
        let began = clock::now();
        need(&world, round).await;
        let alive = memory(&world).await;
        assert!(alive.authors as u64 >= 2 * NEEDED, "whoever was needed just now is alive: {alive:?}");
        let took = clock::now().millis_since(began);
        let rest = rest(&world).await;
        let bytes = resident_bytes();
        eprintln!("round {round}: {took} ms, {alive:?}, then {rest:?}, {} KiB", bytes / 1024);
        resident.push(bytes);
    }
    let [second, last] = [1, ROUNDS as usize - 1].map(|round| resident[round]);
    assert!(last < second + GROWTH_MAX, "from {second} to {last} bytes");
    let [second, last] = [ROUNDS + 1, ROUNDS + REPEATS - 1].map(|round| resident[round as usize]);
    assert!(
        last < second + REPEATED_GROWTH_MAX,
        "from {second} to {last} bytes, though nobody else was needed"
    );
    // Those that were due were woken meanwhile: nobody asked for them.
    assert_eq!(store.due(clock::now(), None, 10).await.unwrap(), []);
    world.end().await;
}

/// The next rooms, or the last ones again, get new states and are asked for something, and so are as many participants.
async fn need(world: &World, round: u64) {
    let first = DUE + round.min(ROUNDS - 1) * NEEDED;
    for from in (first..first + NEEDED).step_by(AT_A_TIME as usize) {
        let asked = (from..from + AT_A_TIME).map(|number| async move {
            let room = room(number);
            if number.is_multiple_of(CHANGED) && round < ROUNDS {
                let amounts = Amounts::from([((0, 0), SHARE - 1), ((1, 0), SHARE + 1)]);
                let next = Next { room: 0, by: 0, approvals: vec![0, 1], version: 2, amounts };
                world.ask(&Draft::new(number).update(&room, &next)).await.unwrap();
            } else {
                let ask = MayCall { member: person(0), half: RoomRpc::Response };
                world.services.virtual_channel(room.id()).await.unwrap().send(ask).await.unwrap().unwrap();
            }
            let mut address = [0xEE; 20];
            address[12..].copy_from_slice(&number.to_be_bytes());
            let address = Address::from_bytes(address);
            world.services.participant(address).await.unwrap().send(NextNonce).await.unwrap();
        });
        join_all(asked).await;
    }
}

/// Everybody leaves; says what is left in the journal's memory.
async fn rest(world: &World) -> JournalMemory {
    let all_left = async {
        loop {
            world.let_leave().await;
            let left = memory(world).await;
            // The supervisor, and those who have just been woken.
            if left.authors <= 1 + 100 {
                return left;
            }
        }
    };
    let left = timeout(PATIENCE, all_left).await.expect("whom nobody needs leaves");
    let alive: usize = world.services.directory.alive().iter().map(|(_, count)| count).sum();
    assert!(alive < 1 + 200, "{alive} are found");
    assert!(left.accounts + left.states <= 10_000, "the journal remembers {left:?}");
    left
}

async fn memory(world: &World) -> JournalMemory {
    world.services.journal.memory().await.unwrap()
}

/// What the process has in memory.
fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    4096 * pages
}

fn room(number: u64) -> Room {
    Room {
        definition: definition(&[0, 1], number + 1),
        members: vec![0, 1],
        amounts: [((0, 0), SHARE), ((1, 0), SHARE)].into(),
        version: 1,
        is_open: true,
        wanted: Amounts::new(),
        is_proposed: false,
    }
}

async fn fill(store: &dyn Store) {
    let mut head = store.open_writer(broker()).await.unwrap();
    let now = clock::now();
    // The lifetime of those that are due was over a minute ago.
    let [due, others] = [now.minus_millis((3_600 + 60) * 1_000), now].map(Pattern::opened_at);
    for from in (0..ROOMS).step_by(BATCH as usize) {
        let mut batch = Batch { head: Head { seq: head.seq.next(), ..head }, ..Batch::default() };
        for number in from..from + BATCH {
            let state = if number < DUE { &due } else { &others }.of(number);
            let OwnerId::Channel(id) = state.owner else { unreachable!() };
            // The accounts of rooms that nobody will need are never looked at.
            let is_needed = number < DUE + ROUNDS * NEEDED;
            for member in [person(0), person(1)].into_iter().filter(|_| is_needed) {
                batch.head.account = batch.head.account.next();
                batch.accounts.push(AccountRow {
                    id: batch.head.account,
                    key: AccountKey::member(id, member, token(0)),
                    balance: Amount::from(SHARE),
                    credit_no: 0,
                    last_entry: EntryId(0),
                });
            }
            batch.states.push(state);
        }
        store.write(&batch).await.unwrap();
        head = batch.head;
    }
}

/// A room as it is stored: the others differ by their nonce.
struct Pattern {
    row: StateRow,
    body: String,
}

impl Pattern {
    /// Stands for the nonce.
    const NONCE: u64 = 7_777_777_777_777;

    fn opened_at(opened_at: Timestamp) -> Self {
        let text = RequestText::new(broker(), "[1,\"any\",{},1]");
        let members = [person(0), person(1)];
        let signatures = [0, 1].map(|who| key(who).sign(text.hash()));
        let share = |participant| VirtualAllocation { participant, token: token(0), amount: SHARE.into() };
        let request = OpeningRequest {
            request: RequestKey { at: opened_at, signer: person(0), id: 1 },
            definition: definition(&[0, 1], Self::NONCE),
            allocations: members.map(share).to_vec(),
            data: None,
            signers: Signed::verify(text, &signatures, &members).unwrap().into_parts().1,
            parts: Vec::new(),
        };
        let terms = OpeningTerms {
            broker: broker(),
            tokens: &[token(0)].into(),
            with_direct_channel: &members.into(),
            expiry_window_secs: 3_600,
        };
        let channel = open(request, &terms, opened_at).unwrap().channel;
        let row = StateRow {
            owner: OwnerId::Channel(channel.id()),
            revision: Revision(1),
            kind: StateKind::Virtual,
            phase: channel.phase().code(),
            due_at: channel.deadline(),
            body: Vec::new(),
        };
        Self { row, body: String::from_utf8(channel.to_stored()).unwrap() }
    }

    fn of(&self, number: u64) -> StateRow {
        let room = room(number);
        let body = self.body.replace(&Self::NONCE.to_string(), &room.definition.nonce.to_string());
        StateRow { owner: OwnerId::Channel(room.id()), body: body.into_bytes(), ..self.row.clone() }
    }
}
