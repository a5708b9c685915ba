// SPDX-License-Identifier: MIT
// Copyright (c) The Clearnet contributors
pragma solidity ^0.8.28;

/// @dev Index of the participant who creates a channel.
uint256 constant CLIENT = 0;
/// @dev Index of the participant who joins it: the broker.
uint256 constant SERVER = 1;
/// @dev A channel has exactly this many participants, allocations and, in the end, signatures.
uint256 constant PARTICIPANTS = 2;

/// @notice What a signed state is for.
enum StateIntent {
    OPERATE,
    INITIALIZE,
    RESIZE,
    FINALIZE
}

/// @notice Where in its life a channel is. FINAL is never reported: a closed channel reads VOID.
enum ChannelStatus {
    VOID,
    INITIAL,
    ACTIVE,
    DISPUTE,
    FINAL
}

/// @notice Immutable terms of a channel. Their hash, with the chain id, is the channel id.
/// @param participants who signs: [client, server]
/// @param adjudicator contract that may refuse states
/// @param challenge seconds between a challenge and the payout it leads to
/// @param nonce makes otherwise equal terms different
struct Channel {
    address[] participants;
    address adjudicator;
    uint64 challenge;
    uint64 nonce;
}

/// @notice Who gets how much of which token when the channel closes.
struct Allocation {
    address destination;
    address token;
    uint256 amount;
}

/// @notice What participants sign. All but `sigs` is covered by the signatures.
/// @param intent what the state is for
/// @param version grows with every state of a channel
/// @param data for the adjudicator; the deltas of a RESIZE
/// @param allocations one per participant, in their order
/// @param sigs one per participant, in their order
struct State {
    StateIntent intent;
    uint256 version;
    bytes data;
    Allocation[] allocations;
    bytes[] sigs;
}
