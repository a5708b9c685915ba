//! `settlement`: a settlement of the participant has come further.

use super::super::method::get_settlement::Settlement;

/// How far it has come.
pub type Content = Settlement;

/// An example of [`Content`].
pub const EXAMPLE: &str = r#"SETTLEMENT"#;
