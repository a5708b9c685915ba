// SPDX-License-Identifier: MIT
// Copyright (c) The Clearnet contributors
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";

import {Ledger} from "./Ledger.sol";
import {Allocation, Channel, ChannelStatus, CLIENT, PARTICIPANTS, SERVER, State, StateIntent} from "./Types.sol";
import {IChannels} from "./interfaces/IChannels.sol";
import {Adjudicators} from "./libraries/Adjudicators.sol";
import {Deltas} from "./libraries/Deltas.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Digests, States} from "./libraries/States.sol";

/// @title Custody
/// @notice Holds the money of accounts and of two-party channels, and pays it by the newest state both have signed.
/// There is no owner, no pause and no upgrade.
///
/// Of a channel that is ACTIVE or in DISPUTE the stored state always carries both signatures and fits: its allocations
/// sum to what the channel holds, so what is paid at the end is never more and never less. Versions of stored states
/// only grow, and an id is used once.
contract Custody is IChannels, Ledger, EIP712 {
    using EnumerableSet for EnumerableSet.Bytes32Set;
    using Deltas for int256;
    using Deltas for int256[];
    using States for State;

    /// @notice Shortest challenge a channel may have, in seconds.
    uint256 public constant MIN_CHALLENGE_PERIOD = 1 hours;

    /// @notice Type hash of a challenge signed as typed data.
    bytes32 public constant CHALLENGE_STATE_TYPEHASH = States.CHALLENGE_STATE_TYPEHASH;

    /// @dev After the end only `status` is left, FINAL, so that the id stays used.
    struct Record {
        Channel terms;
        ChannelStatus status;
        address creator;
        uint256 challengeExpiry;
        uint256 balance;
        State last;
    }

    mapping(bytes32 channelId => Record) private _records;
    mapping(address participant => EnumerableSet.Bytes32Set) private _open;

    constructor() EIP712("Nitrolite:Custody", "0.3.0") {}

    // ---- life of a channel ----

    /// @inheritdoc IChannels
    function create(Channel memory ch, State memory initial) external exclusive returns (bytes32) {
        return _create(ch, initial);
    }

    /// @inheritdoc IChannels
    function depositAndCreate(address token, uint256 amount, Channel memory ch, State memory initial)
        external
        payable
        exclusive
        returns (bytes32)
    {
        _deposit(msg.sender, token, amount);
        return _create(ch, initial);
    }

    /// @inheritdoc IChannels
    function join(bytes32 channelId, uint256 index, bytes memory sig) external exclusive returns (bytes32) {
        Record storage record = _existing(channelId);
        if (record.status != ChannelStatus.INITIAL) revert InvalidStatus();
        if (index != SERVER) revert InvalidParticipant();

        State memory initial = record.last;
        Digests memory digests = States.digests(channelId, initial, _domainSeparatorV4());
        if (!Signatures.isOf(digests, sig, record.terms.participants[SERVER])) revert InvalidStateSignatures();

        bytes[] memory sigs = new bytes[](PARTICIPANTS);
        sigs[CLIENT] = initial.sigs[CLIENT];
        sigs[SERVER] = sig;
        initial.sigs = sigs;
        if (!Adjudicators.accepts(record.terms, initial, new State[](0))) revert InvalidState();

        record.last.sigs.push(sig);
        _activate(channelId, record, initial);
        return channelId;
    }

    /// @inheritdoc IChannels
    function checkpoint(bytes32 channelId, State memory candidate, State[] memory proofs) external exclusive {
        Record storage record = _existing(channelId);
        if (record.status == ChannelStatus.INITIAL) revert InvalidStatus();
        _requireNewer(channelId, record, candidate, StateIntent.OPERATE);
        if (!Adjudicators.accepts(record.terms, candidate, proofs)) revert InvalidState();

        record.last = candidate;
        record.status = ChannelStatus.ACTIVE;
        record.challengeExpiry = 0;
        emit Checkpointed(channelId, candidate);
    }

    /// @inheritdoc IChannels
    function challenge(bytes32 channelId, State memory candidate, State[] memory proofs, bytes memory challengerSig)
        external
        exclusive
    {
        Record storage record = _existing(channelId);
        if (record.status == ChannelStatus.DISPUTE) revert InvalidStatus();
        if (candidate.intent == StateIntent.FINALIZE) revert InvalidState();
        Digests memory digests = States.challengeDigests(channelId, candidate, _domainSeparatorV4());
        if (!Signatures.isOfAny(digests, challengerSig, record.terms.participants)) revert InvalidChallengerSignature();

        State memory last = record.last;
        bool isStored = candidate.isSame(last);
        if (record.status == ChannelStatus.INITIAL) {
            if (!isStored) revert InvalidState();
            emit Challenged(channelId, last, block.timestamp);
            // Nobody joined: allocation 0 is all that the channel holds.
            _pay(last.allocations[CLIENT]);
            _end(channelId, record, last);
            return;
        }
        if (!isStored) {
            _requireNewer(channelId, record, candidate, StateIntent.OPERATE);
            if (!Adjudicators.accepts(record.terms, candidate, proofs)) revert InvalidState();
            record.last = candidate;
            last = candidate;
        }
        record.status = ChannelStatus.DISPUTE;
        record.challengeExpiry = block.timestamp + record.terms.challenge;
        emit Challenged(channelId, last, record.challengeExpiry);
    }

    /// @inheritdoc IChannels
    function resize(bytes32 channelId, State memory candidate, State[] memory proofs) external exclusive {
        Record storage record = _existing(channelId);
        if (record.status != ChannelStatus.ACTIVE) revert InvalidStatus();
        if (proofs.length == 0 || candidate.intent != StateIntent.RESIZE) revert InvalidState();
        if (candidate.version == 0 || candidate.version - 1 != proofs[0].version) revert InvalidState();
        address token = _token(record);
        if (!proofs[0].isOf(token) || !candidate.isOf(token)) revert InvalidState();
        if (!proofs[0].isSame(record.last)) _requireNewer(channelId, record, proofs[0], StateIntent.OPERATE);
        _requireSigned(channelId, record, candidate);

        (bool isTwo, int256[] memory deltas) = Deltas.decode(candidate.data);
        if (!isTwo) revert InvalidState();
        (bool possible, uint256 balance) = deltas.applyTo(record.balance);
        if (!possible || !candidate.fits(token, balance)) revert InvalidAllocations();
        if (!Adjudicators.accepts(record.terms, proofs[0], States.tail(proofs))) revert InvalidState();

        record.last = candidate;
        record.balance = balance;
        address server = record.terms.participants[SERVER];
        _debit(msg.sender, token, deltas[CLIENT].gain());
        _debit(server, token, deltas[SERVER].gain());
        _credit(candidate.allocations[CLIENT].destination, token, deltas[CLIENT].loss());
        _credit(server, token, deltas[SERVER].loss());
        emit Resized(channelId, deltas);
    }

    /// @inheritdoc IChannels
    function close(bytes32 channelId, State memory candidate, State[] memory) external exclusive {
        Record storage record = _existing(channelId);
        if (record.status == ChannelStatus.INITIAL) revert InvalidStatus();
        bool isExpired = record.status == ChannelStatus.DISPUTE && block.timestamp >= record.challengeExpiry;
        if (isExpired) {
            candidate = record.last;
        } else {
            _requireNewer(channelId, record, candidate, StateIntent.FINALIZE);
        }
        _pay(candidate.allocations[CLIENT]);
        _pay(candidate.allocations[SERVER]);
        _end(channelId, record, candidate);
    }

    // ---- what can be read ----

    /// @inheritdoc IChannels
    function getOpenChannels(address[] memory accounts) external view returns (bytes32[][] memory ids) {
        ids = new bytes32[][](accounts.length);
        for (uint256 i = 0; i < accounts.length; i++) {
            ids[i] = _open[accounts[i]].values();
        }
    }

    /// @inheritdoc IChannels
    function getChannelData(bytes32 channelId)
        external
        view
        returns (
            Channel memory channel,
            ChannelStatus status,
            address[] memory wallets,
            uint256 challengeExpiry,
            State memory lastValidState
        )
    {
        Record storage record = _records[channelId];
        channel = record.terms;
        status = record.status == ChannelStatus.FINAL ? ChannelStatus.VOID : record.status;
        wallets = new address[](PARTICIPANTS);
        wallets[CLIENT] = record.creator;
        if (status == ChannelStatus.ACTIVE || status == ChannelStatus.DISPUTE) {
            wallets[SERVER] = channel.participants[SERVER];
        }
        challengeExpiry = record.challengeExpiry;
        lastValidState = record.last;
    }

    /// @inheritdoc IChannels
    function getChannelBalances(bytes32 channelId, address[] memory tokens)
        external
        view
        returns (uint256[] memory balances)
    {
        Record storage record = _records[channelId];
        balances = new uint256[](tokens.length);
        if (record.last.allocations.length == 0) return balances;
        for (uint256 i = 0; i < tokens.length; i++) {
            if (tokens[i] == _token(record)) balances[i] = record.balance;
        }
    }

    // ---- steps ----

    function _create(Channel memory ch, State memory initial) private returns (bytes32 channelId) {
        if (ch.participants.length != PARTICIPANTS) revert InvalidParticipant();
        (address client, address server) = (ch.participants[CLIENT], ch.participants[SERVER]);
        if (client == address(0) || server == address(0) || client == server) revert InvalidParticipant();
        if (ch.adjudicator == address(0) || Adjudicators.isBoundElsewhere(ch.adjudicator)) revert InvalidAdjudicator();
        if (ch.challenge < MIN_CHALLENGE_PERIOD) revert InvalidChallengePeriod();
        if (initial.intent != StateIntent.INITIALIZE || initial.version != 0) revert InvalidState();

        channelId = States.idOf(ch);
        Record storage record = _records[channelId];
        if (record.status != ChannelStatus.VOID) revert InvalidStatus();

        bool isBoth = initial.sigs.length == PARTICIPANTS;
        if (!isBoth && initial.sigs.length != 1) revert InvalidStateSignatures();
        Digests memory digests = States.digests(channelId, initial, _domainSeparatorV4());
        if (!Signatures.isOf(digests, initial.sigs[CLIENT], client)) revert InvalidStateSignatures();
        if (initial.allocations.length != PARTICIPANTS || !initial.isOf(initial.allocations[0].token)) {
            revert InvalidAllocations();
        }
        if (isBoth && !Signatures.isOf(digests, initial.sigs[SERVER], server)) revert InvalidStateSignatures();

        record.terms = ch;
        record.status = ChannelStatus.INITIAL;
        record.creator = msg.sender;
        record.last = initial;
        _open[client].add(channelId);
        _lock(record, msg.sender, initial.allocations[CLIENT]);
        emit Created(channelId, msg.sender, ch, initial);
        if (isBoth) _activate(channelId, record, initial);
    }

    /// @dev The second half of creation: participants[1] has signed and pays.
    function _activate(bytes32 channelId, Record storage record, State memory initial) private {
        address server = record.terms.participants[SERVER];
        record.status = ChannelStatus.ACTIVE;
        _open[server].add(channelId);
        _lock(record, server, initial.allocations[SERVER]);
        emit Joined(channelId, SERVER);
        emit Opened(channelId);
    }

    /// @dev Forgets all of a channel but that it was there. What it held has been paid.
    function _end(bytes32 channelId, Record storage record, State memory paid) private {
        _open[record.terms.participants[CLIENT]].remove(channelId);
        _open[record.terms.participants[SERVER]].remove(channelId);
        delete _records[channelId];
        record.status = ChannelStatus.FINAL;
        emit Closed(channelId, paid);
    }

    function _lock(Record storage record, address payer, Allocation memory allocation) private {
        _debit(payer, allocation.token, allocation.amount);
        record.balance += allocation.amount;
    }

    function _pay(Allocation memory allocation) private {
        _credit(allocation.destination, allocation.token, allocation.amount);
    }

    // ---- rules ----

    function _existing(bytes32 channelId) private view returns (Record storage record) {
        record = _records[channelId];
        if (record.status == ChannelStatus.VOID || record.status == ChannelStatus.FINAL) {
            revert ChannelNotFound(channelId);
        }
    }

    /// @dev All allocations of all stored states of a channel are of one token.
    function _token(Record storage record) private view returns (address) {
        return record.last.allocations[0].token;
    }

    /// @dev The candidate has the intent, is newer than the stored state, signed by both, and fits.
    function _requireNewer(bytes32 channelId, Record storage record, State memory candidate, StateIntent intent)
        private
    {
        if (candidate.intent != intent || candidate.version <= record.last.version) revert InvalidState();
        _requireSigned(channelId, record, candidate);
        if (!candidate.fits(_token(record), record.balance)) revert InvalidAllocations();
    }

    function _requireSigned(bytes32 channelId, Record storage record, State memory candidate) private {
        Digests memory digests = States.digests(channelId, candidate, _domainSeparatorV4());
        if (!Signatures.areOf(digests, candidate.sigs, record.terms.participants)) revert InvalidStateSignatures();
    }
}
