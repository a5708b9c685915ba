//! The one table of methods.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{
    accept_virtual_channel, cancel_virtual_channel, close_app_session, close_channel, create_app_session,
    create_channel, delegate_session_key, get_app_definition, get_app_sessions, get_assets, get_channels,
    get_config, get_ledger_balances, get_ledger_entries, get_ledger_transactions, get_session_keys,
    get_settlement, get_state, ping, propose_virtual_channel, reject_virtual_channel, revoke_session_key,
    settle, submit_app_state, test_fund, test_reset, transfer, update_state,
};
use crate::protocol::json::{JsonFault, decode_object};

/// The parameters of one method.
pub trait Params: Serialize + DeserializeOwned {
    /// The method.
    const METHOD: Method;
    /// What it is answered with.
    type Reply: Serialize + DeserializeOwned;
}

/// Whose signatures a method needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signing {
    /// None: the session says who asks. Signatures that are there are not looked at.
    Session,
    /// The requester's, who is the participant of the session: over the request, or over a carried state whose
    /// data is the hash of the request.
    Requester,
    /// The requester's over the request itself: the carried state has no room for the hash.
    RequesterItself,
    /// The requester's and that of the session key, both over the request itself.
    RequesterAndKey,
    /// The requester's, and over the virtual state in `approvals` those of members that reach the quorum.
    Approvals,
    /// Those of all members of the definition, each as [`Signing::Requester`].
    Members,
}

impl Signing {
    /// The name shown in the document.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Requester => "requester",
            Self::RequesterItself => "requester, over the request itself",
            Self::RequesterAndKey => "requester and session key, over the request itself",
            Self::Approvals => "requester; quorum in `approvals`",
            Self::Members => "all members",
        }
    }
}

/// Declares the methods: variant, name and module, whose signatures.
macro_rules! methods {
    ($($variant:ident $module:ident $signing:ident;)*) => {
        /// What can be asked for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Method {
            $(#[doc = concat!("`", stringify!($module), "`")] $variant,)*
        }

        impl Method {
            /// Every method, in the order of the document.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($module)),* }
            }

            /// Whose signatures it needs.
            #[must_use]
            pub const fn signing(self) -> Signing {
                match self { $(Self::$variant => Signing::$signing),* }
            }

            /// An example of its parameters, in JSON.
            #[must_use]
            pub const fn params_example(self) -> &'static str {
                match self { $(Self::$variant => $module::PARAMS_EXAMPLE),* }
            }

            /// An example of its reply, in JSON.
            #[must_use]
            pub const fn reply_example(self) -> &'static str {
                match self { $(Self::$variant => $module::REPLY_EXAMPLE),* }
            }
        }

        /// What a request asks for.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum Call {
            $(#[doc = concat!("`", stringify!($module), "`")] $variant($module::Params),)*
        }

        impl Call {
            /// Reads the parameters of a method.
            ///
            /// # Errors
            /// Where they are not those of the method.
            pub(in crate::protocol) fn decode(method: Method, params: &str) -> Result<Self, JsonFault> {
                match method { $(Method::$variant => decode_object(params).map(Self::$variant)),* }
            }

            /// The method.
            #[must_use]
            pub const fn method(&self) -> Method {
                match self { $(Self::$variant(_) => Method::$variant),* }
            }
        }

        $(
            impl Params for $module::Params {
                const METHOD: Method = Method::$variant;
                type Reply = $module::Reply;
            }
        )*

        /// The reply of a method read and written again, to hold the examples to the types.
        #[cfg(test)]
        pub(in crate::protocol) fn rewritten_reply(method: Method, reply: &str) -> Result<String, JsonFault> {
            match method {
                $(Method::$variant => {
                    let reply: $module::Reply = decode_object(reply)?;
                    Ok(serde_json::to_string(&reply).expect("replies can be written as JSON"))
                })*
            }
        }
    };
}

methods! {
    Ping ping Session;
    GetConfig get_config Session;
    GetAssets get_assets Session;
    GetChannels get_channels Session;
    GetState get_state Session;
    GetLedgerBalances get_ledger_balances Session;
    GetLedgerEntries get_ledger_entries Session;
    GetLedgerTransactions get_ledger_transactions Session;
    GetAppSessions get_app_sessions Session;
    GetAppDefinition get_app_definition Session;
    GetSettlement get_settlement Session;
    Transfer transfer Requester;
    UpdateState update_state Requester;
    CreateAppSession create_app_session Members;
    ProposeVirtualChannel propose_virtual_channel Requester;
    AcceptVirtualChannel accept_virtual_channel Requester;
    RejectVirtualChannel reject_virtual_channel Requester;
    CancelVirtualChannel cancel_virtual_channel Requester;
    SubmitAppState submit_app_state Approvals;
    CloseAppSession close_app_session Approvals;
    CreateChannel create_channel Session;
    CloseChannel close_channel RequesterItself;
    Settle settle RequesterItself;
    DelegateSessionKey delegate_session_key RequesterAndKey;
    RevokeSessionKey revoke_session_key Requester;
    GetSessionKeys get_session_keys Session;
    TestFund test_fund RequesterItself;
    TestReset test_reset RequesterItself;
}

impl Method {
    /// The method of this name; `None` when none is served.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|method| method.name() == name)
    }

    /// Whether it is served in test mode alone. Elsewhere there is no such method.
    #[must_use]
    pub const fn is_for_tests(self) -> bool {
        matches!(self, Self::TestFund | Self::TestReset)
    }
}
