//! Nodes that lag, lie, contradict themselves or hang up: an answer that cannot be trusted is an error.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::primitives::{Address, ChainId, Digest};
use evm::{BlockRef, ChainError, Client, ErrorClass, RpcLimits, Wake};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

const LIMITS: RpcLimits = RpcLimits {
    request_timeout: Duration::from_millis(300),
    connect_timeout: Duration::from_secs(5),
    pause_min: Duration::from_millis(5),
    pause_max: Duration::from_millis(40),
    silence_max: Duration::from_millis(100),
};

/// What the node does about a request.
#[derive(Clone)]
enum Answer {
    Says(Value),
    Refuses(i64, &'static str),
    SaysText(&'static str),
    IsSilent,
    HangsUp,
}

type Behaviour = Arc<dyn Fn(&str, &Value) -> Answer + Send + Sync>;

/// A node that answers `eth_chainId` and otherwise does as it was told. Ends when dropped.
struct Node {
    url: String,
    connections: Arc<AtomicU64>,
    _tasks: JoinSet<()>,
}

impl Node {
    async fn that(behaves: impl Fn(&str, &Value) -> Answer + Send + Sync + 'static) -> Self {
        let behaviour: Behaviour = Arc::new(behaves);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&connections);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut served = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::Relaxed);
                served.spawn(serve(stream, Arc::clone(&behaviour)));
            }
        });
        Self { url, connections, _tasks: tasks }
    }

    fn client(&self) -> Client {
        Client::new(&self.url, ChainId::new(5), LIMITS).unwrap()
    }
}

async fn serve(stream: TcpStream, behaviour: Behaviour) {
    let mut socket = accept_async(stream).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let request: Value = serde_json::from_str(&text).unwrap();
        let method = request["method"].as_str().unwrap();
        let answer = match method {
            "eth_chainId" => Answer::Says(json!("0x5")),
            method => behaviour(method, &request["params"]),
        };
        let id = &request["id"];
        let reply = match answer {
            Answer::Says(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string(),
            Answer::Refuses(code, message) => {
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
                    .to_string()
            }
            Answer::SaysText(text) => text.to_owned(),
            Answer::IsSilent => continue,
            Answer::HangsUp => return,
        };
        if socket.send(Message::Text(reply)).await.is_err() {
            return;
        }
    }
}

fn word(byte: u8) -> String {
    format!("0x{}", hex_of(byte, 32))
}

fn hex_of(byte: u8, count: usize) -> String {
    format!("{byte:02x}").repeat(count)
}

/// The block at a height, whose hash is made of the byte.
fn block(height: u64, byte: u8) -> Value {
    json!({
        "number": format!("{height:#x}"), "hash": word(byte), "parentHash": word(0), "timestamp": "0x1",
        "baseFeePerGas": "0x7",
    })
}

/// The contract that is asked about.
const CONTRACT: Address = Address::from_bytes([9; 20]);

/// A log in the block at a height, whose hash is made of the byte.
fn log(height: u64, byte: u8, index: u64) -> Value {
    json!({
        "address": CONTRACT, "topics": [word(1)], "data": "0x", "blockHash": word(byte),
        "blockNumber": format!("{height:#x}"), "transactionHash": word(2), "logIndex": format!("{index:#x}"),
        "removed": false,
    })
}

/// The block up to which logs are asked for; blocks of honest nodes have their height for a hash.
fn to() -> BlockRef {
    let hash = |byte| Digest::from_bytes([byte; 32]);
    BlockRef { height: 9, hash: hash(9), parent: hash(0), timestamp_secs: 1 }
}

/// A node with blocks 0 to 9 and these logs.
async fn node_with(logs: Vec<Value>) -> Node {
    Node::that(move |method, params| match method {
        "eth_getLogs" => Answer::Says(json!(logs)),
        "eth_getBlockByNumber" => Answer::Says(known_block(params)),
        other => panic!("{other}"),
    })
    .await
}

fn known_block(params: &Value) -> Value {
    let height = u64::from_str_radix(&params[0].as_str().unwrap()[2..], 16).unwrap();
    if height <= 9 { block(height, u8::try_from(height).unwrap()) } else { Value::Null }
}

