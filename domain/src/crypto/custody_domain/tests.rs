use super::*;
use crate::crypto::samples::{initial_state, small_address};

fn domain() -> CustodyDomain {
    CustodyDomain::new(ChainId::new(31337), small_address(0xcc))
}

#[test]
fn the_types_are_the_contract_s() {
    let state = "0xb02e61f8dbbfba070321cdff64845b04358ee41db88ba372ef47e352446f4b9c";
    assert_eq!(STATE_TYPE.to_string(), state);
    let challenge = "0x74875af04779d70f933aef147d5751a32a32b3fa275f5022499f396ea394cf53";
    assert_eq!(CHALLENGE_TYPE.to_string(), challenge);
}

#[test]
fn separator_struct_and_digest_are_the_contract_s() {
    let separator = "0x49577831bf943aebaba1c9c8510aa7ade31ef351f43ec3098bf3622cc109f686";
    assert_eq!(domain().separator().to_string(), separator);
    let of_struct = "0xddef22e864619751664877aa95651a050f66ba8150d1d03ec3458c008974051e";
    assert_eq!(struct_hash(*STATE_TYPE, &initial_state()).to_string(), of_struct);
    let digest = "0x10021b269531a13864d855d6c6df492546e93663d7c3d90b138e730aced91eb8";
    assert_eq!(domain().state_digest(&initial_state()).to_string(), digest);
}

#[test]
fn contract_chain_and_purpose_each_make_another_digest() {
    let state = initial_state();
    let digest = domain().state_digest(&state);
    let elsewhere = CustodyDomain::new(ChainId::new(31337), small_address(0xcd));
    let on_another_chain = CustodyDomain::new(ChainId::new(1), small_address(0xcc));
    assert_ne!(elsewhere.state_digest(&state), digest);
    assert_ne!(on_another_chain.state_digest(&state), digest);
    assert_ne!(domain().challenge_digest(&state), digest);
}
