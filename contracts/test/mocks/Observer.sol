// SPDX-License-Identifier: MIT
// Copyright (c) The Clearnet contributors
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {ChannelStatus, State} from "../../src/Types.sol";
import {IChannels} from "../../src/interfaces/IChannels.sol";
import {ILedger} from "../../src/interfaces/ILedger.sol";

/// @notice What a channel looks like from outside.
struct Sight {
    ChannelStatus status;
    uint256 version;
    uint256 balance;
    uint256 allocated;
    uint256 first;
}

/// @title Observer
/// @notice Reads in one call what an audit of a custody contract needs.
contract Observer {
    function look(address custody, address token, address[] calldata accounts, bytes32[] calldata ids)
        external
        view
        returns (uint256 held, uint256 ledgers, uint256 channels, Sight[] memory sights)
    {
        held = token == address(0) ? custody.balance : IERC20(token).balanceOf(custody);
        address[] memory tokens = new address[](1);
        tokens[0] = token;
        uint256[][] memory balances = ILedger(custody).getAccountsBalances(accounts, tokens);
        for (uint256 i = 0; i < accounts.length; i++) {
            ledgers += balances[i][0];
        }
        sights = new Sight[](ids.length);
        for (uint256 i = 0; i < ids.length; i++) {
            sights[i] = _see(custody, tokens, ids[i]);
            channels += sights[i].balance;
        }
    }

    function _see(address custody, address[] memory tokens, bytes32 id) private view returns (Sight memory sight) {
        State memory state;
        (, sight.status,,, state) = IChannels(custody).getChannelData(id);
        sight.version = state.version;
        sight.balance = IChannels(custody).getChannelBalances(id, tokens)[0];
        for (uint256 i = 0; i < state.allocations.length; i++) {
            sight.allocated += state.allocations[i].amount;
        }
        if (state.allocations.length > 0) sight.first = state.allocations[0].amount;
    }
}
