// Attacks on what a channel pays, who pays it, and whose signatures and adjudicators count.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { concat, encodeAbiParameters, keccak256, parseAbiParameters } from "viem";

import { ADJUDICATOR, CUSTODY } from "./harness/contracts.mjs";
import { deltas, DISPUTE, FINALIZE, HOUR, INITIALIZE, NATIVE, OPERATE, pack, RESIZE } from "./harness/states.mjs";
import { ALICE, BOB, BROKER, DEPOSIT, MALLORY, names, startWorld } from "./harness/world.mjs";

const BOTH = [ALICE, BROKER];
const MAX_UINT = 2n ** 256n - 1n;
let world;
before(async () => (world = await startWorld()));
after(() => world?.stop());

/** A state with both signatures. */
const both = (book, ...state) => book.signed(book.state(...state), BOTH);

/** The data of a RESIZE with these deltas. */
const moves = (client, server) => ({ data: deltas(client, server) });

describe("a channel pays what it holds:", () => {
  const CANDIDATES = {
    "in another token": (state, other) => {
      for (const allocation of state.allocations) allocation.token = other;
    },
    "with one allocation in another token": (state, other) => {
      state.allocations[1].token = other;
    },
    "with three allocations": (state) => {
      state.allocations[1].amount -= 1n;
      state.allocations.push({ ...state.allocations[1], amount: 1n });
    },
    "with one allocation": (state) => {
      state.allocations = [{ ...state.allocations[0], amount: 100n }];
    },
    "with no allocation": (state) => {
      state.allocations = [];
    },
    "with a sum that wraps": (state) => {
      state.allocations[0].amount = MAX_UINT;
      state.allocations[1].amount = 101n;
    },
    "with more than there is": (state) => {
      state.allocations[0].amount += 1n;
    },
    "with less than there is": (state) => {
      state.allocations[0].amount -= 1n;
    },
  };
  for (const [name, change] of Object.entries(CANDIDATES)) {
    test(`a candidate ${name} is refused`, async () => {
      const stage = await world.stage();
      await stage.custody.send(MALLORY, "deposit", [MALLORY.address, NATIVE, 1000n], 1000n);
      const book = await stage.active([50, 50]);
      const make = async (...args) => {
        const state = book.state(...args);
        change(state, NATIVE);
        return book.signed(state, BOTH);
      };
      const operate = await make(OPERATE, 1, [50, 50]);
      const challenger = await book.signChallenge(operate, ALICE);
      const final = await make(FINALIZE, 1, [50, 50]);
      await stage.custody.refused("InvalidAllocations", ALICE, "checkpoint", [book.id, operate, []]);
      await stage.custody.refused("InvalidAllocations", ALICE, "challenge", [book.id, operate, [], challenger]);
      await stage.custody.refused("InvalidAllocations", ALICE, "close", [book.id, final, []]);
      const isShape = /token|allocation/.test(name);
      const error = isShape ? "InvalidState" : "InvalidAllocations";
      const resized = await make(RESIZE, 1, [50, 50], moves(0n, 0n));
      await stage.custody.refused(error, ALICE, "resize", [book.id, resized, [book.initial]]);
      const onto = await both(book, RESIZE, 2, [50, 50], moves(0n, 0n));
      await stage.custody.refused(error, ALICE, "resize", [book.id, onto, [operate]]);
    });
  }

  test("a channel of two tokens is not created", async () => {
    const stage = await world.stage();
    const book = stage.book();
    const state = book.state(INITIALIZE, 0, [0, 0]);
    state.allocations[1].token = NATIVE;
    await stage.custody.refused("InvalidAllocations", ALICE, "create", [book.terms, await book.signed(state, BOTH)]);
  });

  test("deltas that wrap, or take more than there is, are refused and not cut down", async () => {
    const stage = await world.stage();
    const book = await stage.active([50, 50]);
    const min = -(2n ** 255n);
    const max = 2n ** 255n - 1n;
    const refused = async (error, amounts, ...change) => {
      const resized = await both(book, RESIZE, 1, amounts, moves(...change));
      await stage.custody.refused(error, ALICE, "resize", [book.id, resized, [book.initial]]);
    };
    await refused("InvalidAllocations", [0, 0], -101n, 0n);
    await refused("InvalidAllocations", [0, 0], 0n, -101n);
    await refused("InvalidAllocations", [50, 50], min, min);
    await refused("InvalidAllocations", [98, 0], max, max);
    await refused("InvalidAllocations", [100, 0], max, min);
    await refused("InsufficientBalance", [100n + max, 0], max, 0n);
    await refused("InsufficientBalance", [50, 50], max, -max);
    // One less than before is what these leave: they are exact, so only the money is missing.
    await refused("InsufficientBalance", [99, 0], max, min);
  });

  test("a candidate that counts on a state that is not the channel's is refused", async () => {
    const stage = await world.stage();
    await stage.active([500, 500]);
    const book = await stage.active([50, 50]);
    const proof = await both(book, OPERATE, 1, [1000, 0]);
    const resized = await both(book, RESIZE, 2, [0, 0], moves(-1000n, 0n));
    await stage.custody.refused("InvalidAllocations", ALICE, "resize", [book.id, resized, [proof]]);
  });

  test("what is read from the event of a close is what was paid, whatever the caller says", async () => {
    const stage = await world.stage();
    const book = await stage.active([50, 50]);
    await stage.challenge(book, book.initial);
    await world.move(HOUR + 1n);
    const lie = book.state(FINALIZE, 99, [1_000_000, 0]);
    const { events } = await stage.custody.send(MALLORY, "close", [book.id, lie, []]);
    assert.deepEqual(events[0].args.finalState, book.initial);
    const newer = await both(book, FINALIZE, 1, [100, 0]);
    await stage.custody.refused("ChannelNotFound", ALICE, "close", [book.id, newer, []]);
  });

  test("tokens that somebody just sends are credited to nobody", async () => {
    const stage = await world.stage();
    await stage.token.send(MALLORY, "mint", [stage.custody.address, 500n]);
    await stage.custody.send(ALICE, "deposit", [ALICE.address, stage.token.address, 10n]);
    assert.equal(await stage.available(ALICE), DEPOSIT + 10n);
  });
});

