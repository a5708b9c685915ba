// SPDX-License-Identifier: MIT
// Copyright (c) The Clearnet contributors
pragma solidity ^0.8.28;

/// @title FactoryCall
/// @notice Calls a factory named by a signature from an address that owns nothing, and leaves no code behind.
/// @dev The factory and its calldata are chosen by whoever signs: the caller it sees must not be a contract that holds
/// money, or it would be made to send its own tokens.
contract FactoryCall {
    /// @dev Reverts if the factory does.
    constructor(address factory, bytes memory data) {
        (bool called,) = factory.call(data);
        assembly ("memory-safe") {
            if iszero(called) { revert(0, 0) }
            return(0, 0)
        }
    }
}
