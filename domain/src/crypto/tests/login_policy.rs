//! The typed data with which wallets log in to the NitroRPC dialect, put together here as a check that hashing
//! and signing agree with the official client.

use crate::crypto::abi::Words;
use crate::crypto::samples::{session_key, user};
use crate::crypto::typed_data::typed_bytes;
use crate::crypto::{keccak256, recover};
use crate::primitives::Digest;

const POLICY: &[u8] = b"Policy(string challenge,string scope,address wallet,address session_key,\
    uint64 expires_at,Allowance[] allowances)";
const ALLOWANCE: &[u8] = b"Allowance(string asset,string amount)";

fn hash(text: &str) -> Digest {
    keccak256(&[text.as_bytes()])
}

#[test]
fn the_official_client_s_login_is_signed_alike() {
    let domain_type = hash("EIP712Domain(string name)");
    let expected = "0xb2178a58fb1eefb359ecfdd57bb19c0bdd0f4e6eed8547f46600e500ed111af3";
    assert_eq!(domain_type.to_string(), expected);
    let separator = Words::default().hash(domain_type).hash(hash("Test App")).keccak();
    let expected = "0xe787115c957cac16885b4a7dcb4db795a7f62f484434e3f362518d13ed976d03";
    assert_eq!(separator.to_string(), expected);

    let policy_type = keccak256(&[POLICY, ALLOWANCE]);
    let expected = "0x39d49a799f0758ecfa0ea75105435a9ac29f336f90e017251352ca03eb7d2aee";
    assert_eq!(policy_type.to_string(), expected);
    let allowance = Words::default().hash(keccak256(&[ALLOWANCE])).hash(hash("usdc")).hash(hash("100.5"));
    let policy = Words::default()
        .hash(policy_type)
        .hash(hash("550e8400-e29b-41d4-a716-446655440000"))
        .hash(hash("app.create"))
        .address(user().address())
        .address(session_key().address())
        .number(1_800_000_000)
        .hash(Words::default().hash(allowance.keccak()).keccak());
    let digest = keccak256(&[&typed_bytes(separator, policy.keccak())]);
    let expected = "0xaf7b868c56a7be9e83fe48f88334acdea687d376569399b8d9b384f2048935b8";
    assert_eq!(digest.to_string(), expected);

    let signature = "0xa1be190487b5569eacf04fdc162589e44329c33699158506d11084da8736e2aa\
        7c81a0a258bf26b4a31665599448b004c1c6903cac04bb8ad867ecf7ecfdfd0c1c";
    assert_eq!(user().sign(digest).to_string(), signature);
    assert_eq!(recover(digest, &signature.parse().unwrap()), Ok(user().address()));
}
