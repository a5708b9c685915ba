//! What is counted for operators, in the form that Prometheus reads.
//!
//! One registry, made by whoever makes the broker; nothing is global. Labels are names of ours and configured chains,
//! never what a client wrote, so that the number of series is bounded. `docs/operating.md` says what each figure means,
//! and a test compares. Deliberately absent: what is money to the book; figures are for people to look at.

mod maker;

use domain::primitives::{ChainId, Timestamp};
use domain::protocol::Code;
use domain::protocol::method::Method;
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramTimer, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Registry, TextEncoder,
};

use maker::Maker;

/// From half a millisecond, which a read takes, to the longest that a request may take.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];

/// Up to the most commits of one database transaction.
const BATCHES: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];

/// The outcome of a request that was carried out; of others it is the code of the refusal.
const OK: &str = "ok";

/// Everything that is counted. Counting is an atomic addition; what has labels costs a look into a map as well.
#[derive(Debug)]
pub struct Figures {
    registry: Registry,
    began: Timestamp,
    uptime: Gauge,
    /// Connections that are open.
    pub sessions_open: IntGauge,
    /// Connections that were opened.
    pub sessions: IntCounter,
    /// Frames that came.
    pub frames_received: IntCounter,
    /// Bytes in them.
    pub received_bytes: IntCounter,
    /// Frames that were sent.
    pub frames_sent: IntCounter,
    /// Bytes in them.
    pub sent_bytes: IntCounter,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    refusals: IntCounterVec,
    /// Sessions that were closed because their clients did not read.
    pub slow_consumers: IntCounter,
    /// Commits that became durable.
    pub journal_commits: IntCounter,
    /// Commits that were refused.
    pub journal_commits_refused: IntCounter,
    /// Commits in one database transaction.
    pub journal_batch_commits: Histogram,
    /// How long such a transaction took.
    pub journal_write_seconds: Histogram,
    /// Requests that are decided and not durable.
    pub journal_in_flight: IntGauge,
    /// Whether the journal can write.
    pub journal_writing: IntGauge,
    owners_alive: IntGaugeVec,
    /// Direct channels that began to count.
    pub direct_channels_opened: IntCounter,
    /// Direct channels that counted and ended.
    pub direct_channels_closed: IntCounter,
    /// Virtual channels that opened.
    pub virtual_channels_opened: IntCounter,
    /// Virtual channels that ended by agreement.
    pub virtual_channels_closed: IntCounter,
    /// Virtual channels that ended by themselves.
    pub virtual_channels_expired: IntCounter,
    chain_watched: IntGaugeVec,
    chain_head_height: IntGaugeVec,
    chain_read_height: IntGaugeVec,
    chain_read_lag_seconds: GaugeVec,
    chain_unhandled_events: IntGaugeVec,
    outbox_open: IntGaugeVec,
    transactions_sent: IntCounterVec,
    coin_balance: GaugeVec,
    settlements: IntCounterVec,
}

/// How a settlement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettlementOutcome {
    /// Its channel is on chain.
    Executed,
    /// It was refunded.
    Failed,
}

/// A session that is counted as open until this is dropped, whatever ends it.
#[derive(Debug)]
pub struct OpenSession(IntGauge);

