// SPDX-License-Identifier: MIT
// Copyright (c) The Clearnet contributors
pragma solidity ^0.8.28;

/// @title ILedger
/// @notice Money held for accounts, per token. The zero address is the native coin.
interface ILedger {
    /// @notice `amount` arrived and was credited to `wallet`.
    event Deposited(address indexed wallet, address indexed token, uint256 amount);
    /// @notice `amount` left the ledger of `wallet` for its address.
    event Withdrawn(address indexed wallet, address indexed token, uint256 amount);

    /// @notice Another call is under way, or the channel is not in a status for this one.
    error InvalidStatus();
    /// @notice The amount is zero.
    error InvalidAmount();
    /// @notice The native coin sent along is not what the call says.
    error InvalidValue();
    /// @notice The account has less than what is taken from it.
    error InsufficientBalance(uint256 available, uint256 required);
    /// @notice The transfer brought nothing, or the receiver refused the native coin.
    error TransferFailed(address token, address to, uint256 amount);

    /// @notice Takes `amount` from the sender and credits what arrived to `account`.
    /// @dev Errors, first that applies: InvalidStatus (re-entered), InvalidAmount (zero), InvalidValue,
    /// SafeERC20FailedOperation or the token's own error, TransferFailed (nothing arrived).
    /// Emits Deposited with what arrived, which is less than `amount` for a token that takes a fee.
    function deposit(address account, address token, uint256 amount) external payable;

    /// @notice Pays `amount` of the sender's available money to the sender. Zero is allowed.
    /// @dev Errors, first that applies: InvalidStatus (re-entered), InsufficientBalance, TransferFailed (native coin),
    /// SafeERC20FailedOperation or the token's own error.
    function withdraw(address token, uint256 amount) external;

    /// @notice Available money: one row per account, one column per token.
    function getAccountsBalances(address[] calldata accounts, address[] calldata tokens)
        external
        view
        returns (uint256[][] memory);
}
