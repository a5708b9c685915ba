//! What the domain writes by hand equals what ethers makes of the same values.

#![allow(clippy::unwrap_used)]

use domain::crypto::{
    Allocation, CustodyDomain, DirectParams, DirectState, Intent, SigningKey, VirtualAllocation,
    VirtualAllocations, VirtualIntent, VirtualState, decode_resize, eip191_digest, encode_resize, keccak256,
};
use domain::primitives::{Address, Amount, ChainId, ChannelId, Delta, Digest, Token, Version};
use ethers_core::abi::{self, Token as Abi};
use ethers_core::types::transaction::eip712::{Eip712, TypedData};
use ethers_core::types::transaction::eip2718::TypedTransaction;
use ethers_core::types::{H160, I256, U256};
use ethers_core::utils::{hash_message, keccak256 as hash, rlp};
use evm::{Call, Fees, Transaction};
use proptest::prelude::*;
use serde_json::json;

fn abi_address(address: Address) -> Abi {
    Abi::Address(H160(*address.as_bytes()))
}

fn abi_amount(amount: Amount) -> Abi {
    Abi::Uint(U256::from_big_endian(&amount.to_be_bytes()))
}

fn abi_allocations(allocations: &[Allocation]) -> Abi {
    let allocation = |a: &Allocation| {
        Abi::Tuple(vec![abi_address(a.destination), abi_address(a.token), abi_amount(a.amount)])
    };
    Abi::Array(allocations.iter().map(allocation).collect())
}

/// The five values that a state is packed of.
fn abi_state(state: &DirectState) -> Vec<Abi> {
    vec![
        Abi::FixedBytes(state.channel_id.as_bytes().to_vec()),
        Abi::Uint(u64::from(state.intent.number()).into()),
        Abi::Uint(state.version.get().into()),
        Abi::Bytes(state.data.clone()),
        abi_allocations(&state.allocations),
    ]
}

fn addresses() -> impl Strategy<Value = Address> {
    any::<[u8; 20]>().prop_map(Address::from_bytes)
}

fn amounts() -> impl Strategy<Value = Amount> {
    any::<[u8; 32]>().prop_map(Amount::from_be_bytes)
}

fn versions() -> impl Strategy<Value = Version> {
    (0..=Version::MAX.get()).prop_map(|number| Version::new(number).unwrap())
}

fn allocations() -> impl Strategy<Value = Allocation> {
    (addresses(), addresses(), amounts()).prop_map(|(destination, token, amount)| Allocation {
        destination,
        token,
        amount,
    })
}

fn states() -> impl Strategy<Value = DirectState> {
    let data = proptest::collection::vec(any::<u8>(), 0..100);
    (any::<[u8; 32]>(), 0..4_u8, versions(), data, [allocations(), allocations()]).prop_map(
        |(id, intent, version, data, allocations)| DirectState {
            channel_id: ChannelId::from_bytes(id),
            intent: Intent::from_number(intent).unwrap(),
            version,
            data,
            allocations,
        },
    )
}

/// Amounts that fit a number with sign, and a sign.
fn deltas() -> impl Strategy<Value = (Delta, I256)> {
    let halves = amounts().prop_map(|amount| U256::from_big_endian(&amount.to_be_bytes()) >> 1);
    (halves, any::<bool>()).prop_map(|(size, is_more)| {
        let mut bytes = [0; 32];
        size.to_big_endian(&mut bytes);
        let (amount, number) = (Amount::from_be_bytes(bytes), I256::from_raw(size));
        if is_more { (Delta::more(amount), number) } else { (Delta::less(amount), -number) }
    })
}

