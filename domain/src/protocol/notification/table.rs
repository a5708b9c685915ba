//! The one table of notifications.

use serde::Serialize;

use super::{balances, channel, settlement, virtual_channel};
use crate::protocol::json::{JsonFault, decode_object};

/// Declares the notifications: variant, name and module.
macro_rules! notifications {
    ($($variant:ident $module:ident;)*) => {
        /// What the broker tells unasked.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum Notification {
            $(#[doc = concat!("`", stringify!($module), "`")] $variant($module::Content),)*
        }

        impl Notification {
            /// The name and an example of each, in the order of the document.
            pub const EXAMPLES: &'static [(&'static str, &'static str)] =
                &[$((stringify!($module), $module::EXAMPLE)),*];

            /// The name on the wire.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => stringify!($module)),* }
            }

            /// Reads the content of a notification; `None` when this version knows none of that name.
            ///
            /// # Errors
            /// Where it is not the content of that notification.
            pub(in crate::protocol) fn decode(name: &str, content: &str) -> Result<Option<Self>, JsonFault> {
                match name {
                    $(stringify!($module) => decode_object(content).map(|it| Some(Self::$variant(it))),)*
                    _ => Ok(None),
                }
            }
        }
    };
}

notifications! {
    Balances balances;
    Channel channel;
    VirtualChannel virtual_channel;
    Settlement settlement;
}
