// SPDX-License-Identifier: MIT
// Copyright (c) The Clearnet contributors
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {ILedger} from "./interfaces/ILedger.sol";

/// @title Ledger
/// @notice Money held for accounts, the transfers that bring and take it, and the guard that every writing function
/// shares. Knows nothing of channels.
abstract contract Ledger is ILedger {
    using SafeERC20 for IERC20;

    mapping(address account => mapping(address token => uint256)) private _available;
    bool private transient _entered;

    /// @dev One call at a time, over all functions that write: nothing that this contract calls can come back in.
    modifier exclusive() {
        if (_entered) revert InvalidStatus();
        _entered = true;
        _;
        _entered = false;
    }

    /// @inheritdoc ILedger
    function deposit(address account, address token, uint256 amount) external payable exclusive {
        _deposit(account, token, amount);
    }

    /// @inheritdoc ILedger
    function withdraw(address token, uint256 amount) external exclusive {
        _debit(msg.sender, token, amount);
        emit Withdrawn(msg.sender, token, amount);
        if (token == address(0)) {
            (bool paid,) = msg.sender.call{value: amount}("");
            if (!paid) revert TransferFailed(token, msg.sender, amount);
        } else {
            IERC20(token).safeTransfer(msg.sender, amount);
        }
    }

    /// @inheritdoc ILedger
    function getAccountsBalances(address[] calldata accounts, address[] calldata tokens)
        external
        view
        returns (uint256[][] memory balances)
    {
        balances = new uint256[][](accounts.length);
        for (uint256 i = 0; i < accounts.length; i++) {
            balances[i] = new uint256[](tokens.length);
            for (uint256 j = 0; j < tokens.length; j++) {
                balances[i][j] = _available[accounts[i]][tokens[j]];
            }
        }
    }

    function _deposit(address account, address token, uint256 amount) internal {
        if (amount == 0) revert InvalidAmount();
        if (msg.value != (token == address(0) ? amount : 0)) revert InvalidValue();
        uint256 arrived = token == address(0) ? amount : _pull(token, amount);
        _credit(account, token, arrived);
        emit Deposited(account, token, arrived);
    }

    function _credit(address account, address token, uint256 amount) internal {
        _available[account][token] += amount;
    }

    function _debit(address account, address token, uint256 amount) internal {
        uint256 available = _available[account][token];
        if (available < amount) revert InsufficientBalance(available, amount);
        _available[account][token] = available - amount;
    }

    /// @dev What arrived is measured, not believed. The guard keeps another deposit from being measured with it.
    function _pull(address token, uint256 amount) private returns (uint256 arrived) {
        if (token.code.length == 0) revert SafeERC20.SafeERC20FailedOperation(token);
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 afterwards = IERC20(token).balanceOf(address(this));
        if (afterwards <= before) revert TransferFailed(token, address(this), amount);
        return afterwards - before;
    }
}