proptest! {
    #[test]
    fn ids_of_direct_channels_are_those_of_the_contract(
        participants in [addresses(), addresses()],
        adjudicator in addresses(),
        challenge_secs: u64,
        nonce: u64,
        chain_id: u64,
    ) {
        let params =
            DirectParams { participants, adjudicator, challenge_secs, nonce, chain_id: ChainId::new(chain_id) };
        let encoded = abi::encode(&[
            Abi::Array(participants.map(abi_address).to_vec()),
            abi_address(adjudicator),
            Abi::Uint(challenge_secs.into()),
            Abi::Uint(nonce.into()),
            Abi::Uint(chain_id.into()),
        ]);
        prop_assert_eq!(*params.channel_id().as_bytes(), hash(encoded));
    }

    #[test]
    fn states_are_packed_as_the_contract_packs_them(state in states()) {
        let packed = abi::encode(&abi_state(&state));
        prop_assert_eq!(state.packed(), packed.clone());
        prop_assert_eq!(*state.hash().as_bytes(), hash(&packed));
        prop_assert_eq!(*eip191_digest(&packed).as_bytes(), hash_message(&packed).0);
    }

    #[test]
    fn typed_states_hash_their_allocations_as_one_blob(state in states(), custody in addresses(), chain_id: u64) {
        let separator = hash(abi::encode(&[
            Abi::FixedBytes(hash(
                "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
            ).to_vec()),
            Abi::FixedBytes(hash("Nitrolite:Custody").to_vec()),
            Abi::FixedBytes(hash("0.3.0").to_vec()),
            Abi::Uint(chain_id.into()),
            abi_address(custody),
        ]));
        let of = |name: &str| {
            let types = format!(
                "{name}(bytes32 channelId,uint8 intent,uint256 version,bytes data,Allocation[] allocations)\
                Allocation(address destination,address token,uint256 amount)"
            );
            let mut values = abi_state(&state);
            values[3] = Abi::FixedBytes(hash(&state.data).to_vec());
            values[4] = Abi::FixedBytes(hash(abi::encode(&[abi_allocations(&state.allocations)])).to_vec());
            values.insert(0, Abi::FixedBytes(hash(types).to_vec()));
            let parts = [b"\x19\x01".as_slice(), &separator, &hash(abi::encode(&values))];
            Digest::from_bytes(hash(parts.concat()))
        };
        let domain = CustodyDomain::new(ChainId::new(chain_id), custody);
        prop_assert_eq!(domain.separator(), Digest::from_bytes(separator));
        prop_assert_eq!(domain.state_digest(&state), of("AllowStateHash"));
        prop_assert_eq!(domain.challenge_digest(&state), of("AllowChallengeStateHash"));
    }

    #[test]
    fn deltas_are_a_list_of_numbers_with_sign(pair in [deltas(), deltas()]) {
        let numbers = pair.map(|(_, number)| Abi::Int(number.into_raw())).to_vec();
        let encoded = encode_resize(pair.map(|(delta, _)| delta)).unwrap();
        prop_assert_eq!(&encoded, &abi::encode(&[Abi::Array(numbers)]));
        prop_assert_eq!(decode_resize(&encoded), Ok(pair.map(|(delta, _)| delta)));
    }

    #[test]
    fn virtual_states_are_typed_data_that_any_wallet_signs(
        broker in addresses(),
        id: [u8; 32],
        version in versions(),
        data_hash: [u8; 32],
        shares in proptest::collection::vec((addresses(), any::<u64>(), addresses(), amounts()), 0..4),
    ) {
        let allocation = |&(participant, chain_id, address, amount): &(_, u64, _, _)| {
            let token = Token { chain_id: ChainId::new(chain_id), address };
            VirtualAllocation { participant, token, amount }
        };
        let members: Vec<Address> = shares.iter().map(|share| share.0).collect();
        let allocations = VirtualAllocations::new(&members, shares.iter().map(allocation)).unwrap();
        let listed: Vec<_> = allocations.as_slice().iter().map(|a| json!({
            "participant": a.participant,
            "chainId": a.token.chain_id,
            "token": a.token.address,
            "amount": a.amount,
        })).collect();
        let state = VirtualState {
            broker,
            channel_id: ChannelId::from_bytes(id),
            version,
            intent: VirtualIntent::Close,
            data_hash: Digest::from_bytes(data_hash),
            allocations,
        };
        let field = |name: &str, kind: &str| json!({ "name": name, "type": kind });
        let typed: TypedData = serde_json::from_value(json!({
            "domain": { "name": "Clearnet", "version": "1" },
            "primaryType": "VirtualState",
            "types": {
                "EIP712Domain": [field("name", "string"), field("version", "string")],
                "VirtualState": [
                    field("broker", "address"), field("channelId", "bytes32"), field("version", "uint64"),
                    field("intent", "uint8"), field("dataHash", "bytes32"), field("allocations", "Allocation[]"),
                ],
                "Allocation": [
                    field("participant", "address"), field("chainId", "uint64"), field("token", "address"),
                    field("amount", "uint256"),
                ],
            },
            "message": {
                "broker": broker, "channelId": state.channel_id, "version": version,
                "intent": 3, "dataHash": state.data_hash, "allocations": listed,
            },
        })).unwrap();
        prop_assert_eq!(*state.digest().as_bytes(), typed.encode_eip712().unwrap());
    }

    #[test]
    fn signed_transactions_are_those_of_their_signer(
        seed: [u8; 32],
        to in proptest::option::of(addresses()),
        value in amounts(),
        data in proptest::collection::vec(any::<u8>(), 0..100),
        numbers: [u64; 3],
        fees: [u128; 2],
    ) {
        let key = SigningKey::from_bytes(*keccak256(&[&seed]).as_bytes()).unwrap();
        let [chain_id, nonce, gas_limit] = numbers;
        let transaction = Transaction {
            chain_id: ChainId::new(chain_id),
            nonce,
            gas_limit,
            fees: Fees { max_per_gas: fees[0], max_priority_per_gas: fees[1] },
            call: Call { to, value, data: data.clone() },
        };
        let signed = transaction.sign(&key);
        let (read, signature) = TypedTransaction::decode_signed(&rlp::Rlp::new(&signed.raw)).unwrap();
        prop_assert_eq!(signature.recover(read.sighash()).unwrap().0, *key.address().as_bytes());
        prop_assert_eq!(read.hash(&signature).0, *signed.hash.as_bytes());
        prop_assert_eq!(read.to_addr().map(|to| to.0), to.map(|to| *to.as_bytes()));
        prop_assert_eq!(read.value().copied(), Some(U256::from_big_endian(&value.to_be_bytes())));
        prop_assert_eq!(read.data().map(|data| data.to_vec()).unwrap_or_default(), data);
        prop_assert_eq!(read.chain_id().map(|id| id.as_u64()), Some(chain_id));
        prop_assert_eq!(read.nonce().map(U256::as_u64), Some(nonce));
        prop_assert_eq!(read.gas().map(U256::as_u64), Some(gas_limit));
        let read = read.as_eip1559_ref().unwrap();
        prop_assert_eq!(read.max_fee_per_gas.map(|fee| fee.as_u128()), Some(fees[0]));
        prop_assert_eq!(read.max_priority_fee_per_gas.map(|fee| fee.as_u128()), Some(fees[1]));
    }
}