describe("signatures decide, not adjudicators and not senders:", () => {
  test("a state that is not signed by both is stored under no adjudicator", async () => {
    const stage = await world.stage();
    const adjudicator = await world.mock("YesAdjudicator");
    const book = await stage.active([50, 50], { adjudicator: adjudicator.address });
    for (const signers of [[], [ALICE], [ALICE, ALICE], [BROKER, ALICE], [ALICE, MALLORY]]) {
      const operate = await book.signed(book.state(OPERATE, 1, [100, 0]), signers);
      const final = await book.signed(book.state(FINALIZE, 1, [100, 0]), signers);
      const resized = await book.signed(book.state(RESIZE, 1, [0, 0], moves(-100n, 0n)), signers);
      const challenger = await book.signChallenge(operate, ALICE);
      const error = "InvalidStateSignatures";
      await stage.custody.refused(error, ALICE, "checkpoint", [book.id, operate, []]);
      await stage.custody.refused(error, ALICE, "challenge", [book.id, operate, [], challenger]);
      await stage.custody.refused(error, ALICE, "close", [book.id, final, []]);
      await stage.custody.refused(error, ALICE, "resize", [book.id, resized, [book.initial]]);
    }
  });

  test("the stored signatures stay when the same state comes with others", async () => {
    const stage = await world.stage();
    const book = await stage.active([50, 50]);
    const stored = await both(book, OPERATE, 1, [0, 100]);
    await stage.custody.send(ALICE, "checkpoint", [book.id, stored, []]);
    const again = await book.signed(stored, BOTH, "typed");
    assert.notDeepEqual(again.sigs, stored.sigs);
    await stage.custody.refused("InvalidState", ALICE, "checkpoint", [book.id, again, []]);
    const unsigned = { ...stored, sigs: [] };
    const { events } = await stage.challenge(book, unsigned);
    assert.deepEqual(events[0].args.state, stored);
    assert.deepEqual((await stage.record(book)).last, stored);
  });

  test("a refund reports the stored signatures too", async () => {
    const stage = await world.stage();
    const book = await stage.initial([50, 50]);
    const { events } = await stage.challenge(book, await book.signed(book.initial, [ALICE], "typed"));
    assert.deepEqual(names(events), ["Challenged", "Closed"]);
    assert.deepEqual(events[0].args.state, book.initial);
    assert.deepEqual(events[1].args.finalState, book.initial);
  });

  test("a stranger who joins in the broker's place makes the broker pay and be the wallet", async () => {
    const stage = await world.stage();
    await stage.provide(MALLORY.address, stage.token, 1000n);
    const book = await stage.initial([300, 200]);
    await stage.custody.send(MALLORY, "join", [book.id, 1n, await book.sign(book.initial, BROKER)]);
    assert.deepEqual((await stage.record(book)).wallets, [ALICE.address, BROKER.address]);
    assert.equal(await stage.available(MALLORY), 1000n);
    assert.equal(await stage.available(BROKER), DEPOSIT - 200n);
    const resized = await both(book, RESIZE, 1, [300, 0], moves(0n, -200n));
    await stage.custody.send(ALICE, "resize", [book.id, resized, [(await stage.record(book)).last]]);
    assert.equal(await stage.available(MALLORY), 1000n);
    assert.equal(await stage.available(BROKER), DEPOSIT);
  });

  test("a stranger who creates first gets nothing of what a RESIZE pays to side 0", async () => {
    const stage = await world.stage();
    const book = await stage.active([0, 100], { sender: MALLORY });
    assert.equal((await stage.record(book)).wallets[0], MALLORY.address);
    const resized = await both(book, RESIZE, 1, [0, 0], moves(-100n, 0n));
    await stage.custody.send(MALLORY, "resize", [book.id, resized, [book.initial]]);
    assert.equal(await stage.available(MALLORY), 0n);
    assert.equal(await stage.available(ALICE), DEPOSIT + 100n);
  });

  test("in a channel that the broker created, a RESIZE of side 0 costs whoever sends it, not the broker", async () => {
    const stage = await world.stage();
    const book = await stage.active([0, 0], { sender: BROKER });
    const resized = await both(book, RESIZE, 1, [100, 0], moves(100n, 0n));
    const args = [book.id, resized, [book.initial]];
    await stage.custody.refused("InsufficientBalance", MALLORY, "resize", args);
    await stage.custody.send(ALICE, "resize", args);
    assert.equal(await stage.available(ALICE), DEPOSIT - 100n);
    assert.equal(await stage.available(BROKER), DEPOSIT);
  });

  test("nothing but its first state is enforceable while nobody has joined", async () => {
    const stage = await world.stage();
    const book = await stage.initial([300, 0]);
    const operate = await both(book, OPERATE, 1, [0, 300]);
    const final = await both(book, FINALIZE, 1, [0, 300]);
    const resized = await both(book, RESIZE, 1, [0, 0], moves(0n, -300n));
    await stage.custody.refused("InvalidStatus", BROKER, "checkpoint", [book.id, operate, []]);
    await stage.custody.refused("InvalidStatus", BROKER, "close", [book.id, final, []]);
    await stage.custody.refused("InvalidStatus", BROKER, "resize", [book.id, resized, [book.initial]]);
  });
});

