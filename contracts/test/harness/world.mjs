// A chain with fresh contracts per test: `const world = await startWorld()`, then `const stage = await world.stage()`.

import assert from "node:assert/strict";

import {
  createClient,
  decodeErrorResult,
  decodeFunctionResult,
  encodeDeployData,
  encodeFunctionData,
  getAddress,
  http,
  keccak256,
  parseEventLogs,
  stringToHex,
  toHex,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";

import { startAnvil } from "./anvil.mjs";
import { ADJUDICATOR, CUSTODY, MOCKS, TOKEN } from "./contracts.mjs";
import { ChannelBook, HOUR, INITIALIZE } from "./states.mjs";

const GAS = toHex(15_000_000);
const PURSE = 10n ** 24n;
// What each of Alice and the broker deposits at the start of a stage.
export const DEPOSIT = 1_000_000n;
const ERRORS = [...CUSTODY.abi, ...TOKEN.abi, ...Object.values(MOCKS).flatMap(({ abi }) => abi)].filter(
  ({ type }) => type === "error",
);

function account(name) {
  return privateKeyToAccount(keccak256(stringToHex(`clearnet test account ${name}`)));
}

export const ALICE = account("Alice");
export const BROKER = account("Ingrid");
export const MALLORY = account("Mallory");
export const BOB = account("Bob");

/** The name of the error, or the raw data where it has none. */
function errorName(data) {
  if (data === undefined || data === "0x") return "no reason";
  try {
    return decodeErrorResult({ abi: ERRORS, data }).errorName;
  } catch {
    return data;
  }
}

class World {
  #anvil;
  #nonce = 0;

  constructor(anvil) {
    this.#anvil = anvil;
    this.client = createClient({ transport: http(anvil.url, { retryCount: 0, timeout: 60_000 }) });
  }

  stop() {
    return this.#anvil.stop();
  }

  rpc(method, ...params) {
    return this.client.request({ method, params });
  }

  async begin() {
    this.chainId = Number(await this.rpc("eth_chainId"));
    for (const { address } of [ALICE, BROKER, MALLORY, BOB]) await this.fund(address);
  }

  fund(address) {
    return this.rpc("anvil_setBalance", address, toHex(PURSE));
  }

  nextNonce() {
    return BigInt(++this.#nonce);
  }

  /** Sends a transaction from any address and waits until it is mined; does not look at how it ended. */
  transact({ from, to, data, value = 0n, authorizationList }) {
    const fees = { maxFeePerGas: "0x0", maxPriorityFeePerGas: "0x0" };
    const tx = { from, to, data, value: toHex(value), gas: GAS, ...fees, authorizationList };
    return this.rpc("eth_sendTransactionSync", tx);
  }

  async deploy({ abi, bytecode }, ...args) {
    const data = encodeDeployData({ abi, bytecode, args });
    const { status, contractAddress, gasUsed } = await this.transact({ from: MALLORY.address, data });
    assert.equal(status, "0x1", "deployment");
    return new Contract(this, abi, getAddress(contractAddress), BigInt(gasUsed));
  }

  mock(name, ...args) {
    return this.deploy(MOCKS[name], ...args);
  }

  at(abi, address) {
    return new Contract(this, abi, address, 0n);
  }

  async now() {
    return BigInt((await this.rpc("eth_getBlockByNumber", "latest", false)).timestamp);
  }

  /** Makes an account with a key delegate to code (EIP-7702). */
  async delegate(account, codeAddress) {
    const nonce = Number(await this.rpc("eth_getTransactionCount", account.address, "latest"));
    const signed = await account.signAuthorization({ chainId: this.chainId, address: codeAddress, nonce });
    const { address, chainId, r, s, yParity } = signed;
    const authorization = { address, chainId: toHex(chainId), nonce: toHex(nonce), r, s, yParity: toHex(yParity) };
    await this.transact({ from: MALLORY.address, to: account.address, data: "0x", authorizationList: [authorization] });
    const code = await this.rpc("eth_getCode", account.address, "latest");
    assert.equal(getAddress(`0x${code.slice(8)}`), codeAddress, "delegation");
  }

  /** Mines a block with the given time. */
  async moveTo(timestamp) {
    await this.rpc("evm_setNextBlockTimestamp", toHex(timestamp));
    await this.rpc("evm_mine");
  }

  async move(seconds) {
    await this.moveTo((await this.now()) + seconds);
  }

  /** Fresh contracts; Alice and the broker have DEPOSIT of the token each in custody and as much in their wallets. */
  async stage() {
    const custody = await this.deploy(CUSTODY);
    const adjudicator = await this.deploy(ADJUDICATOR, custody.address);
    const token = await this.deploy(TOKEN, "USD Coin", "USDC", 6, 10n ** 30n);
    const stage = new Stage(this, { custody, adjudicator, token });
    for (const who of [ALICE, BROKER]) await stage.provide(who.address, token, DEPOSIT);
    return stage;
  }
}

/** A contract on the chain: `view`, `send` (must succeed), `refused` (must fail with that error). */
export class Contract {
  constructor(world, abi, address, gasUsed) {
    Object.assign(this, { world, abi, address, gasUsed });
  }

  encode(functionName, args = []) {
    return encodeFunctionData({ abi: this.abi, functionName, args });
  }

  async view(functionName, ...args) {
    const data = await this.world.rpc(
      "eth_call",
      { to: this.address, data: this.encode(functionName, args) },
      "latest",
    );
    return decodeFunctionResult({ abi: this.abi, functionName, data });
  }

  /** Sends and returns {events, gas, receipt}; fails the test if the transaction does. */
  async send(from, functionName, args = [], value = 0n) {
    const call = { from: from.address ?? from, to: this.address, data: this.encode(functionName, args), value };
    const receipt = await this.world.transact(call);
    if (receipt.status !== "0x1") {
      assert.fail(`${functionName} reverted with ${await this.#errorOf(call)}`);
    }
    const logs = receipt.logs.filter(({ address }) => getAddress(address) === this.address);
    return { events: parseEventLogs({ abi: this.abi, logs }), gas: BigInt(receipt.gasUsed), receipt };
  }

  /** The name of the error that a call ends with, or undefined if it succeeds. Nothing changes. */
  attempt(from, functionName, args = [], value = 0n) {
    return this.#errorOf({
      from: from.address ?? from,
      to: this.address,
      data: this.encode(functionName, args),
      value,
    });
  }

  async refused(error, from, functionName, args = [], value = 0n) {
    assert.equal(
      (await this.attempt(from, functionName, args, value)) ?? "success",
      error,
      `${functionName} ends with`,
    );
  }

  async #errorOf({ from, to, data, value }) {
    try {
      await this.world.rpc("eth_call", { from, to, data, value: toHex(value), gas: GAS }, "latest");
      return undefined;
    } catch (error) {
      const cause = error.walk((inner) => inner.code === 3 || inner.data !== undefined);
      if (cause === null) throw error;
      return errorName(cause.data);
    }
  }
}

