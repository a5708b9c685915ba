//! How deep JSON is nested, before anything recursive touches it.

/// Whether arrays and objects of `json` are nested deeper than `levels`.
///
/// Looks at brackets outside strings only: for text that is no JSON the answer means nothing.
pub(in crate::protocol) fn is_deeper_than(json: &str, levels: usize) -> bool {
    let mut depth = 0_usize;
    let mut is_in_string = false;
    let mut is_escaped = false;
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_in_string => is_escaped = true,
            b'"' => is_in_string = !is_in_string,
            b'[' | b'{' if !is_in_string => {
                depth += 1;
                if depth > levels {
                    return true;
                }
            }
            b']' | b'}' if !is_in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}
