// SPDX-License-Identifier: MIT
// Copyright (c) The Clearnet contributors
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

import {Puppet} from "./Puppet.sol";

/// @notice Pokes a puppet whenever tokens move, before they do.
contract HookToken is ERC20("Hook", "HOOK") {
    Puppet public puppet;

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function hook(Puppet puppet_) external {
        puppet = puppet_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (address(puppet) != address(0)) puppet.poke();
        super._update(from, to, amount);
    }
}

/// @notice Keeps a share of what moves by allowance.
contract FeeToken is ERC20("Fee", "FEE") {
    uint256 public feePercent;

    constructor(uint256 feePercent_) {
        feePercent = feePercent_;
    }

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        uint256 fee = amount * feePercent / 100;
        _burn(from, fee);
        return super.transferFrom(from, to, amount - fee);
    }
}

/// @notice Moves tokens, and returns nothing from its transfers, or false if told so.
contract QuietToken {
    mapping(address account => uint256) public balanceOf;
    bool public fails;

    function mint(address account, uint256 amount) external {
        balanceOf[account] += amount;
    }

    function fail(bool fails_) external {
        fails = fails_;
    }

    function transfer(address to, uint256 amount) external {
        _transfer(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        _transfer(from, to, amount);
    }

    function _transfer(address from, address to, uint256 amount) private {
        if (fails) {
            assembly ("memory-safe") {
                mstore(0, 0)
                return(0, 32)
            }
        }
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}