/** Fresh contracts and shorthand for what happens on them. */
class Stage {
  constructor(world, contracts) {
    Object.assign(this, { world }, contracts);
  }

  async provide(address, token, amount, custody = this.custody) {
    await token.send(MALLORY, "mint", [address, 2n * amount]);
    await token.send(address, "approve", [custody.address, 2n * amount]);
    await custody.send(address, "deposit", [address, token.address, amount]);
  }

  /** A channel of Alice and the broker that is not on chain; `change` overrides. */
  book(change = {}) {
    const terms = {
      participants: change.participants ?? [ALICE.address, BROKER.address],
      adjudicator: change.adjudicator ?? this.adjudicator.address,
      challenge: change.challenge ?? HOUR,
      nonce: change.nonce ?? this.world.nextNonce(),
    };
    const token = change.token ?? this.token.address;
    const custody = (change.custody ?? this.custody).address;
    return new ChannelBook({ terms, chainId: this.world.chainId, custody, token, destinations: change.destinations });
  }

  /** An ACTIVE channel; `book.initial` is its first state. */
  async active(amounts, change = {}) {
    const book = this.book(change);
    book.initial = await book.signed(book.state(INITIALIZE, 0, amounts), change.signers ?? [ALICE, BROKER]);
    await this.custody.send(change.sender ?? ALICE, "create", [book.terms, book.initial]);
    return book;
  }

  /** A channel that Alice created and nobody joined. */
  async initial(amounts, change = {}) {
    return this.active(amounts, { ...change, signers: [ALICE] });
  }

  /** Challenges with a state, signed by `challenger`. */
  async challenge(book, state, challenger = ALICE) {
    const sig = await book.signChallenge(state, challenger);
    return this.custody.send(MALLORY, "challenge", [book.id, state, [], sig]);
  }

  available(who, token = this.token.address) {
    return this.custody.view("getAccountsBalances", [who.address ?? who], [token]).then(([[amount]]) => amount);
  }

  async balance(book) {
    return (await this.custody.view("getChannelBalances", book.id, [book.token]))[0];
  }

  async record(book) {
    const [terms, status, wallets, challengeExpiry, last] = await this.custody.view("getChannelData", book.id);
    return { terms, status, wallets, challengeExpiry, last };
  }
}

export async function startWorld() {
  const anvil = await startAnvil();
  const world = new World(anvil);
  try {
    await world.begin();
  } catch (error) {
    await world.stop();
    throw error;
  }
  return world;
}

/**
 * Checks that of several faults the first decides: for every row [fault, error], a call with that fault and all later
 * ones ends with the error. `build` turns a set of faults into [from, functionName, args, value?].
 */
export async function firstDecides(contract, rows, build) {
  for (let i = 0; i < rows.length; i++) {
    const faults = new Set(rows.slice(i).map(([fault]) => fault));
    const call = await build(faults);
    assert.equal((await contract.attempt(...call)) ?? "success", rows[i][1], `first fault: ${rows[i][0]}`);
  }
  assert.equal(await contract.attempt(...(await build(new Set()))), undefined, "without faults");
}

/** The names of events, in their order. */
export function names(events) {
  return events.map(({ eventName }) => eventName);
}
