//! The one frame that precedes both dialects.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::crypto::{NitroText, Signature};
use crate::primitives::Timestamp;
use crate::protocol::json::{JsonFault, decode_object};
use crate::protocol::method::get_assets;

/// The asset list, sent on connect before anything else, in the form and with the signature of the NitroRPC
/// dialect: its clients may wait for it. It has no type, so clients of the Clearnet dialect ignore it.
#[derive(Debug, Clone)]
pub struct AssetsFrame {
    res: Box<RawValue>,
}

#[derive(Serialize)]
struct Outgoing<'a> {
    res: &'a RawValue,
    sig: [Signature; 1],
}

#[derive(serde::Deserialize)]
struct Incoming {
    res: (u64, String, get_assets::Reply, Timestamp),
}

impl AssetsFrame {
    /// Makes the frame.
    ///
    /// # Panics
    /// Never: lists of assets can be written as JSON.
    #[must_use]
    pub fn new(assets: &get_assets::Reply, at: Timestamp) -> Self {
        let res = serde_json::value::to_raw_value(&(0, "assets", assets, at));
        Self { res: res.expect("lists of assets can be written as JSON") }
    }

    /// The text that the broker signs.
    ///
    /// # Panics
    /// Never: it is an array.
    #[must_use]
    pub fn text(&self) -> NitroText {
        NitroText::new(self.res.get()).expect("JSON written here is an array without zero bytes")
    }

    /// Writes the frame with the broker's signature over [`AssetsFrame::text`].
    ///
    /// # Panics
    /// Never: raw JSON and signatures can be written as JSON.
    #[must_use]
    pub fn encode(&self, signature: Signature) -> String {
        let frame = Outgoing { res: &self.res, sig: [signature] };
        serde_json::to_string(&frame).expect("raw JSON and signatures can be written as JSON")
    }

    /// Reads the asset list out of the frame.
    ///
    /// # Errors
    /// Where it is not that frame.
    pub fn decode(text: &str) -> Result<get_assets::Reply, JsonFault> {
        let Incoming { res: (id, method, assets, _) } = decode_object(text)?;
        if (id, method.as_str()) == (0, "assets") {
            Ok(assets)
        } else {
            Err(JsonFault::at("res", "is not the asset list"))
        }
    }
}
