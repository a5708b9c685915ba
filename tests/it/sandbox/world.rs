//! A sandbox that runs as a child, and those who play in it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use clearnet::devnet::{Participant, Wallet};
use client::{Client, ClientError, Cosigned};
use domain::crypto::SigningKey;
use domain::primitives::{Address, Amount, ChainId, ChannelId, Token};
use domain::protocol::method::get_channels::ChannelStatus;
use domain::protocol::method::{test_fund, test_reset};
use domain::protocol::notification::Notification;
use domain::protocol::{Code, TokenAmount};
use evm::{Client as Chain, RpcLimits};
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything takes that is not broken.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A sandbox, killed when it is dropped.
pub(crate) struct Sandbox {
    pub(crate) said: Value,
    child: Child,
    stdout: BufReader<ChildStdout>,
    directory: TempDir,
}

impl Sandbox {
    /// Starts one and reads its line.
    pub(crate) async fn start() -> Self {
        tokio::task::spawn_blocking(Self::start_now).await.unwrap()
    }

    fn start_now() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_clearnet"))
            .args(["sandbox", "--json", "--data-dir"])
            .arg(directory.path())
            // What the environment says of another broker is not for this one.
            .env("CLEARNET__SERVER__LISTEN", "nonsense")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let said = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Self { said, child, stdout, directory }
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.said[key].as_str().unwrap_or_else(|| panic!("{key} in {}", self.said))
    }

    pub(crate) fn address(&self, key: &str) -> Address {
        self.text(key).parse().unwrap()
    }

    pub(crate) fn chain_id(&self) -> ChainId {
        ChainId::new(self.said["chain_id"].as_u64().unwrap())
    }

    /// A token by its place in the line.
    pub(crate) fn token(&self, place: usize) -> Token {
        let address = self.said["tokens"][place]["address"].as_str().unwrap().parse().unwrap();
        Token { chain_id: self.chain_id(), address }
    }

    /// The key of an account by its place in the line.
    pub(crate) fn key(&self, place: usize) -> SigningKey {
        self.said["accounts"][place]["private_key"].as_str().unwrap().parse().unwrap()
    }

    /// The owner of an account, logged in.
    pub(crate) async fn client(&self, place: usize) -> Client {
        Client::connect(self.text("ws_url"), self.key(place), Some(self.address("broker"))).await.unwrap()
    }

    pub(crate) fn chain(&self) -> Chain {
        Chain::new(self.text("rpc_url"), self.chain_id(), RpcLimits::STANDARD).unwrap()
    }

    /// What the owner of an account does on chain.
    pub(crate) fn hands(&self, place: usize) -> Participant {
        Participant::new(Wallet::new(self.chain(), self.key(place)), self.address("custody"))
    }

    /// Deposits so much into a direct channel and waits until it counts.
    pub(crate) async fn deposit(&self, client: &mut Client, place: usize, amount: u64) -> Cosigned {
        let made = client.create_channel(self.token(0), Amount::from(amount)).await.unwrap();
        let hands = self.hands(place);
        hands.open_channel(made.params.clone(), made.state.clone(), made.signatures).await.unwrap();
        let id = made.params.channel_id();
        let is_open = |told: &Notification| match told {
            Notification::Channel(content) => {
                content.channel.channel_id == id && content.channel.status == ChannelStatus::Open
            }
            _ => false,
        };
        heard(client, is_open).await;
        made
    }

    /// What an audit with the sandbox's own files says.
    pub(crate) async fn audit(&self) -> Value {
        let config = self.file("config.toml");
        let audit = tokio::task::spawn_blocking(move || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_clearnet"));
            command.args(["audit", "--json", "--config"]).arg(config).output().unwrap()
        });
        serde_json::from_slice(&audit.await.unwrap().stdout).unwrap()
    }

    /// Every law was checked and holds; what was just seen on chain may have to be taken in first.
    pub(crate) async fn check_audit(&self) {
        let checked = async {
            loop {
                let report = self.audit().await;
                let laws = report["laws"].as_object().unwrap();
                if laws.values().any(|law| law["ok"].is_null()) {
                    continue;
                }
                assert!(laws.len() >= 7 && laws.values().all(|law| law["ok"] == true), "{report}");
                return;
            }
        };
        tokio::time::timeout(LIMIT, checked).await.expect("the book never stands still");
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, waits until it has ended, and says with which code and what it printed since its line.
    pub(crate) fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (code, rest)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _code = self.child.wait();
    }
}

/// So much of a token, as requests have it.
pub(crate) fn line(token: Token, amount: u64) -> TokenAmount {
    TokenAmount { chain_id: token.chain_id, token: token.address, amount: Amount::from(amount) }
}

/// Gives a participant so much from nothing.
pub(crate) async fn fund(
    client: &mut Client,
    participant: Address,
    token: Token,
    amount: u64,
) -> test_fund::Reply {
    let params = test_fund::Params { participant, allocations: vec![line(token, amount)] };
    client.call(&params, &[]).await.unwrap()
}

/// Begins the book anew, when nothing is being sent any more.
pub(crate) async fn reset(client: &mut Client) {
    let again = async {
        loop {
            match client.call(&test_reset::Params {}, &[]).await {
                Ok(_) => return,
                Err(ClientError::Refused(refusal)) if refusal.code == Code::Overloaded => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    tokio::time::timeout(LIMIT, again).await.expect("something is being sent for ever");
}

/// Waits for a notification.
pub(crate) async fn heard(client: &mut Client, is_it: impl Fn(&Notification) -> bool) -> Notification {
    let heard = client.next(LIMIT, |event| match event {
        client::Event::Notification(told) if is_it(told) => Some(told.clone()),
        _ => None,
    });
    heard.await.unwrap()
}

/// The accounts of a participant that hold something: kind, account and amount.
pub(crate) async fn holds(client: &mut Client) -> Vec<(String, ChannelId, Amount)> {
    let balances = client.balances().await.unwrap();
    balances
        .into_iter()
        .map(|balance| {
            let kind = serde_json::to_value(balance.kind).unwrap();
            (kind.as_str().unwrap().to_owned(), balance.account_id, balance.amount)
        })
        .collect()
}
