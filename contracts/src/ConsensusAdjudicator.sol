// SPDX-License-Identifier: MIT
// Copyright (c) The Clearnet contributors
pragma solidity ^0.8.28;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import {Channel, State, StateIntent} from "./Types.sol";
import {IAdjudicator, IChannelBound} from "./interfaces/IAdjudicator.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {States} from "./libraries/States.sol";

/// @title ConsensusAdjudicator
/// @notice Accepts what both participants have signed: version 0 as INITIALIZE, every later version as anything else.
/// Proofs are refused. It serves the one custody contract that it was made for; there is no owner.
contract ConsensusAdjudicator is IAdjudicator, IChannelBound {
    /// @inheritdoc IChannelBound
    address public immutable channelImpl;

    /// @param custody contract whose channels are judged and whose typed-data domain states are signed in
    constructor(address custody) {
        channelImpl = custody;
    }

    /// @inheritdoc IAdjudicator
    /// @dev Reverts as custody does if a signature is malformed.
    function adjudicate(Channel memory chan, State memory candidate, State[] memory proofs) external returns (bool) {
        if (proofs.length != 0) return false;
        if ((candidate.version == 0) != (candidate.intent == StateIntent.INITIALIZE)) return false;
        return Signatures.areOf(
            States.digests(States.idOf(chan), candidate, getChannelImplDomainSeparator()),
            candidate.sigs,
            chan.participants
        );
    }

    /// @notice Separator of the custody contract's typed-data domain, or the hash that stands for "no domain" if that
    /// contract is not deployed or does not describe a domain of name, version, chain and contract.
    function getChannelImplDomainSeparator() public view returns (bytes32) {
        if (channelImpl.code.length == 0) return States.NO_EIP712_SUPPORT;
        try IERC5267(channelImpl).eip712Domain() returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32,
            uint256[] memory
        ) {
            if (fields != 0x0f) return States.NO_EIP712_SUPPORT;
            return keccak256(
                abi.encode(
                    keccak256(
                        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                    ),
                    keccak256(bytes(name)),
                    keccak256(bytes(version)),
                    chainId,
                    verifyingContract
                )
            );
        } catch {
            return States.NO_EIP712_SUPPORT;
        }
    }
}