async fn logs_of(logs: Vec<Value>) -> Result<usize, ChainError> {
    let node = node_with(logs).await;
    node.client().logs(CONTRACT, 3, to()).await.map(|logs| logs.len())
}

fn detail(result: Result<usize, ChainError>) -> String {
    match result {
        Err(ChainError::Malformed { method: "eth_getLogs", detail }) => detail,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn logs_in_any_order_come_back_in_theirs() {
    let node = node_with(vec![log(5, 5, 1), log(9, 9, 0), log(5, 5, 0), log(3, 3, 7)]).await;
    let logs = node.client().logs(CONTRACT, 3, to()).await.unwrap();
    let places: Vec<_> = logs.iter().map(|log| (log.position.height, log.position.log_index)).collect();
    assert_eq!(places, [(3, 7), (5, 0), (5, 1), (9, 0)]);
}

#[tokio::test]
async fn logs_that_were_not_asked_for_are_an_error() {
    let with = |key: &str, value: Value| {
        let mut log = log(5, 5, 0);
        log[key] = value;
        vec![log]
    };
    assert_eq!(detail(logs_of(vec![log(2, 2, 0)]).await), "a log is outside the range");
    assert_eq!(detail(logs_of(vec![log(10, 10, 0)]).await), "a log is outside the range");
    assert_eq!(detail(logs_of(vec![log(5, 5, 0), log(5, 5, 0)]).await), "two logs stand in one place");
    let foreign = with("address", json!(Address::from_bytes([8; 20])));
    assert_eq!(detail(logs_of(foreign).await), "a log is of another contract");
    assert_eq!(detail(logs_of(with("removed", json!(true))).await), "a log is marked as removed");
    detail(logs_of(with("blockHash", Value::Null)).await);
}

#[tokio::test]
async fn logs_of_another_branch_are_an_error() {
    let unknown = |byte| Err(ChainError::UnknownBlock { hash: Digest::from_bytes([byte; 32]) });
    assert_eq!(logs_of(vec![log(5, 6, 0)]).await, unknown(6));
    assert_eq!(logs_of(vec![log(9, 8, 0)]).await, unknown(8));
    assert_eq!(logs_of(vec![log(5, 5, 0), log(5, 6, 1)]).await, unknown(6));
}

#[tokio::test]
async fn a_node_that_lags_behind_is_not_taken_for_a_quiet_chain() {
    let node = node_with(Vec::new()).await;
    let ahead = BlockRef { height: 10, ..to() };
    let unknown = ChainError::UnknownBlock { hash: ahead.hash };
    assert_eq!(node.client().logs(CONTRACT, 3, ahead).await, Err(unknown));
}

#[tokio::test]
async fn a_reorg_while_logs_are_read_is_noticed() {
    let asked = AtomicU64::new(0);
    let node = Node::that(move |method, _| match method {
        "eth_getLogs" => Answer::Says(json!([])),
        _ if asked.fetch_add(1, Ordering::Relaxed) == 0 => Answer::Says(block(9, 9)),
        _ => Answer::Says(block(9, 8)),
    })
    .await;
    let unknown = ChainError::UnknownBlock { hash: to().hash };
    assert_eq!(node.client().logs(CONTRACT, 3, to()).await, Err(unknown));
}

#[tokio::test]
async fn answers_of_another_form_are_malformed_and_do_not_end_the_connection() {
    for answer in [json!(null), json!(7), json!({}), json!("0x"), block(9, 9)["hash"].clone()] {
        let node = Node::that(move |_, _| Answer::Says(answer.clone())).await;
        let client = node.client();
        for _ in 0..2 {
            let error = client.head().await.unwrap_err();
            assert!(matches!(error, ChainError::Malformed { .. }), "{error}");
        }
        assert_eq!(node.connections.load(Ordering::Relaxed), 1);
    }
    let node = Node::that(|_, _| Answer::Says(block(8, 8))).await;
    let error = node.client().block(9).await.unwrap_err();
    assert!(matches!(error, ChainError::Malformed { .. }), "{error}");
}

#[tokio::test]
async fn a_chain_without_base_fees_is_said_to_be_one() {
    let mut old = block(9, 9);
    old["baseFeePerGas"] = Value::Null;
    let node = Node::that(move |method, _| match method {
        "eth_getBlockByNumber" => Answer::Says(old.clone()),
        _ => Answer::Says(json!("0x3")),
    })
    .await;
    let error = node.client().nonce_and_fees(CONTRACT).await.unwrap_err();
    assert_eq!(error.to_string(), "answer to eth_getBlockByNumber cannot be used: the chain has no base fee");
}

#[tokio::test]
async fn a_node_that_suggests_no_tip_gets_one_gwei() {
    let node = Node::that(|method, _| match method {
        "eth_getBlockByNumber" => Answer::Says(block(9, 9)),
        "eth_getTransactionCount" => Answer::Says(json!("0x3")),
        _ => Answer::Refuses(-32_601, "no such method"),
    })
    .await;
    let next = node.client().nonce_and_fees(CONTRACT).await.unwrap();
    assert_eq!((next.nonce, next.base_fee_per_gas), (3, 7));
    assert_eq!(next.fees.max_priority_per_gas, 1_000_000_000);
    assert_eq!(next.fees.max_per_gas, 1_000_000_014);
}

#[tokio::test]
async fn refusals_are_told_apart_by_whose_fault_they_are() {
    let of = |code, message| async move {
        let node = Node::that(move |_, _| Answer::Refuses(code, message)).await;
        node.client().head().await.unwrap_err()
    };
    assert_eq!(of(-32_601, "no such method").await.class(), ErrorClass::Rejected);
    assert_eq!(of(-32_005, "too many requests").await.class(), ErrorClass::Unavailable);
    let revert = of(3, "execution reverted").await;
    assert_eq!(revert.class(), ErrorClass::Rejected);
    assert_eq!(revert.to_string(), "execution reverts: without a reason");
}

#[tokio::test]
async fn silence_and_hanging_up_cost_the_connection_and_nothing_else() {
    let method = "eth_getBlockByNumber";
    let troubles = [
        (Answer::IsSilent, ChainError::TimedOut { method, timeout_ms: 300 }),
        (Answer::HangsUp, ChainError::ConnectionLost { method }),
        (Answer::SaysText("no json"), ChainError::ConnectionLost { method }),
    ];
    for (trouble, expected) in troubles {
        let asked = AtomicU64::new(0);
        let node = Node::that(move |_, _| match asked.fetch_add(1, Ordering::Relaxed) {
            0 => trouble.clone(),
            _ => Answer::Says(block(9, 9)),
        })
        .await;
        let client = node.client();
        assert_eq!(client.head().await, Err(expected));
        let mut ticks = interval(Duration::from_millis(1));
        let head = loop {
            ticks.tick().await;
            match client.head().await {
                Err(error) => assert!(matches!(error, ChainError::Reconnecting { .. }), "{error}"),
                Ok(head) => break head,
            }
        };
        assert_eq!(head, to());
        assert_eq!(node.connections.load(Ordering::Relaxed), 2);
    }
}

#[tokio::test]
async fn a_node_that_lets_nobody_subscribe_is_asked_less_and_less_often() {
    let asked = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&asked);
    let node = Node::that(move |method, _| match method {
        "eth_subscribe" if counted.fetch_add(1, Ordering::Relaxed) < 4 => Answer::Refuses(-32_601, "no"),
        "eth_subscribe" => Answer::Says(json!("0x1")),
        _ => Answer::IsSilent,
    })
    .await;
    let began = Instant::now();
    let mut hints = node.client().wake_ups();
    assert_eq!(hints.next().await, Some(Wake::Connected));
    // 5, 10, 20 and 40 ms.
    assert!(began.elapsed() >= Duration::from_millis(75));
    assert_eq!(asked.load(Ordering::Relaxed), 5);
    // Silent, and no answer to the question whether it lives.
    assert_eq!(hints.next().await, None);
}
