//! `settlement`: a settlement of the participant has come further.

use crate::protocol::method::get_settlement::Settlement;

/// How far it has come.
pub type Content = Settlement;

/// An example of [`Content`].
pub const EXAMPLE: &str = r#"{"channel_id":"0x591c384d9836a58901ad512eb699950f38c3e516fecfa4b280da6ab4227e6241","chain_id":31337,"token":"0x00000000000000000000000000000000000000bb","amount":"5000000","status":"requested","created_at":1700000060000,"updated_at":1700000061000}"#;
