// Random calls, good and bad, new and replayed; after every one of them the books must balance.
//
// CLEARNET_FUZZ_SEED repeats a run, CLEARNET_FUZZ_CALLS makes it longer.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, before, test } from "node:test";

import {
  ACTIVE,
  deltas,
  DISPUTE,
  FINALIZE,
  HOUR,
  INITIAL,
  INITIALIZE,
  NATIVE,
  OPERATE,
  RESIZE,
  VOID,
} from "./harness/states.mjs";
import { ALICE, BOB, BROKER, DEPOSIT, MALLORY, startWorld } from "./harness/world.mjs";

const SEED = Number(process.env.CLEARNET_FUZZ_SEED ?? randomInt(2 ** 31));
const CALLS = Number(process.env.CLEARNET_FUZZ_CALLS ?? 2000);
// Fewer live channels mean more calls, and replays, per channel.
const LIVE_CHANNELS_MAX = 12;
const FULL_AUDIT_CALLS = 100;
const EVERYBODY = [ALICE, BOB, BROKER, MALLORY];
const MAX_UINT = 2n ** 256n - 1n;

/** Mulberry32: the same numbers for the same seed. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = generator(SEED);
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];
const chance = (p) => random() < p;
const amountBelow = (n) => BigInt(below(Number(n)));

let world;
before(async () => (world = await startWorld()));
after(() => world?.stop());

/** What the channels looked like after the last call, and what has been signed for them. */
class Fuzz {
  books = [];

  constructor(stage, adjudicators, observer) {
    Object.assign(this, { stage, adjudicators, observer });
    this.tokens = [stage.token.address, NATIVE];
  }

  live() {
    return this.books.filter(({ seen }) => seen.status !== VOID);
  }

  /** A channel to call about: mostly one that lives, sometimes one that ended or never was. */
  someBook() {
    const live = this.live();
    return live.length > 0 && chance(0.9) ? pick(live) : pick(this.books);
  }

  /** A signed state for a channel, remembered for replay. */
  async make(book, intent, version, total, change = {}) {
    const first = total > 0n && !chance(0.1) ? amountBelow(total + 1n) : total;
    const amounts = [first, total - first];
    if (chance(0.03)) amounts[below(2)] += pick([1n, 1000n, MAX_UINT - 2n ** 128n]);
    const state = book.state(
      intent,
      version,
      amounts.map((amount) => amount & MAX_UINT),
      change,
    );
    if (chance(0.3)) state.allocations[0].destination = pick(EVERYBODY).address;
    if (chance(0.02)) state.allocations[below(2)].token = pick(this.tokens);
    if (chance(0.02)) state.allocations.push(state.allocations[0]);
    const signers = chance(0.95)
      ? book.signers
      : pick([[], [book.signers[0]], [...book.signers].reverse(), [MALLORY, BROKER]]);
    const signed = await book.signed(state, signers, pick(["raw", "raw", "prefixed", "typed"]));
    book.made.push(signed);
    return signed;
  }

  /** Mostly a state that could be next, sometimes any that was ever signed. */
  async candidate(book, intent) {
    if (book.made.length > 0 && chance(0.25)) return pick(book.made);
    const { version, balance } = book.seen;
    const next = chance(0.9)
      ? version + 1n + amountBelow(3)
      : chance(0.05)
        ? MAX_UINT
        : version - (version > 0n ? 1n : 0n);
    return this.make(book, intent, next > MAX_UINT ? MAX_UINT : next, balance);
  }

  async last(book) {
    return (await this.stage.record(book)).last;
  }

  // Each returns [sender, functionName, args, value].
  calls = {
    deposit: async () => {
      const token = pick(this.tokens);
      const amount = amountBelow(5000);
      const value = token === NATIVE && chance(0.9) ? amount : chance(0.05) ? 1n : 0n;
      return [pick(EVERYBODY), "deposit", [pick(EVERYBODY).address, token, amount], value];
    },
    withdraw: async () => [pick(EVERYBODY), "withdraw", [pick(this.tokens), amountBelow(3000)]],
    create: async () => [pick(EVERYBODY), "create", await this.creation()],
    depositAndCreate: async () => {
      const [terms, initial] = await this.creation();
      const amount = amountBelow(3000);
      const { token } = initial.allocations[0];
      const args = [token, amount, terms, initial];
      return [pick(EVERYBODY), "depositAndCreate", args, token === NATIVE ? amount : 0n];
    },
    join: async () => {
      const waiting = this.live().filter(({ seen }) => seen.status === INITIAL);
      const book = waiting.length > 0 && chance(0.8) ? pick(waiting) : this.someBook();
      const signer = chance(0.9) ? book.signers[1] : MALLORY;
      return [pick(EVERYBODY), "join", [book.id, chance(0.95) ? 1n : 0n, await book.sign(book.initial, signer)]];
    },
    checkpoint: async () => {
      const book = this.someBook();
      return [pick(EVERYBODY), "checkpoint", [book.id, await this.candidate(book, OPERATE), []]];
    },
    challenge: async () => {
      const book = this.someBook();
      const candidate =
        chance(0.5) && book.seen.status !== VOID ? await this.last(book) : await this.candidate(book, OPERATE);
      const sig = await book.signChallenge(candidate, chance(0.95) ? pick(book.signers) : MALLORY);
      return [pick(EVERYBODY), "challenge", [book.id, candidate, [], sig]];
    },
    resize: async () => {
      const book = this.someBook();
      if (book.seen.status === VOID || chance(0.1)) {
        return [pick(EVERYBODY), "resize", [book.id, await this.candidate(book, RESIZE), [pick(book.made)]]];
      }
      const proof = chance(0.6) ? await this.last(book) : await this.candidate(book, OPERATE);
      const { balance } = book.seen;
      const change = [0, 1].map(() => (chance(0.5) ? amountBelow(1500) : -amountBelow(balance + 2n)));
      const total = balance + change[0] + change[1];
      const version = proof.version < MAX_UINT ? proof.version + 1n : MAX_UINT;
      const data = chance(0.02) ? deltas(-(2n ** 255n), 2n ** 255n - 1n) : deltas(...change);
      const candidate = await this.make(book, RESIZE, version, total < 0n ? 0n : total, { data });
      return [pick(EVERYBODY), "resize", [book.id, candidate, [proof]]];
    },
    close: async () => {
      const disputed = this.live().filter(({ seen }) => seen.status === DISPUTE);
      const book = disputed.length > 0 && chance(0.3) ? pick(disputed) : this.someBook();
      return [pick(EVERYBODY), "close", [book.id, await this.candidate(book, FINALIZE), []]];
    },
  };

