// SPDX-License-Identifier: MIT
// Copyright (c) The Clearnet contributors
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {Puppet} from "./Puppet.sol";

/// @notice Accepts the hashes it was told to accept, whatever the signature, and refuses all others. Serves as a
/// contract wallet and as the code that an account delegates to.
contract PickyWallet is Puppet {
    mapping(bytes32 hash => bool) private _accepts;

    function accept(bytes32 hash, bool accepts) external {
        _accepts[hash] = accepts;
    }

    function isValidSignature(bytes32 hash, bytes calldata) external view returns (bytes4) {
        return _accepts[hash] ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @notice Accepts what its owner's key has signed.
contract OwnedWallet {
    address private immutable _owner;

    constructor(address owner) {
        _owner = owner;
    }

    function isValidSignature(bytes32 hash, bytes calldata sig) external view returns (bytes4) {
        return ECDSA.recover(hash, sig) == _owner ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @notice Deploys owned wallets at addresses that are known before; pokes first if armed; remembers its caller.
contract WalletFactory is Puppet {
    address public caller;

    function deploy(address owner, bytes32 salt) external {
        caller = msg.sender;
        poke();
        new OwnedWallet{salt: salt}(owner);
    }

    function addressOf(address owner, bytes32 salt) external view returns (address) {
        bytes32 codeHash = keccak256(abi.encodePacked(type(OwnedWallet).creationCode, abi.encode(owner)));
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"ff", address(this), salt, codeHash)))));
    }
}
