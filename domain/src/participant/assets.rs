//! Which token belongs to which asset, and what amounts of tokens are worth in it.

use std::collections::BTreeMap;

use crate::primitives::{Amount, Asset, Token};

/// The asset that a token belongs to, and how both are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetOf {
    /// The asset.
    pub asset: Asset,
    /// How many decimals amounts of the token have.
    pub token_decimals: u8,
    /// How many decimals amounts of the asset have.
    pub asset_decimals: u8,
}

/// The assets of all tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AssetTable(BTreeMap<Token, AssetOf>);

impl FromIterator<(Token, AssetOf)> for AssetTable {
    fn from_iter<I: IntoIterator<Item = (Token, AssetOf)>>(assets: I) -> Self {
        Self(assets.into_iter().collect())
    }
}

impl AssetTable {
    /// Whether there is a token of this asset.
    #[must_use]
    pub fn contains(&self, asset: &Asset) -> bool {
        self.0.values().any(|of| of.asset == *asset)
    }

    /// These amounts, per asset in its smallest unit: what is finer counts as one unit more, what cannot be counted as
    /// the largest amount there is. Of a token that belongs to no asset nothing can be said: `None`.
    #[must_use]
    pub fn count(&self, amounts: &BTreeMap<Token, Amount>) -> Option<BTreeMap<Asset, Amount>> {
        let mut sums: BTreeMap<Asset, Amount> = BTreeMap::new();
        for (token, amount) in amounts {
            let AssetOf { asset, token_decimals, asset_decimals } = self.0.get(token)?;
            let worth = amount.scaled_up(*token_decimals, *asset_decimals).unwrap_or(Amount::MAX);
            let sum = sums.entry(asset.clone()).or_default();
            *sum = sum.checked_add(worth).unwrap_or(Amount::MAX);
        }
        Some(sums)
    }
}
