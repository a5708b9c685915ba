// SPDX-License-Identifier: MIT
// Copyright (c) The Clearnet contributors
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import {CLIENT, PARTICIPANTS, SERVER} from "../Types.sol";

/// @title Deltas
/// @notice What a RESIZE moves: one signed amount per participant, positive into the channel, negative out of it.
library Deltas {
    using SignedMath for int256;

    /// @dev Nothing shorter can hold the offset, the length and two deltas.
    uint256 private constant ENCODED_BYTES_MIN = 128;

    /// @notice Reads the data of a RESIZE, abi.encode(int256[]). More may follow, for an adjudicator. Without two
    /// deltas `isTwo` is false, or decoding reverts without a reason.
    function decode(bytes memory data) internal pure returns (bool isTwo, int256[] memory deltas) {
        if (data.length < ENCODED_BYTES_MIN) return (false, deltas);
        deltas = abi.decode(data, (int256[]));
        isTwo = deltas.length == PARTICIPANTS;
    }

    /// @notice What a channel holds after both deltas, gains first. Not possible if that wraps or is below zero.
    function applyTo(int256[] memory deltas, uint256 balance) internal pure returns (bool possible, uint256 result) {
        (possible, result) = Math.tryAdd(balance, gain(deltas[CLIENT]));
        if (possible) (possible, result) = Math.tryAdd(result, gain(deltas[SERVER]));
        if (possible) (possible, result) = Math.trySub(result, loss(deltas[CLIENT]));
        if (possible) (possible, result) = Math.trySub(result, loss(deltas[SERVER]));
    }

    /// @notice What goes into the channel; zero if the delta is negative.
    function gain(int256 delta) internal pure returns (uint256) {
        return delta > 0 ? delta.abs() : 0;
    }

    /// @notice What comes out of the channel; zero if the delta is positive.
    function loss(int256 delta) internal pure returns (uint256) {
        return delta < 0 ? delta.abs() : 0;
    }
}
