//! The error codes: every way in which the broker refuses something.
//!
//! One table for all of them; `docs/protocol.md` repeats it and a test compares. A code never changes its
//! meaning. Deliberately absent: which check comes first (the document says it, method by method).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What a refusal means for the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionEffect {
    /// An `error` frame answers, and the session goes on.
    Answer,
    /// An `error` frame answers, and the connection is closed.
    AnswerAndClose,
    /// The connection is closed with the code as its reason.
    Close,
}

impl SessionEffect {
    /// The name shown in the document.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::AnswerAndClose => "answer and close",
            Self::Close => "close",
        }
    }
}

/// Declares the codes: variant, name, whether the same may succeed later, what it means for the session,
/// fields of `details`, meaning.
macro_rules! codes {
    ($($variant:ident $name:literal $retry:ident $effect:ident [$($detail:literal),*] $meaning:literal;)*) => {
        /// Why the broker refuses something, by a name that never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = concat!("`", $name, "`: ", $meaning, ".")] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the document.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Whether the same request may succeed later without having been changed.
            #[must_use]
            pub const fn is_retryable(self) -> bool {
                match self { $(Self::$variant => codes!(@retry $retry)),* }
            }

            /// What it means for the session.
            #[must_use]
            pub const fn session_effect(self) -> SessionEffect {
                match self { $(Self::$variant => SessionEffect::$effect),* }
            }

            /// The fields that `details` may have.
            #[must_use]
            pub const fn details(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($detail),*]),* }
            }

            /// What it means, for people.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),* }
            }
        }
    };
    (@retry retry) => { true };
    (@retry never) => { false };
}

