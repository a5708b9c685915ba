//! `[[networks]]`: the chains and our contracts on them.

use std::fmt;
use std::str::FromStr;

use domain::primitives::{Address, ChainId};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::entry::{Entry, Field, Seen};
use super::problem::{ProblemKind, nearest};
use super::reader::Section;

/// The longest name of a network: it stands in metrics, logs and the names of variables.
const NAME_CHARS_MAX: usize = 32;
/// 2^53 − 1, so that every JSON reader keeps the number exactly.
const CHAIN_ID_MAX: u64 = (1 << 53) - 1;
/// Bounds the ring of block hashes that is kept in memory to find reorgs.
const CONFIRMATIONS_MAX: u64 = 10_000;
/// The least challenge that the custody contract takes, in seconds.
const CHALLENGE_SECS_MIN: u64 = 3_600;
/// A year: whoever asks for more has most likely written milliseconds.
const CHALLENGE_SECS_MAX: u64 = 31_536_000;
/// One day: time enough for the broker to come back and answer an old state.
const MIN_CHALLENGE_SECS_DEFAULT: u64 = 86_400;
/// What is shorter in the path of a node is a word, such as `ws` or `v3`, and no provider's key.
const KEY_CHARS_MIN: usize = 8;
/// Thirty days: the longest that money of the broker may stay locked by a dispute.
const MAX_CHALLENGE_SECS_DEFAULT: u64 = 2_592_000;

/// One chain and our contracts on it.
#[derive(Debug, Clone)]
pub struct NetworkConfig {
    /// What operators call it; unique.
    pub name: NetworkName,
    /// Its number (EIP-155); unique.
    pub chain_id: ChainId,
    /// The node that is asked and subscribed to.
    pub rpc_url: RpcUrl,
    /// The custody contract; not zero.
    pub custody: Address,
    /// The adjudicator that channels name; neither zero nor the custody.
    pub adjudicator: Address,
    /// How many blocks must follow before money that came in counts; 0 only where `is_dev`.
    pub confirmations: u32,
    /// A chain whose money is worth nothing.
    pub is_dev: bool,
    /// The least challenge, in seconds, of a channel whose debits are co-signed.
    pub min_challenge_secs: u64,
    /// The longest challenge, in seconds, of a channel that counts; not below `min_challenge_secs`.
    pub max_challenge_secs: u64,
    /// The first block that is scanned for logs: that of the custody's deployment.
    pub start_block: u64,
}

/// A network's name: 1 to 32 lower-case letters, digits and dashes, a letter or digit at either end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetworkName(String);

/// A WebSocket URL of a node. Shown without path and user, since providers put their keys there.
#[derive(Clone)]
pub struct RpcUrl {
    url: SecretString,
    shown: String,
}

impl NetworkName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NetworkName {
    type Err = ProblemKind;

    fn from_str(text: &str) -> Result<Self, ProblemKind> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let fits = (1..=NAME_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|byte| is_plain(byte) || byte == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if fits { Ok(Self(text.to_owned())) } else { Err(ProblemKind::NetworkName) }
    }
}

impl fmt::Display for NetworkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RpcUrl {
    /// The whole URL, `ws://…` or `wss://…`; must not be shown or logged.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.url.expose_secret()
    }

    /// What somebody else has said, with this URL and what may be secret in it taken out.
    #[must_use]
    pub fn redact(&self, said: &str) -> String {
        let mut said = said.replace(self.expose(), &self.shown);
        let Ok(url) = Url::parse(self.expose()) else { return said };
        let names =
            url.path().split('/').chain([url.path(), url.query().unwrap_or_default(), url.username()]);
        let keys = names.filter(|part| part.len() >= KEY_CHARS_MIN);
        let password = url.password().filter(|password| !password.is_empty());
        for secret in [url.as_str()].into_iter().chain(keys).chain(password) {
            said = said.replace(secret, "…");
        }
        said
    }
}

impl FromStr for RpcUrl {
    type Err = ProblemKind;

    fn from_str(text: &str) -> Result<Self, ProblemKind> {
        let url = Url::parse(text).map_err(|_| ProblemKind::RpcUrl)?;
        if !matches!(url.scheme(), "ws" | "wss") {
            return Err(ProblemKind::RpcScheme);
        }
        let host = url.host_str().ok_or(ProblemKind::RpcUrl)?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let has_more = url.path() != "/" || url.query().is_some() || url.username() != "";
        let more = if has_more { "/…" } else { "" };
        Ok(Self { shown: format!("{}://{host}{port}{more}", url.scheme()), url: text.into() })
    }
}

impl fmt::Display for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// What was read, right or wrong, so that what refers to a network is judged by what is known of it.
pub(super) struct Networks(Option<Vec<Network>>);

struct Network {
    name: Option<NetworkName>,
    chain_id: Option<ChainId>,
    config: Option<NetworkConfig>,
}

impl Networks {
    /// All of them, if all are valid.
    pub(super) fn into_configs(self) -> Option<Vec<NetworkConfig>> {
        self.0?.into_iter().map(|network| network.config).collect()
    }

