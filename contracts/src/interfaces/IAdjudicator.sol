// SPDX-License-Identifier: MIT
// Copyright (c) The Clearnet contributors
pragma solidity ^0.8.28;

import {Channel, State} from "../Types.sol";

/// @title IAdjudicator
/// @notice Judges states of the channels that name it. Custody checks signatures, versions and amounts by itself:
/// an adjudicator can refuse a state, it cannot make a bad one good.
interface IAdjudicator {
    /// @notice Says whether `candidate` is acceptable, given `proofs`.
    /// @dev Not a view: a signature may name a factory that deploys its signer.
    function adjudicate(Channel calldata chan, State calldata candidate, State[] calldata proofs)
        external
        returns (bool);
}

/// @title IChannelBound
/// @notice Optional on adjudicators: names the one custody contract whose states they judge.
interface IChannelBound {
    function channelImpl() external view returns (address);
}