codes! {
    MalformedFrame "malformed_frame" never Answer ["field"]
        "the frame is not UTF-8, not one JSON object, or has a field twice";
    FrameTooLarge "frame_too_large" never AnswerAndClose ["max"]
        "the frame has more bytes than a frame may have";
    FrameTooDeep "frame_too_deep" never Answer ["max"]
        "arrays and objects are nested too deep";
    BinaryFrame "binary_frame" never Answer []
        "the frame is binary; this dialect speaks text";
    UnsupportedDialect "unsupported_dialect" never AnswerAndClose []
        "the frame is a bare NitroRPC message; that dialect is not served yet";
    UnknownType "unknown_type" never Answer ["field"]
        "the broker knows no frame of this type";
    InvalidFrame "invalid_frame" never Answer ["field"]
        "a field of the frame is missing or not what it should be";
    MessageTooLarge "message_too_large" never Answer ["max"]
        "what should be delivered in a room has too many bytes";

    AuthRequired "auth_required" never Answer []
        "log in first";
    AuthTimeout "auth_timeout" never AnswerAndClose []
        "nobody logged in on this connection in time";
    AlreadyAuthenticated "already_authenticated" never Answer ["participant"]
        "the session belongs to a participant already; open another connection for another one";
    TooManyAttempts "too_many_attempts" never AnswerAndClose ["max"]
        "too many logins were tried on this connection";
    ChallengeUnknown "challenge_unknown" never Answer []
        "the message is not the one challenge that this connection has open; `auth` without `message` gets one";
    ChallengeExpired "challenge_expired" never Answer ["now"]
        "the challenge is too old; `auth` without `message` gets another one";
    InvalidPublicKey "invalid_public_key" never Answer []
        "`pub_key` is no public key, 65 bytes beginning with 04 or 33 beginning with 02 or 03";

    InvalidEnvelope "invalid_envelope" never Answer ["field"]
        "`data` of an `rpc` frame is not a request as it should be";
    UnknownMethod "unknown_method" never Answer []
        "the broker serves no method of this name";
    InvalidParams "invalid_params" never Answer ["field"]
        "the parameters are not those of the method; amounts, ids and signatures that cannot be read are meant too";
    Early "early" never Answer ["now"]
        "the time inside the request is too far ahead of the broker's clock; nothing has happened";
    Expired "expired" never Answer ["now"]
        "the time inside the request is too long ago and the request is not known; nothing has happened or will";
    TooOld "too_old" never Answer ["now"]
        "the time inside the request is before what is kept; nothing is said about whether it was carried out";
    Conflict "conflict" never Answer []
        "another request was made with this time and id";

    BadSignature "bad_signature" never Answer ["expected_digest", "recovered"]
        "a signature yields no signer, or another one than `pub_key` says";
    MissingSignature "missing_signature" never Answer ["expected_digest", "participant"]
        "somebody whose signature is needed has not signed";
    UnknownSigner "unknown_signer" never Answer ["expected_digest", "recovered", "position"]
        "a signature is by nobody who is expected to sign, or over something else";
    DuplicateSigner "duplicate_signer" never Answer ["participant"]
        "somebody signed twice";

    UnknownChain "unknown_chain" never Answer ["chain_id"]
        "the broker is not on this chain";
    UnknownToken "unknown_token" never Answer ["chain_id", "token"]
        "the broker does not take this token";
    UnknownChannel "unknown_channel" never Answer ["channel_id"]
        "there is no such channel, or it is none of yours";
    InvalidDestination "invalid_destination" never Answer ["participant"]
        "this address cannot be paid: the payer itself, the broker, or the zero address";
    InvalidAmount "invalid_amount" never Answer ["field", "participant", "chain_id", "token"]
        "an amount is zero where money must move, a line repeats another, a deposit takes or a withdrawal gives, or a sum is above 2^256 - 1";

    InsufficientBalance "insufficient_balance" never Answer
        ["participant", "chain_id", "token", "available", "requested"]
        "there is not enough money";
    NoDirectChannel "no_direct_channel" never Answer ["participant"]
        "a member has no open direct channel";
    ChallengeTooShort "challenge_too_short" never Answer ["channel_id", "min", "max"]
        "the challenge period is out of bounds, or too short for the participant's part to shrink";
    ChannelFrozen "channel_frozen" never Answer ["channel_id"]
        "the channel is being closed or disputed, and signs nothing";
    ChannelClosed "channel_closed" never Answer ["channel_id"]
        "the channel is closed";
    ChannelExpired "channel_expired" never Answer ["channel_id"]
        "the lifetime of the channel, or the time to accept its proposal, is over";
    ChannelExists "channel_exists" never Answer ["channel_id"]
        "there is a channel of these terms already";
    StaleVersion "stale_version" never Answer ["channel_id", "current", "current_version", "app_session"]
        "the version does not follow the newest one";
    InvalidState "invalid_state" never Answer ["channel_id", "field", "current"]
        "a carried state is not what the request comes to";
    MissingState "missing_state" never Answer ["channel_id"]
        "the request needs the next state of a channel and does not carry it";

    InvalidDefinition "invalid_definition" never Answer ["field"]
        "the terms of the virtual channel are not acceptable";
    UnsupportedProtocol "unsupported_protocol" never Answer []
        "the broker does not know the rules that the definition names";
    WrongPhase "wrong_phase" never Answer ["channel_id"]
        "a proposal that is not open yet takes no states, and an open channel is no proposal";
    TermsDiffer "terms_differ" never Answer ["channel_id", "field"]
        "what is accepted is not what was proposed";
    NotAMember "not_a_member" never Answer ["participant"]
        "somebody who is named is no member of the channel";
    TotalDiffers "total_differs" never Answer ["chain_id", "token", "available", "requested"]
        "the allocations of a token do not sum to what the channel holds";
    QuorumNotReached "quorum_not_reached" never Answer ["reached", "required"]
        "the weights of those who signed are less than the quorum";
    WrongRole "wrong_role" never Answer []
        "this is for the other side of the room: the Host proposes, cancels and responds, the Guest accepts, rejects and requests; channels of more members have neither";

    UnknownSessionKey "unknown_session_key" never Answer ["participant"]
        "the key is no session key of the participant, or has ended";
    SessionKeyEnded "session_key_ended" never AnswerAndClose []
        "the session key that logged in has expired or was revoked";
    SessionKeyExists "session_key_exists" never Answer ["participant"]
        "the key is a session key of the participant already";
    SessionKeyForbidden "session_key_forbidden" never Answer ["participant"]
        "a session key may not sign this: it is out of its scope, or for the participant alone";
    SessionKeyCap "session_key_cap" never Answer ["asset", "available", "requested"]
        "the session key would spend more than it may";

    LiquidityShort "liquidity_short" retry Answer ["chain_id", "token", "available", "requested"]
        "the broker has not enough of the token on that chain at the moment";
    ChainUnavailable "chain_unavailable" retry Answer ["chain_id"]
        "the broker cannot reach the chain at the moment";
    RateLimited "rate_limited" retry Answer []
        "too many requests; wait";
    LimitReached "limit_reached" never Answer ["max"]
        "there are as many of these as a participant may have";
    Overloaded "overloaded" retry Answer []
        "too much is being done; this copy of the request has done nothing";
    Unavailable "unavailable" retry Answer []
        "the outcome is unknown: send the same signed bytes again";

    SlowConsumer "slow_consumer" retry Close []
        "the client does not read what it is sent";
    TooManySessions "too_many_sessions" retry AnswerAndClose ["max"]
        "there are as many sessions as there may be";
}

impl Code {
    /// The code of this name; `None` when there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| de::Error::custom("unknown error code"))
    }
}
