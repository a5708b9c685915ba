// SPDX-License-Identifier: MIT
// Copyright (c) The Clearnet contributors
pragma solidity ^0.8.28;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {Channel, PARTICIPANTS, State} from "../Types.sol";

/// @notice The three digests an ECDSA signature of one message may be over.
/// @param raw keccak256 of the message; also what a contract wallet is asked about
/// @param prefixed the message as wallets sign text
/// @param typed the message as typed data; equal to `raw` where typed data is not supported
struct Digests {
    bytes32 raw;
    bytes32 prefixed;
    bytes32 typed;
}

/// @title States
/// @notice Ids, hashes and comparisons of channels and states. Knows nothing of storage and signatures.
library States {
    /// @dev Stands for "no domain": typed data is not supported.
    bytes32 internal constant NO_EIP712_SUPPORT = keccak256("NoEIP712Support");

    bytes32 internal constant STATE_TYPEHASH = keccak256(
        "AllowStateHash(bytes32 channelId,uint8 intent,uint256 version,bytes data,Allocation[] allocations)"
        "Allocation(address destination,address token,uint256 amount)"
    );

    bytes32 internal constant CHALLENGE_STATE_TYPEHASH = keccak256(
        "AllowChallengeStateHash(bytes32 channelId,uint8 intent,uint256 version,bytes data,Allocation[] allocations)"
        "Allocation(address destination,address token,uint256 amount)"
    );

    /// @notice Id of a channel on this chain. It does not depend on the custody contract.
    function idOf(Channel memory ch) internal view returns (bytes32) {
        return keccak256(abi.encode(ch.participants, ch.adjudicator, ch.challenge, ch.nonce, block.chainid));
    }

    /// @notice The bytes that signatures of a state cover.
    function pack(bytes32 channelId, State memory state) internal pure returns (bytes memory) {
        return abi.encode(channelId, state.intent, state.version, state.data, state.allocations);
    }

    /// @notice Digests of a state.
    function digests(bytes32 channelId, State memory state, bytes32 domainSeparator)
        internal
        pure
        returns (Digests memory)
    {
        return _digests(pack(channelId, state), _structHash(STATE_TYPEHASH, channelId, state), domainSeparator);
    }

    /// @notice Digests of a challenge with a state: the packed state followed by the word "challenge".
    function challengeDigests(bytes32 channelId, State memory state, bytes32 domainSeparator)
        internal
        pure
        returns (Digests memory)
    {
        return _digests(
            bytes.concat(pack(channelId, state), "challenge"),
            _structHash(CHALLENGE_STATE_TYPEHASH, channelId, state),
            domainSeparator
        );
    }

    /// @notice Whether two states of one channel are the same but for their signatures.
    function isSame(State memory a, State memory b) internal pure returns (bool) {
        return keccak256(pack(0, a)) == keccak256(pack(0, b));
    }

    /// @notice Whether there is one allocation per participant, all of `token`.
    function isOf(State memory state, address token) internal pure returns (bool) {
        return state.allocations.length == PARTICIPANTS && state.allocations[0].token == token
            && state.allocations[1].token == token;
    }

    /// @notice Whether the allocations are of `token` and sum to `balance` exactly.
    function fits(State memory state, address token, uint256 balance) internal pure returns (bool) {
        return isOf(state, token) && state.allocations[0].amount <= balance
            && state.allocations[1].amount == balance - state.allocations[0].amount;
    }

    /// @notice All states but the first.
    function tail(State[] memory states) internal pure returns (State[] memory rest) {
        rest = new State[](states.length - 1);
        for (uint256 i = 0; i < rest.length; i++) {
            rest[i] = states[i + 1];
        }
    }

    /// @dev The type string is that of standard typed data, but allocations are hashed as one encoded array.
    function _structHash(bytes32 typeHash, bytes32 channelId, State memory state) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                typeHash,
                channelId,
                state.intent,
                state.version,
                keccak256(state.data),
                keccak256(abi.encode(state.allocations))
            )
        );
    }

    function _digests(bytes memory message, bytes32 structHash, bytes32 domainSeparator)
        private
        pure
        returns (Digests memory)
    {
        bytes32 raw = keccak256(message);
        return Digests({
            raw: raw,
            prefixed: MessageHashUtils.toEthSignedMessageHash(message),
            typed: domainSeparator == NO_EIP712_SUPPORT
                ? raw
                : MessageHashUtils.toTypedDataHash(domainSeparator, structHash)
        });
    }
}