impl Drop for OpenSession {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Figures {
    /// Everything at zero, from `began` on.
    #[must_use]
    pub fn new(began: Timestamp) -> Self {
        let registry = Registry::new();
        let of = Maker(&registry);
        let per_chain = &["chain_id"];
        let figures = Self {
            began,
            uptime: of.gauge("uptime_seconds", "Seconds since the broker began to serve"),
            sessions_open: of.whole("sessions_open", "Connections that are open"),
            sessions: of.counter("sessions_total", "Connections that were opened"),
            frames_received: of.counter("frames_received_total", "WebSocket frames that came"),
            received_bytes: of.counter("received_bytes_total", "Bytes in frames that came"),
            frames_sent: of.counter("frames_sent_total", "WebSocket frames that were sent"),
            sent_bytes: of.counter("sent_bytes_total", "Bytes in frames that were sent"),
            requests: of.counters(
                "requests_total",
                "Requests that were answered, by method and outcome: ok or the code of the refusal",
                &["method", "outcome"],
            ),
            request_seconds: of.histograms(
                "request_seconds",
                "How long requests took, from frame to answer",
                &["method"],
                &SECONDS,
            ),
            refusals: of.counters("refusals_total", "Frames that were refused, by code", &["code"]),
            slow_consumers: of.counter(
                "slow_consumers_total",
                "Sessions that were closed because their client did not read",
            ),
            journal_commits: of.counter("journal_commits_total", "Commits that became durable"),
            journal_commits_refused: of.counter(
                "journal_commits_refused_total",
                "Commits that the journal refused: each is worth a look",
            ),
            journal_batch_commits: of.histogram(
                "journal_batch_commits",
                "Commits that were written in one database transaction",
                &BATCHES,
            ),
            journal_write_seconds: of.histogram(
                "journal_write_seconds",
                "How long a database transaction of the journal took",
                &SECONDS,
            ),
            journal_in_flight: of.whole("journal_in_flight", "Requests that are decided and not yet durable"),
            journal_writing: of.whole("journal_writing", "Whether the journal can write: 1, or 0"),
            owners_alive: of.wholes("owners_alive", "Actors that are alive, by what they own", &["kind"]),
            direct_channels_opened: of
                .counter("direct_channels_opened_total", "Direct channels that began to count"),
            direct_channels_closed: of.counter(
                "direct_channels_closed_total",
                "Direct channels that counted and have ended on chain",
            ),
            virtual_channels_opened: of
                .counter("virtual_channels_opened_total", "Virtual channels that were opened"),
            virtual_channels_closed: of
                .counter("virtual_channels_closed_total", "Virtual channels that ended by agreement"),
            virtual_channels_expired: of
                .counter("virtual_channels_expired_total", "Virtual channels that ended by themselves"),
            chain_watched: of.wholes(
                "chain_watched",
                "Whether the contracts of the chain were found to be ours: 1, or 0",
                per_chain,
            ),
            chain_head_height: of.wholes(
                "chain_head_height",
                "The newest block that the node has told of",
                per_chain,
            ),
            chain_read_height: of.wholes("chain_read_height", "The newest block that was read", per_chain),
            chain_read_lag_seconds: of.gauges(
                "chain_read_lag_seconds",
                "Seconds since everything confirmed was last known to be read; since the start if never",
                per_chain,
            ),
            chain_unhandled_events: of.wholes(
                "chain_unhandled_events",
                "Events that were read and are not in the book yet, up to 1000",
                per_chain,
            ),
            outbox_open: of.wholes(
                "outbox_open",
                "Transactions that are decided and not at their end",
                per_chain,
            ),
            transactions_sent: of.counters(
                "transactions_sent_total",
                "Transactions that were first sent",
                per_chain,
            ),
            coin_balance: of.gauges(
                "coin_balance",
                "Whole coins that the broker's address has for gas, looked at every minute; NaN before the first look",
                per_chain,
            ),
            settlements: of.counters(
                "settlements_total",
                "Settlements that came to their end: executed or failed",
                &["chain_id", "outcome"],
            ),
            registry: registry.clone(),
        };
        let version = of.wholes("build_info", "Always 1; the label says which program runs", &["version"]);
        version.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        figures.begin_at_zero();
        figures
    }

    /// Series that exist from the start can be compared with before; those that begin at 1 look unchanged.
    fn begin_at_zero(&self) {
        for method in Method::ALL {
            self.requests.with_label_values(&[method.name(), OK]);
            self.request_seconds.with_label_values(&[method.name()]);
        }
        for code in Code::ALL {
            self.refusals.with_label_values(&[code.name()]);
        }
    }

    /// Makes the series of a configured chain.
    pub fn add_chain(&self, chain_id: ChainId) {
        let chain = chain_id.to_string();
        for vector in
            [&self.chain_watched, &self.chain_head_height, &self.chain_read_height, &self.outbox_open]
        {
            vector.with_label_values(&[&chain]);
        }
        self.chain_read_lag_seconds.with_label_values(&[&chain]);
        self.chain_unhandled_events.with_label_values(&[&chain]);
        self.transactions_sent.with_label_values(&[&chain]);
        // Unknown is not nothing: an empty purse would be an alarm.
        self.set_coin_balance(chain_id, f64::NAN);
        for outcome in [SettlementOutcome::Executed, SettlementOutcome::Failed] {
            self.settlements.with_label_values(&[chain.as_str(), outcome.name()]);
        }
    }

