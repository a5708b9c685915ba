//! `[[assets]]`: which tokens the broker deals in, and how they are shown.

use domain::primitives::{Asset, Token};

use super::entry::{Entry, Seen};
use super::network::{Networks, checksummed};
use super::reader::Section;

/// 2^256 − 1 has 78 digits: with more decimals not even one whole coin could be written.
const DECIMALS_MAX: u64 = 77;

/// A symbol that groups tokens.
#[derive(Debug, Clone)]
pub struct AssetConfig {
    /// The symbol; unique, even when capitals are ignored.
    pub symbol: Asset,
    /// How many decimals amounts of the asset are shown with, 0 to 77.
    pub decimals: u8,
    /// The tokens, in the order of the file; at least one.
    pub tokens: Vec<TokenConfig>,
}

/// One token of an asset.
#[derive(Debug, Clone)]
pub struct TokenConfig {
    /// The chain and the contract; in one asset only.
    pub token: Token,
    /// How many decimals its contract counts with, 0 to 77.
    pub decimals: u8,
}

pub(super) fn read_all(root: &mut Section<'_>, networks: &Networks) -> Option<Vec<AssetConfig>> {
    let (mut symbols, mut tokens) = (Seen::new(), Seen::new());
    let assets = root.tables("assets")?;
    let assets = assets.into_iter().map(|section| read(section, networks, &mut symbols, &mut tokens));
    assets.collect::<Vec<_>>().into_iter().collect()
}

fn read(
    mut section: Section<'_>,
    networks: &Networks,
    symbols: &mut Seen<String>,
    seen: &mut Seen<Token>,
) -> Option<AssetConfig> {
    let symbol = section.text("symbol").try_map(|text| Ok(text.parse::<Asset>()?)).required();
    if let Some(symbol) = &symbol {
        symbols.add(symbol.value.as_str().to_ascii_lowercase(), symbol);
    }
    let decimals = decimals(&mut section);
    let tokens = section.tables("tokens");
    if tokens.as_ref().is_some_and(Vec::is_empty) {
        section.report_empty("tokens");
    }
    section.finish();
    let tokens = tokens?.into_iter().map(|token| read_token(token, networks, seen)).collect::<Vec<_>>();
    let tokens = tokens.into_iter().collect::<Option<_>>()?;
    Some(AssetConfig { symbol: symbol?.value, decimals: decimals?, tokens })
}

fn read_token(mut section: Section<'_>, networks: &Networks, seen: &mut Seen<Token>) -> Option<TokenConfig> {
    let chain_id = section.text("network").try_map(|name| networks.chain_id(&name)).required();
    let address = section.text("address").try_map(|text| checksummed(&text)).required();
    let decimals = decimals(&mut section);
    section.finish();
    let chain_id = chain_id.and_then(|Entry { value, .. }| value)?;
    let address = address?;
    let token = Token { chain_id, address: address.value };
    seen.add(token, &address);
    Some(TokenConfig { token, decimals: decimals? })
}

fn decimals(section: &mut Section<'_>) -> Option<u8> {
    let decimals = section.number("decimals", 0..=DECIMALS_MAX).required()?;
    u8::try_from(decimals.value).ok()
}