describe("an adjudicator serves one custody:", () => {
  test("the adjudicator of another custody is refused", async () => {
    const [stage, other] = [await world.stage(), await world.stage()];
    const book = stage.book({ adjudicator: other.adjudicator.address });
    const initial = await both(book, INITIALIZE, 0, [0, 0]);
    await stage.custody.refused("InvalidAdjudicator", ALICE, "create", [book.terms, initial]);
    await other.custody.send(ALICE, "create", [book.terms, initial]);
  });

  test("so what is signed for one custody is worth nothing in another", async () => {
    const stage = await world.stage();
    const twin = await world.deploy(CUSTODY);
    await stage.provide(BROKER.address, stage.token, 1000n, twin);
    const book = await stage.active([0, 100]);
    await twin.refused("InvalidAdjudicator", MALLORY, "create", [book.terms, book.initial]);
  });

  test("an adjudicator that does not say is accepted, one that says anything else is not", async () => {
    const stage = await world.stage();
    const custody = encodeAbiParameters(parseAbiParameters("address"), [stage.custody.address]);
    const rows = [
      ["0x", undefined],
      ["0x1234", undefined],
      [custody, undefined],
      [concat([custody, "0xff"]), undefined],
      [encodeAbiParameters(parseAbiParameters("address"), [stage.token.address]), "InvalidAdjudicator"],
      [concat(["0x01", `0x${custody.slice(4)}`]), "InvalidAdjudicator"],
      [`0x${"00".repeat(32)}`, "InvalidAdjudicator"],
    ];
    for (const [answer, error] of rows) {
      const { address } = await world.mock("OddlyBoundAdjudicator", answer);
      const book = stage.book({ adjudicator: address });
      const initial = await both(book, INITIALIZE, 0, [0, 0]);
      assert.equal(await stage.custody.attempt(ALICE, "create", [book.terms, initial]), error, answer);
    }
    const silent = await world.mock("YesAdjudicator");
    await stage.active([1, 1], { adjudicator: silent.address });
    await stage.active([1, 1], { adjudicator: BOB.address });
  });

  test("the adjudicator's bond cannot be changed and it has no owner", async () => {
    const names = ADJUDICATOR.abi.filter(({ type }) => type === "function").map(({ name }) => name);
    assert.deepEqual(names.sort(), ["adjudicate", "channelImpl", "getChannelImplDomainSeparator"]);
  });
});

describe("a contract wallet as participant", () => {
  test("may take back its approval of a state that is not stored, but not of one that is", async () => {
    const stage = await world.stage();
    const wallet = await world.mock("PickyWallet");
    const book = stage.book({ participants: [wallet.address, BROKER.address] });
    const accept = (state, yes) => wallet.send(MALLORY, "accept", [keccak256(pack(book.id, state)), yes]);
    const sign = async (state) => ({ ...state, sigs: ["0x", await book.sign(state, BROKER)] });
    const initial = await sign(book.state(INITIALIZE, 0, [0, 9]));
    await accept(initial, true);
    await stage.custody.send(ALICE, "create", [book.terms, initial]);
    await accept(initial, false);
    const next = await sign(book.state(OPERATE, 1, [9, 0]));
    await stage.custody.refused("InvalidStateSignatures", BROKER, "checkpoint", [book.id, next, []]);
    await stage.challenge(book, initial, BROKER);
    assert.equal((await stage.record(book)).status, DISPUTE);
    await world.move(HOUR + 1n);
    await stage.custody.send(BROKER, "close", [book.id, initial, []]);
    assert.equal(await stage.available(BROKER), DEPOSIT);
  });
});