    /// A session has opened.
    #[must_use]
    pub fn open_session(&self) -> OpenSession {
        self.sessions.inc();
        self.sessions_open.inc();
        OpenSession(self.sessions_open.clone())
    }

    /// Begins to take the time of a request.
    pub fn time_request(&self, method: Method) -> HistogramTimer {
        self.request_seconds.with_label_values(&[method.name()]).start_timer()
    }

    /// A request was answered; `refused` is `None` when it was carried out.
    pub fn answered(&self, method: Method, refused: Option<Code>) {
        self.requests.with_label_values(&[method.name(), refused.map_or(OK, Code::name)]).inc();
    }

    /// Something was refused.
    pub fn refused(&self, code: Code) {
        self.refusals.with_label_values(&[code.name()]).inc();
    }

    /// How many owners of a kind are alive.
    pub fn set_owners_alive(&self, kind: &'static str, alive: usize) {
        self.owners_alive.with_label_values(&[kind]).set(whole(alive));
    }

    /// Whether the contracts of a chain were found to be ours, and how long ago all that is confirmed was read;
    /// `None` for never.
    pub fn set_chain_read(
        &self,
        chain_id: ChainId,
        is_watched: bool,
        read_at: Option<Timestamp>,
        now: Timestamp,
    ) {
        let chain = chain_id.to_string();
        self.chain_watched.with_label_values(&[&chain]).set(i64::from(is_watched));
        let lag = seconds(now.millis_since(read_at.unwrap_or(self.began)));
        self.chain_read_lag_seconds.with_label_values(&[&chain]).set(lag);
    }

    /// The newest block of a chain.
    pub fn set_chain_head(&self, chain_id: ChainId, height: u64) {
        self.chain_head_height.with_label_values(&[&chain_id.to_string()]).set(whole(height));
    }

    /// The newest block that was read.
    pub fn set_chain_read_height(&self, chain_id: ChainId, height: u64) {
        self.chain_read_height.with_label_values(&[&chain_id.to_string()]).set(whole(height));
    }

    /// How much that was read is not in the book yet.
    pub fn set_unhandled_events(&self, chain_id: ChainId, count: usize) {
        self.chain_unhandled_events.with_label_values(&[&chain_id.to_string()]).set(whole(count));
    }

    /// How many transactions are decided and not at their end.
    pub fn set_outbox_open(&self, chain_id: ChainId, open: usize) {
        self.outbox_open.with_label_values(&[&chain_id.to_string()]).set(whole(open));
    }

    /// A transaction was sent for the first time.
    pub fn transaction_sent(&self, chain_id: ChainId) {
        self.transactions_sent.with_label_values(&[&chain_id.to_string()]).inc();
    }

    /// What the broker has for gas, in whole coins.
    pub fn set_coin_balance(&self, chain_id: ChainId, coins: f64) {
        self.coin_balance.with_label_values(&[&chain_id.to_string()]).set(coins);
    }

    /// A settlement has come to its end.
    pub fn settled(&self, chain_id: ChainId, outcome: SettlementOutcome) {
        self.settlements.with_label_values(&[chain_id.to_string().as_str(), outcome.name()]).inc();
    }

    /// All figures as text.
    #[must_use]
    pub fn text(&self, now: Timestamp) -> String {
        self.uptime.set(seconds(now.millis_since(self.began)));
        let mut text = String::new();
        let families = self.registry.gather();
        TextEncoder::new().encode_utf8(&families, &mut text).expect("a text takes every figure");
        text
    }
}

impl SettlementOutcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Executed => "executed",
            Self::Failed => "failed",
        }
    }
}

fn seconds(millis: u64) -> f64 {
    std::time::Duration::from_millis(millis).as_secs_f64()
}

fn whole(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
