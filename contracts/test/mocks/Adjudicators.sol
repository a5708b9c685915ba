// SPDX-License-Identifier: MIT
// Copyright (c) The Clearnet contributors
pragma solidity ^0.8.28;

import {Channel, State} from "../../src/Types.sol";
import {IAdjudicator} from "../../src/interfaces/IAdjudicator.sol";
import {Puppet} from "./Puppet.sol";

/// @notice Says yes to everything until told otherwise, and remembers what it was asked.
contract YesAdjudicator is IAdjudicator {
    bool public refuses;
    uint256 public asked;
    uint256 public lastVersion;
    uint256 public lastSignatures;
    uint256 public lastProofs;

    function refuse(bool refuses_) external {
        refuses = refuses_;
    }

    function adjudicate(Channel calldata, State calldata candidate, State[] calldata proofs) external returns (bool) {
        asked++;
        (lastVersion, lastSignatures, lastProofs) = (candidate.version, candidate.sigs.length, proofs.length);
        return !refuses;
    }

    /// @notice Would call everything newer, if it were asked.
    function compare(State calldata, State calldata) external pure returns (int8) {
        return 1;
    }
}

/// @notice Says yes, and pokes first: whoever chose it can act in the middle of a call.
contract PokingAdjudicator is IAdjudicator, Puppet {
    function adjudicate(Channel calldata, State calldata, State[] calldata) external returns (bool) {
        poke();
        return true;
    }
}

/// @notice Answers the question for its custody with whatever it was made with.
contract OddlyBoundAdjudicator {
    bytes private _answer;

    constructor(bytes memory answer) {
        _answer = answer;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        return _answer;
    }
}
