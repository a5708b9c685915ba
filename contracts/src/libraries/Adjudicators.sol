// SPDX-License-Identifier: MIT
// Copyright (c) The Clearnet contributors
pragma solidity ^0.8.28;

import {Channel, State} from "../Types.sol";
import {IAdjudicator, IChannelBound} from "../interfaces/IAdjudicator.sol";

/// @title Adjudicators
/// @notice What custody asks a channel's adjudicator.
library Adjudicators {
    /// @notice Whether the adjudicator of a channel accepts the state. Reverts as the adjudicator does.
    function accepts(Channel memory ch, State memory candidate, State[] memory proofs) internal returns (bool) {
        return IAdjudicator(ch.adjudicator).adjudicate(ch, candidate, proofs);
    }

    /// @notice Whether an adjudicator says that it is for another custody than this one. One that does not say may be
    /// used by any.
    function isBoundElsewhere(address adjudicator) internal view returns (bool) {
        (bool answered, bytes memory answer) = adjudicator.staticcall(abi.encodeCall(IChannelBound.channelImpl, ()));
        if (!answered || answer.length < 32) return false;
        return abi.decode(answer, (uint256)) != uint160(address(this));
    }
}