    /// The first network whose money may be worth something; `None` also while it is unknown which are.
    pub(super) fn first_not_dev(&self) -> Option<&NetworkName> {
        let configs = self.0.iter().flatten().filter_map(|network| network.config.as_ref());
        configs.filter(|network| !network.is_dev).map(|network| &network.name).next()
    }

    /// The chain of the network of this name; `Ok(None)` when its number is wrong, which was reported.
    ///
    /// # Errors
    /// [`ProblemKind::UnknownNetwork`].
    pub(super) fn chain_id(&self, name: &str) -> Result<Option<ChainId>, ProblemKind> {
        let Some(networks) = &self.0 else { return Ok(None) };
        let names = || networks.iter().filter_map(|network| network.name.as_ref());
        match networks.iter().find(|network| network.name.as_ref().is_some_and(|it| it.as_str() == name)) {
            Some(network) => Ok(network.chain_id),
            None => {
                let nearest = nearest(name, names().map(NetworkName::as_str));
                Err(ProblemKind::UnknownNetwork { nearest })
            }
        }
    }
}

pub(super) fn read_all(root: &mut Section<'_>) -> Networks {
    let Some(sections) = root.tables("networks") else { return Networks(None) };
    if sections.is_empty() {
        root.report_empty("networks");
    }
    let (mut names, mut chain_ids) = (Seen::new(), Seen::new());
    let networks = sections.into_iter().map(|section| read(section, &mut names, &mut chain_ids));
    Networks(Some(networks.collect()))
}

fn read(mut section: Section<'_>, names: &mut Seen<NetworkName>, chain_ids: &mut Seen<u64>) -> Network {
    let name = section.text("name").try_map(|text| text.parse::<NetworkName>()).required();
    if let Some(name) = &name {
        names.add(name.value.clone(), name);
        // A dash cannot stand in the name of a variable, and an underscore not in that of a network.
        section.overlay_under(format!("networks.{}", name.value.as_str().replace('-', "_")));
    }
    let chain_id = section.number("chain_id", 1..=CHAIN_ID_MAX).required();
    if let Some(chain_id) = &chain_id {
        chain_ids.add(chain_id.value, chain_id);
    }
    let name = name.map(|entry| entry.value);
    let chain_id = chain_id.map(|entry| ChainId::new(entry.value));
    let config = read_rest(section, name.clone(), chain_id);
    Network { name, chain_id, config }
}

fn read_rest(
    mut section: Section<'_>,
    name: Option<NetworkName>,
    chain_id: Option<ChainId>,
) -> Option<NetworkConfig> {
    let rpc_url = section.text("rpc_url").try_map(|text| text.parse::<RpcUrl>()).required();
    let custody = contract(section.text("custody"));
    let adjudicator = contract(section.text("adjudicator"));
    if let (Some(custody), Some(adjudicator)) = (&custody, &adjudicator)
        && custody.value == adjudicator.value
    {
        adjudicator.report(ProblemKind::AdjudicatorIsCustody);
    }
    let confirmations = section.number("confirmations", 0..=CONFIRMATIONS_MAX).required();
    let is_dev = section.boolean("dev").or(false);
    if let (Some(confirmations), Some(is_dev)) = (&confirmations, &is_dev)
        && confirmations.value == 0
        && !is_dev.value
    {
        confirmations.report(ProblemKind::NoConfirmations);
    }
    let bounds = CHALLENGE_SECS_MIN..=CHALLENGE_SECS_MAX;
    let min = section.number("min_challenge_secs", bounds.clone()).or(MIN_CHALLENGE_SECS_DEFAULT);
    let max = section.number("max_challenge_secs", bounds).or(MAX_CHALLENGE_SECS_DEFAULT);
    if let (Some(min), Some(max)) = (&min, &max)
        && max.value < min.value
    {
        max.report(ProblemKind::ChallengeBounds { min: min.value });
    }
    let start_block = section.number("start_block", 0..=u64::MAX).or(0);
    section.finish();
    Some(NetworkConfig {
        name: name?,
        chain_id: chain_id?,
        rpc_url: rpc_url?.value,
        custody: custody?.value,
        adjudicator: adjudicator?.value,
        confirmations: u32::try_from(confirmations?.value).ok()?,
        is_dev: is_dev?.value,
        min_challenge_secs: min?.value,
        max_challenge_secs: max?.value,
        start_block: start_block?.value,
    })
}

/// The address of a contract: with checksum, not zero.
fn contract<'d>(field: Field<'d, String>) -> Option<Entry<'d, Address>> {
    let not_zero =
        |address: Address| if address.is_zero() { Err(ProblemKind::ZeroAddress) } else { Ok(address) };
    field.try_map(|text| checksummed(&text).and_then(not_zero)).required()
}

/// An address that is written with its checksum, so that a typing error is seen.
pub(super) fn checksummed(text: &str) -> Result<Address, ProblemKind> {
    let address: Address = text.parse()?;
    if address.to_string() == text {
        Ok(address)
    } else {
        Err(ProblemKind::ChecksumMissing { expected: address })
    }
}
