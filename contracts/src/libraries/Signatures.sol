// SPDX-License-Identifier: MIT
// Copyright (c) The Clearnet contributors
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {PARTICIPANTS} from "../Types.sol";
import {FactoryCall} from "./FactoryCall.sol";
import {Digests} from "./States.sol";

/// @title Signatures
/// @notice Who signed a message: by key, by contract wallet, or by a contract wallet that is deployed on the way.
/// A key's own signature counts before any contract is asked, whatever code its account carries.
library Signatures {
    /// @notice The factory named by a signature reverted.
    error ERC6492DeploymentFailed(address factory, bytes calldata_);
    /// @notice The factory named by a signature left no code at the signer.
    error ERC6492NoCode(address expectedSigner);

    /// @dev Ends a signature that names a factory.
    bytes32 private constant ERC6492_SUFFIX = 0x6492649264926492649264926492649264926492649264926492649264926492;

    /// @notice Whether there are exactly two signatures, valid for the two participants in their order.
    function areOf(Digests memory digests, bytes[] memory sigs, address[] memory participants)
        internal
        returns (bool)
    {
        return sigs.length == PARTICIPANTS && isOf(digests, sigs[0], participants[0])
            && isOf(digests, sigs[1], participants[1]);
    }

    /// @notice Whether `sig` is a signature by `signer`. Calls a factory if the signature names one and the signer has
    /// no code.
    /// @dev Reverts with the ECDSA errors if it is malformed and the signer has no code, and with the errors above.
    function isOf(Digests memory digests, bytes memory sig, address signer) internal returns (bool) {
        if (_hasFactory(sig)) {
            // The decoder takes no notice of the suffix that follows.
            (address factory, bytes memory data, bytes memory inner) = abi.decode(sig, (address, bytes, bytes));
            if (signer.code.length == 0) _deploy(signer, factory, data);
            return SignatureChecker.isValidERC1271SignatureNow(signer, digests.raw, inner);
        }
        if (_isKeyOf(digests, sig, signer)) return true;
        if (signer.code.length > 0) return SignatureChecker.isValidERC1271SignatureNow(signer, digests.raw, sig);
        _requireWellFormed(digests, sig);
        return false;
    }

    /// @notice Whether `sig` is a signature by any of the participants. Factories are not called.
    /// @dev Both keys are tried before any contract is asked. Reverts with the ECDSA errors if nobody signed, the
    /// signature is malformed and a participant has no code.
    function isOfAny(Digests memory digests, bytes memory sig, address[] memory participants)
        internal
        view
        returns (bool)
    {
        for (uint256 i = 0; i < participants.length; i++) {
            if (_isKeyOf(digests, sig, participants[i])) return true;
        }
        bool allHaveCode = true;
        for (uint256 i = 0; i < participants.length; i++) {
            if (participants[i].code.length == 0) allHaveCode = false;
            else if (SignatureChecker.isValidERC1271SignatureNow(participants[i], digests.raw, sig)) return true;
        }
        if (!allHaveCode) _requireWellFormed(digests, sig);
        return false;
    }

    /// @dev Whether the signature is that of the signer's own key over one of the digests.
    function _isKeyOf(Digests memory digests, bytes memory sig, address signer) private pure returns (bool) {
        return _recovers(digests.raw, sig, signer) || _recovers(digests.prefixed, sig, signer)
            || _recovers(digests.typed, sig, signer);
    }

    function _recovers(bytes32 digest, bytes memory sig, address signer) private pure returns (bool) {
        (address recovered, ECDSA.RecoverError err,) = ECDSA.tryRecover(digest, sig);
        return err == ECDSA.RecoverError.NoError && recovered == signer;
    }

    /// @dev Whether a signature is malformed does not depend on which digest it is over.
    function _requireWellFormed(Digests memory digests, bytes memory sig) private pure {
        ECDSA.recover(digests.raw, sig);
    }

    function _hasFactory(bytes memory sig) private pure returns (bool) {
        if (sig.length < 32) return false;
        bytes32 suffix;
        assembly ("memory-safe") {
            suffix := mload(add(sig, mload(sig)))
        }
        return suffix == ERC6492_SUFFIX;
    }

    function _deploy(address signer, address factory, bytes memory data) private {
        try new FactoryCall(factory, data) {}
        catch {
            revert ERC6492DeploymentFailed(factory, data);
        }
        if (signer.code.length == 0) revert ERC6492NoCode(signer);
    }
}