  /** Arguments of a creation: of a new channel, or of one that is or was there. */
  async creation() {
    if (this.live().length >= LIVE_CHANNELS_MAX || (this.books.length > 0 && chance(0.15))) {
      const book = pick(this.books);
      return [book.terms, book.initial];
    }
    const signers = [pick([ALICE, BOB]), pick([BROKER, MALLORY])];
    const book = this.stage.book({
      participants: signers.map(({ address }) => address),
      adjudicator: pick(this.adjudicators),
      token: pick(this.tokens),
    });
    Object.assign(book, { signers, made: [], seen: { status: VOID, version: 0n, balance: 0n }, isEnded: false });
    const state = book.state(INITIALIZE, 0, [amountBelow(1000), chance(0.5) ? 0n : amountBelow(1000)]);
    book.initial = await book.signed(state, chance(0.6) ? signers : [signers[0]]);
    book.made.push(book.initial);
    this.books.push(book);
    return [book.terms, book.initial];
  }

  /** Money that an ended channel took would be missing at once; that it stays ended is looked at now and then. */
  async audit(isFull) {
    for (const token of this.tokens) {
      const books = this.books.filter((book) => book.token === token && (isFull || !book.isEnded));
      const accounts = EVERYBODY.map(({ address }) => address);
      const ids = books.map(({ id }) => id);
      const args = [this.stage.custody.address, token, accounts, ids];
      const [held, ledgers, channels, sights] = await this.observer.view("look", ...args);
      assert.equal(ledgers + channels, held, "ledgers and channels together hold what custody holds");
      books.forEach((book, i) => this.#auditChannel(book, sights[i]));
    }
  }

  #auditChannel(book, sight) {
    if (book.isEnded) assert.equal(sight.status, VOID, "an id is used once");
    if (sight.status === VOID) {
      book.isEnded ||= book.seen.status !== VOID;
      assert.equal(sight.balance, 0n, "no channel, no money");
    } else {
      assert.ok(sight.version >= book.seen.version, "versions never go back");
      const due = sight.status === INITIAL ? sight.first : sight.allocated;
      assert.equal(due, sight.balance, "the allocations sum to the balance");
      assert.ok([INITIAL, ACTIVE, DISPUTE].includes(sight.status));
    }
    book.seen = sight;
  }
}

const WEIGHTS = {
  deposit: 2,
  withdraw: 2,
  create: 3,
  depositAndCreate: 2,
  join: 3,
  checkpoint: 4,
  challenge: 4,
  resize: 5,
  close: 3,
};
const LOT = Object.entries(WEIGHTS).flatMap(([name, weight]) => Array(weight).fill(name));

test(`the books balance after each of ${CALLS} random calls (CLEARNET_FUZZ_SEED=${SEED})`, async (t) => {
  const stage = await world.stage();
  for (const { address } of [BOB, MALLORY]) await stage.provide(address, stage.token, DEPOSIT);
  for (const account of EVERYBODY) {
    await stage.custody.send(account, "deposit", [account.address, NATIVE, DEPOSIT], DEPOSIT);
  }
  const adjudicators = [stage.adjudicator.address, (await world.mock("YesAdjudicator")).address];
  const fuzz = new Fuzz(stage, adjudicators, await world.mock("Observer"));
  await fuzz.creation();

  const done = Object.fromEntries(Object.keys(WEIGHTS).map((name) => [name, { accepted: 0, refused: 0 }]));
  for (let i = 0; i < CALLS; i++) {
    if (chance(0.15)) await world.rpc("evm_increaseTime", Number(HOUR) / 4 + below(Number(HOUR)));
    const name = pick(LOT);
    const [from, functionName, args, value] = await fuzz.calls[name]();
    const data = stage.custody.encode(functionName, args);
    const { status } = await world.transact({ from: from.address, to: stage.custody.address, data, value });
    done[name][status === "0x1" ? "accepted" : "refused"] += 1;
    try {
      await fuzz.audit(i % FULL_AUDIT_CALLS === 0 || i === CALLS - 1);
    } catch (error) {
      error.message = `after call ${i}, ${name}: ${error.message}`;
      throw error;
    }
  }
  for (const [name, { accepted, refused }] of Object.entries(done)) {
    t.diagnostic(`${name}: ${accepted} accepted, ${refused} refused`);
    assert.ok(accepted > 0, `${name} was never accepted`);
  }
  t.diagnostic(`${fuzz.books.length} channels, ${fuzz.live().length} of them open at the end`);
});
