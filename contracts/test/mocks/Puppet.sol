// SPDX-License-Identifier: MIT
// Copyright (c) The Clearnet contributors
pragma solidity ^0.8.28;

/// @title Puppet
/// @notice Makes a prepared call when it is poked, or receives the native coin, and remembers how it went. Serves as
/// attacker, as hook and as the factory of a signature.
contract Puppet {
    address private _target;
    bytes private _data;

    bool public acted;
    bool public succeeded;
    bytes public answer;

    function arm(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
        (acted, succeeded, answer) = (false, false, "");
    }

    /// @dev Acts once: a second poke, from within the call, does nothing.
    function poke() public {
        if (_target == address(0) || acted) return;
        acted = true;
        (succeeded, answer) = _target.call(_data);
    }

    /// @notice Calls as this contract; reverts as the callee does.
    function execute(address target, uint256 value, bytes calldata data) external payable {
        (bool ok, bytes memory result) = target.call{value: value}(data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }

    /// @notice Several calls in one transaction, to one contract.
    function executeAll(address target, bytes[] calldata calls) external {
        for (uint256 i = 0; i < calls.length; i++) {
            this.execute(target, 0, calls[i]);
        }
    }

    receive() external payable {
        poke();
    }
}

/// @notice Has no use for the native coin.
contract Refuser {
    function execute(address target, uint256 value, bytes calldata data) external payable {
        (bool ok, bytes memory result) = target.call{value: value}(data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }
}
