//! The part of `config.toml` that tells the broker of local chains.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::local_chain::{LocalChain, LocalToken};

/// The least challenge that the custody contract takes.
const MIN_CHALLENGE_SECS: u64 = 3_600;

/// Writes `[[networks]]` and `[[assets]]` for local chains, each with the URL of its node. Tokens of one
/// symbol make one asset, shown with the decimals of the first.
#[must_use]
pub fn config_sections(chains: &[(&LocalChain, String)]) -> String {
    let mut text = String::new();
    for (chain, rpc_url) in chains {
        let deployed = chain.deployed();
        let lines = [
            "[[networks]]".to_owned(),
            format!("name = \"{}\"", chain.name()),
            deployed.config_lines().trim_end().to_owned(),
            format!("rpc_url = \"{rpc_url}\""),
            "confirmations = 0".to_owned(),
            "dev = true".to_owned(),
            format!("min_challenge_secs = {MIN_CHALLENGE_SECS}"),
        ];
        push_section(&mut text, &lines);
    }
    for (symbol, tokens) in assets(chains) {
        let decimals = tokens.first().map_or(0, |(_, token)| token.plan.decimals);
        let asset =
            ["[[assets]]".to_owned(), format!("symbol = \"{symbol}\""), format!("decimals = {decimals}")];
        push_section(&mut text, &asset);
        for (network, token) in tokens {
            let lines = [
                "[[assets.tokens]]".to_owned(),
                format!("network = \"{network}\""),
                format!("address = \"{}\"", token.address),
                format!("decimals = {}", token.plan.decimals),
            ];
            push_section(&mut text, &lines);
        }
    }
    text
}

/// The tokens of all chains by symbol, in the order of the chains.
fn assets<'c>(chains: &'c [(&LocalChain, String)]) -> BTreeMap<&'c str, Vec<(&'c str, &'c LocalToken)>> {
    let mut assets: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (chain, _) in chains {
        for token in chain.tokens() {
            assets.entry(token.plan.symbol.as_str()).or_default().push((chain.name(), token));
        }
    }
    assets
}

fn push_section(text: &mut String, lines: &[String]) {
    for line in lines {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    }
    text.push('\n');
}
