// SPDX-License-Identifier: MIT
// Copyright (c) The Clearnet contributors
pragma solidity ^0.8.28;

import {Channel, ChannelStatus, State} from "../Types.sol";

/// @title IChannels
/// @notice Life of a channel: create, join, then resize, checkpoint and challenge, and close.
///
/// Words used below, about a channel with the balance B of the token T:
/// - *fits*: exactly two allocations, both of T, whose amounts sum to B without wrapping;
/// - *same*: equal intent, version, data and allocations, whatever the signatures;
/// - *newer*: a greater version than the stored state's;
/// - *signed*: exactly two signatures, valid for participants[0] and participants[1] in this order.
///
/// Every writing function refuses re-entry with InvalidStatus before anything else. Signatures that are malformed
/// revert with the errors of the ECDSA library, ERC6492DeploymentFailed or ERC6492NoCode.
interface IChannels {
    event Created(bytes32 indexed channelId, address indexed wallet, Channel channel, State initial);
    event Joined(bytes32 indexed channelId, uint256 index);
    event Opened(bytes32 indexed channelId);
    event Challenged(bytes32 indexed channelId, State state, uint256 expiration);
    event Checkpointed(bytes32 indexed channelId, State state);
    event Resized(bytes32 indexed channelId, int256[] deltaAllocations);
    /// @notice `finalState` is the state that was paid. A channel that nobody joined pays its allocation 0 only.
    event Closed(bytes32 indexed channelId, State finalState);

    error ChannelNotFound(bytes32 channelId);
    /// @notice Part of the interface; not raised.
    error ChannelNotFinal();
    error InvalidParticipant();
    error InvalidState();
    error InvalidAllocations();
    /// @notice Part of the interface; not raised, because a joined channel is no longer INITIAL.
    error DepositAlreadyFulfilled();
    /// @notice Part of the interface; not raised.
    error DepositsNotFulfilled(uint256 expectedFulfilled, uint256 actualFulfilled);
    error InvalidStateSignatures();
    error InvalidAdjudicator();
    error InvalidChallengerSignature();
    error InvalidChallengePeriod();
    /// @notice Part of the interface; not raised, because a challenge that has not expired needs a FINALIZE.
    error ChallengeNotExpired();

    /// @notice Creates a channel and locks the sender's allocation 0. With both signatures it also locks allocation 1
    /// from participants[1] and is ACTIVE at once.
    /// @dev Errors, first that applies: InvalidParticipant (two, distinct, not zero); InvalidAdjudicator (zero, or
    /// bound to another custody); InvalidChallengePeriod; InvalidState (not INITIALIZE version 0); InvalidStatus (the
    /// id is or was in use); InvalidStateSignatures (not one or two, or participants[0] did not sign);
    /// InvalidAllocations (not two of one token); InvalidStateSignatures (participants[1] did not sign);
    /// InsufficientBalance.
    /// Emits Created and, with two signatures, Joined and Opened. The adjudicator is not asked.
    function create(Channel calldata ch, State calldata initial) external returns (bytes32 channelId);

    /// @notice Deposits for the sender, then creates.
    /// @dev Errors of deposit, then of create.
    function depositAndCreate(address token, uint256 amount, Channel calldata ch, State calldata initial)
        external
        payable
        returns (bytes32 channelId);

    /// @notice Adds the signature of participants[1], who pays allocation 1, whoever sends it. The channel is ACTIVE.
    /// @dev Errors, first that applies: ChannelNotFound; InvalidStatus (not INITIAL); InvalidParticipant (index not 1);
    /// InvalidStateSignatures; InvalidState (the adjudicator refuses); InsufficientBalance. Emits Joined, Opened.
    function join(bytes32 channelId, uint256 index, bytes calldata sig) external returns (bytes32);

    /// @notice Stores a newer OPERATE; ends a dispute, as long as nobody has closed the channel.
    /// @dev Errors, first that applies: ChannelNotFound; InvalidStatus (INITIAL); InvalidState (not OPERATE, not
    /// newer); InvalidStateSignatures; InvalidAllocations (does not fit); InvalidState (the adjudicator refuses).
    /// Emits Checkpointed.
    function checkpoint(bytes32 channelId, State calldata candidate, State[] calldata proofs) external;

    /// @notice Starts the clock with the stored state or a newer OPERATE. A channel that nobody joined is refunded and
    /// closed at once.
    /// @dev The challenger's signature, by either participant, covers the candidate and the word "challenge".
    /// Errors, first that applies: ChannelNotFound; InvalidStatus (in dispute); InvalidState (FINALIZE);
    /// InvalidChallengerSignature; InvalidState (neither the stored state nor a newer OPERATE);
    /// InvalidStateSignatures; InvalidAllocations (does not fit); InvalidState (the adjudicator refuses).
    /// Emits Challenged with the stored state, and Closed if it refunds.
    function challenge(
        bytes32 channelId,
        State calldata candidate,
        State[] calldata proofs,
        bytes calldata challengerSig
    ) external;

    /// @notice Moves money between a channel and the ledger: `candidate.data` holds abi.encode(int256[]) of two deltas.
    /// A positive delta of side 0 is taken from the sender, a negative one paid to the candidate's
    /// allocations[0].destination; side 1 is participants[1].
    /// @dev `proofs[0]` is the state resized: the stored one, or a newer OPERATE. The other proofs are for the
    /// adjudicator. Errors, first that applies: ChannelNotFound; InvalidStatus (not ACTIVE); InvalidState (no proof,
    /// not RESIZE, version not proofs[0]'s plus one, or two allocations of the channel's token missing in either);
    /// InvalidState (proofs[0] neither stored nor a newer OPERATE); of a newer proofs[0] InvalidStateSignatures,
    /// InvalidAllocations (does not fit); InvalidStateSignatures (candidate); InvalidState (not two deltas);
    /// InvalidAllocations (the candidate does not fit what the deltas leave); InvalidState (the adjudicator refuses
    /// proofs[0]); InsufficientBalance. Emits Resized.
    function resize(bytes32 channelId, State calldata candidate, State[] calldata proofs) external;

    /// @notice Pays a newer FINALIZE, or the stored state once a challenge has expired, to the ledgers of its
    /// destinations, and ends the channel: its id is never used again. The proofs are not used.
    /// @dev Errors, first that applies: ChannelNotFound; InvalidStatus (INITIAL); unless a challenge has expired,
    /// InvalidState (not FINALIZE, not newer); InvalidStateSignatures; InvalidAllocations (does not fit).
    /// Emits Closed with the state that was paid.
    function close(bytes32 channelId, State calldata candidate, State[] calldata proofs) external;

    /// @notice Ids of the channels in which each account is a participant and that are neither VOID nor closed.
    function getOpenChannels(address[] calldata accounts) external view returns (bytes32[][] memory);

    /// @notice The record of a channel; all zero if there is none or it is closed. `wallets` are who created it and
    /// who joined it.
    function getChannelData(bytes32 channelId)
        external
        view
        returns (
            Channel memory channel,
            ChannelStatus status,
            address[] memory wallets,
            uint256 challengeExpiry,
            State memory lastValidState
        );

    /// @notice What a channel holds of each token.
    function getChannelBalances(bytes32 channelId, address[] calldata tokens) external view returns (uint256[] memory);
}
