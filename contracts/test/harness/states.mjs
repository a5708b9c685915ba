// Channels and states as a participant builds and signs them off chain.

import { concat, encodeAbiParameters, getAddress, hashDomain, keccak256, parseAbiParameters, stringToHex } from "viem";

export const OPERATE = 0;
export const INITIALIZE = 1;
export const RESIZE = 2;
export const FINALIZE = 3;

export const VOID = 0;
export const INITIAL = 1;
export const ACTIVE = 2;
export const DISPUTE = 3;

export const HOUR = 3600n;
export const NATIVE = "0x0000000000000000000000000000000000000000";

const FIELDS =
  "(bytes32 channelId,uint8 intent,uint256 version,bytes data,Allocation[] allocations)" +
  "Allocation(address destination,address token,uint256 amount)";
export const STATE_TYPEHASH = keccak256(stringToHex(`AllowStateHash${FIELDS}`));
export const CHALLENGE_STATE_TYPEHASH = keccak256(stringToHex(`AllowChallengeStateHash${FIELDS}`));
export const ERC6492_SUFFIX = `0x${"6492".repeat(16)}`;

const TERMS = parseAbiParameters("address[], address, uint64, uint64, uint256");
const ALLOCATIONS = "(address destination, address token, uint256 amount)[]";
const PACKED = parseAbiParameters(`bytes32, uint8, uint256, bytes, ${ALLOCATIONS}`);
const STRUCT = parseAbiParameters("bytes32, bytes32, uint8, uint256, bytes32, bytes32");

export function channelId(terms, chainId) {
  const { participants, adjudicator, challenge, nonce } = terms;
  return keccak256(encodeAbiParameters(TERMS, [participants, adjudicator, challenge, nonce, BigInt(chainId)]));
}

export function pack(id, { intent, version, data, allocations }) {
  return encodeAbiParameters(PACKED, [id, intent, version, data, allocations]);
}

export function packChallenge(id, state) {
  return concat([pack(id, state), stringToHex("challenge")]);
}

export function structHash(id, state, typeHash = STATE_TYPEHASH) {
  const allocations = keccak256(encodeAbiParameters(parseAbiParameters(ALLOCATIONS), [state.allocations]));
  const fields = [typeHash, id, state.intent, state.version, keccak256(state.data), allocations];
  return keccak256(encodeAbiParameters(STRUCT, fields));
}

export function separator(custody, chainId) {
  return hashDomain({
    domain: { name: "Nitrolite:Custody", version: "0.3.0", chainId, verifyingContract: custody },
    types: {
      EIP712Domain: [
        { name: "name", type: "string" },
        { name: "version", type: "string" },
        { name: "chainId", type: "uint256" },
        { name: "verifyingContract", type: "address" },
      ],
    },
  });
}

export function typedDigest(domainSeparator, hash) {
  return keccak256(concat(["0x1901", domainSeparator, hash]));
}

/** The data of a RESIZE. */
export function deltas(...amounts) {
  return encodeAbiParameters(parseAbiParameters("int256[]"), [amounts]);
}

/** A signature that names the factory which deploys its signer. */
export function withFactory(factory, data, inner) {
  return concat([
    encodeAbiParameters(parseAbiParameters("address, bytes, bytes"), [factory, data, inner]),
    ERC6492_SUFFIX,
  ]);
}

const KINDS = {
  raw: (account, message) => account.sign({ hash: keccak256(message) }),
  prefixed: (account, message) => account.signMessage({ message: { raw: message } }),
};

/** One channel: its terms, its id, and states of it. */
export class ChannelBook {
  constructor({ terms, chainId, custody, token, destinations }) {
    Object.assign(this, { terms, chainId, custody, token });
    this.destinations = destinations ?? terms.participants;
    this.id = channelId(terms, chainId);
  }

  /** An unsigned state; `change` overrides fields. */
  state(intent, version, amounts, change = {}) {
    const allocations = amounts.map((amount, i) => ({
      destination: getAddress(this.destinations[i]),
      token: this.token,
      amount: BigInt(amount),
    }));
    return { intent, version: BigInt(version), data: "0x", allocations, sigs: [], ...change };
  }

  /** The state with the signatures of `signers`, in their order. */
  async signed(state, signers, kind = "raw") {
    const sigs = await Promise.all(signers.map((signer) => this.sign(state, signer, kind)));
    return { ...state, sigs };
  }

  async sign(state, signer, kind = "raw") {
    return this.#sign(signer, kind, pack(this.id, state), structHash(this.id, state));
  }

  async signChallenge(state, signer, kind = "raw") {
    const hash = structHash(this.id, state, CHALLENGE_STATE_TYPEHASH);
    return this.#sign(signer, kind, packChallenge(this.id, state), hash);
  }

  async #sign(signer, kind, message, hash) {
    if (kind !== "typed") return KINDS[kind](signer, message);
    return signer.sign({ hash: typedDigest(separator(this.custody, this.chainId), hash) });
  }
}
