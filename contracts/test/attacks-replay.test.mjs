// Attacks with what was signed before: ids and states played again, out of turn, or never executed.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { deltas, FINALIZE, HOUR, INITIALIZE, OPERATE, RESIZE } from "./harness/states.mjs";
import { ALICE, BROKER, DEPOSIT, MALLORY, startWorld } from "./harness/world.mjs";

const BOTH = [ALICE, BROKER];
const MAX_UINT = 2n ** 256n - 1n;
let world;
before(async () => (world = await startWorld()));
after(() => world?.stop());

/** A state with both signatures. */
const both = (book, ...state) => book.signed(book.state(...state), BOTH);

/** The data of a RESIZE with these deltas. */
const moves = (client, server) => ({ data: deltas(client, server) });

describe("an id is used once:", () => {
  test("a closed channel cannot be created again with the same signatures", async () => {
    const stage = await world.stage();
    const book = await stage.active([0, 100]);
    const final = await both(book, FINALIZE, 1, [100, 0]);
    await stage.custody.send(ALICE, "close", [book.id, final, []]);
    await stage.custody.refused("InvalidStatus", ALICE, "create", [book.terms, book.initial]);
    const alone = { ...book.initial, sigs: [book.initial.sigs[0]] };
    await stage.custody.refused("InvalidStatus", ALICE, "create", [book.terms, alone]);
    assert.equal(await stage.available(ALICE), DEPOSIT + 100n);
  });

  test("a channel closed after a challenge cannot be created again", async () => {
    const stage = await world.stage();
    const book = await stage.active([0, 100]);
    await stage.challenge(book, book.initial);
    await world.move(HOUR + 1n);
    await stage.custody.send(ALICE, "close", [book.id, book.initial, []]);
    await stage.custody.refused("InvalidStatus", ALICE, "create", [book.terms, book.initial]);
  });

  test("a refunded channel cannot be created again, joined or refunded again", async () => {
    const stage = await world.stage();
    const book = await stage.initial([300, 200]);
    await stage.challenge(book, book.initial);
    const joined = { ...book.initial, sigs: [...book.initial.sigs, await book.sign(book.initial, BROKER)] };
    await stage.custody.refused("InvalidStatus", ALICE, "create", [book.terms, book.initial]);
    await stage.custody.refused("InvalidStatus", ALICE, "create", [book.terms, joined]);
    await stage.custody.refused("ChannelNotFound", BROKER, "join", [book.id, 1n, joined.sigs[1]]);
    const challenger = await book.signChallenge(book.initial, ALICE);
    await stage.custody.refused("ChannelNotFound", ALICE, "challenge", [book.id, book.initial, [], challenger]);
    assert.equal(await stage.available(ALICE), DEPOSIT);
  });

  test("every call on a closed channel finds none", async () => {
    const stage = await world.stage();
    const book = await stage.active([0, 100]);
    const final = await both(book, FINALIZE, 1, [100, 0]);
    await stage.custody.send(ALICE, "close", [book.id, final, []]);
    const next = await both(book, OPERATE, 2, [100, 0]);
    const challenger = await book.signChallenge(next, ALICE);
    const resized = await both(book, RESIZE, 1, [0, 0], moves(0n, -100n));
    await stage.custody.refused("ChannelNotFound", ALICE, "close", [book.id, final, []]);
    await stage.custody.refused("ChannelNotFound", ALICE, "checkpoint", [book.id, next, []]);
    await stage.custody.refused("ChannelNotFound", ALICE, "challenge", [book.id, next, [], challenger]);
    await stage.custody.refused("ChannelNotFound", ALICE, "resize", [book.id, resized, [book.initial]]);
    await stage.custody.refused("ChannelNotFound", ALICE, "join", [book.id, 1n, "0x"]);
  });
});

describe("a state is executed once and in its turn:", () => {
  test("a FINALIZE that is older than the stored state does not close", async () => {
    const stage = await world.stage();
    const book = await stage.active([0, 100]);
    const old = await both(book, FINALIZE, 1, [100, 0]);
    const next = await both(book, OPERATE, 2, [0, 100]);
    await stage.custody.send(BROKER, "checkpoint", [book.id, next, []]);
    await stage.custody.refused("InvalidState", ALICE, "close", [book.id, old, []]);
    await stage.challenge(book, next);
    await stage.custody.refused("InvalidState", ALICE, "close", [book.id, old, []]);
  });

  test("a RESIZE that moves an empty channel's money through is not executed twice", async () => {
    const stage = await world.stage();
    const book = await stage.active([0, 0]);
    const resized = await both(book, RESIZE, 1, [0, 0], moves(-100n, 100n));
    await stage.custody.send(ALICE, "resize", [book.id, resized, [book.initial]]);
    await stage.custody.refused("InvalidState", ALICE, "resize", [book.id, resized, [book.initial]]);
    await stage.custody.refused("InvalidState", ALICE, "resize", [book.id, resized, [resized]]);
    assert.equal(await stage.available(BROKER), DEPOSIT - 100n);
  });

  test("a RESIZE that takes a part out does not take the other's part the second time", async () => {
    const stage = await world.stage();
    const book = await stage.active([50, 50]);
    const resized = await both(book, RESIZE, 1, [0, 50], moves(-50n, 0n));
    await stage.custody.send(ALICE, "resize", [book.id, resized, [book.initial]]);
    await stage.custody.refused("InvalidState", ALICE, "resize", [book.id, resized, [book.initial]]);
    assert.equal(await stage.balance(book), 50n);
  });

  test("a RESIZE is not executed on a RESIZE that never was, nor on a FINALIZE", async () => {
    const stage = await world.stage();
    const book = await stage.active([50, 50]);
    const second = await both(book, RESIZE, 2, [0, 100], moves(0n, 0n));
    const unexecuted = await both(book, RESIZE, 1, [50, 50], moves(0n, 0n));
    const final = await both(book, FINALIZE, 1, [50, 50]);
    const again = await both(book, INITIALIZE, 1, [50, 50]);
    for (const proof of [unexecuted, final, again]) {
      await stage.custody.refused("InvalidState", ALICE, "resize", [book.id, second, [proof]]);
    }
    const operate = await both(book, OPERATE, 1, [50, 50]);
    await stage.custody.send(ALICE, "resize", [book.id, second, [operate]]);
  });

  test("a RESIZE is not executed on a state that is older than the stored one", async () => {
    const stage = await world.stage();
    const book = await stage.active([50, 50]);
    const old = await both(book, OPERATE, 1, [100, 0]);
    const resized = await both(book, RESIZE, 2, [0, 0], moves(-100n, 0n));
    await stage.custody.send(BROKER, "checkpoint", [book.id, await both(book, OPERATE, 5, [0, 100]), []]);
    await stage.custody.refused("InvalidState", ALICE, "resize", [book.id, resized, [old]]);
  });

  test("a newer OPERATE that is resized must itself be signed by both, fit, and be accepted", async () => {
    const stage = await world.stage();
    const adjudicator = await world.mock("YesAdjudicator");
    const book = await stage.active([50, 50], { adjudicator: adjudicator.address });
    const resized = await both(book, RESIZE, 2, [0, 0], moves(-100n, 0n));
    const refused = (error, proof) => stage.custody.refused(error, ALICE, "resize", [book.id, resized, [proof]]);
    await refused("InvalidStateSignatures", book.state(OPERATE, 1, [100, 0]));
    await refused("InvalidStateSignatures", await book.signed(book.state(OPERATE, 1, [100, 0]), [ALICE, ALICE]));
    await refused("InvalidAllocations", await both(book, OPERATE, 1, [200, 0]));
    await adjudicator.send(MALLORY, "refuse", [true]);
    await refused("InvalidState", await both(book, OPERATE, 1, [100, 0]));
  });

  test("after a RESIZE no older OPERATE wins a dispute", async () => {
    const stage = await world.stage();
    const book = await stage.active([50, 50]);
    const old = await both(book, OPERATE, 1, [100, 0]);
    const proof = await both(book, OPERATE, 2, [0, 100]);
    const resized = await both(book, RESIZE, 3, [0, 100], moves(0n, 0n));
    await stage.custody.send(BROKER, "resize", [book.id, resized, [proof]]);
    const challenger = await book.signChallenge(old, ALICE);
    await stage.custody.refused("InvalidState", ALICE, "challenge", [book.id, old, [], challenger]);
    await stage.challenge(book, resized, BROKER);
    await stage.custody.refused("InvalidState", ALICE, "checkpoint", [book.id, old, []]);
    await stage.custody.refused("InvalidState", ALICE, "checkpoint", [book.id, proof, []]);
    await world.move(HOUR + 1n);
    await stage.custody.refused("InvalidState", ALICE, "checkpoint", [book.id, old, []]);
    const { events } = await stage.custody.send(BROKER, "close", [book.id, old, []]);
    assert.equal(events[0].args.finalState.version, 3n);
  });

  test("an older OPERATE does not clear a dispute about the first state's successor", async () => {
    const stage = await world.stage();
    const book = await stage.active([50, 50]);
    const old = await both(book, OPERATE, 1, [100, 0]);
    await stage.challenge(book, await both(book, OPERATE, 2, [0, 100]), BROKER);
    await stage.custody.refused("InvalidState", ALICE, "checkpoint", [book.id, old, []]);
  });

  test("a RESIZE or INITIALIZE that was not executed is no challenge", async () => {
    const stage = await world.stage();
    const book = await stage.active([50, 50]);
    const candidates = [
      await both(book, RESIZE, 1, [100, 0], moves(0n, 0n)),
      await both(book, RESIZE, 1, [550, 50], moves(500n, 0n)),
      await both(book, INITIALIZE, 1, [100, 0]),
      await both(book, INITIALIZE, 0, [100, 0]),
    ];
    for (const candidate of candidates) {
      const challenger = await book.signChallenge(candidate, ALICE);
      await stage.custody.refused("InvalidState", ALICE, "challenge", [book.id, candidate, [], challenger]);
    }
  });

  test("an OPERATE that counts on a RESIZE is worth nothing before it and everything after it", async () => {
    const stage = await world.stage();
    const book = await stage.active([50, 50]);
    const resized = await both(book, RESIZE, 1, [150, 50], moves(100n, 0n));
    const successor = await both(book, OPERATE, 2, [0, 200]);
    const challenger = await book.signChallenge(successor, BROKER);
    await stage.custody.refused("InvalidAllocations", BROKER, "checkpoint", [book.id, successor, []]);
    await stage.custody.refused("InvalidAllocations", BROKER, "challenge", [book.id, successor, [], challenger]);
    await stage.custody.send(ALICE, "resize", [book.id, resized, [book.initial]]);
    await stage.custody.send(BROKER, "checkpoint", [book.id, successor, []]);
  });

  test("of one version exactly one of RESIZE, FINALIZE and OPERATE is executed", async () => {
    const kinds = ["resize", "close", "checkpoint", "challenge"];
    for (const first of kinds) {
      for (const second of kinds) {
        const stage = await world.stage();
        const book = await stage.active([50, 50]);
        const operate = await both(book, OPERATE, 1, [0, 100]);
        const calls = {
          resize: [book.id, await both(book, RESIZE, 1, [0, 50], moves(-50n, 0n)), [book.initial]],
          close: [book.id, await both(book, FINALIZE, 1, [100, 0]), []],
          checkpoint: [book.id, operate, []],
          challenge: [book.id, operate, [], await book.signChallenge(operate, ALICE)],
        };
        await stage.custody.send(ALICE, first, calls[first]);
        const error = await stage.custody.attempt(ALICE, second, calls[second]);
        // The stored state itself may be challenged with: it is not executed again.
        if (first === "checkpoint" && second === "challenge") assert.equal(error, undefined);
        else assert.ok(error !== undefined, `${second} after ${first}`);
        // A RESIZE of the same version cannot be put on the OPERATE either.
        if (first === "checkpoint") {
          const [, resized] = calls.resize;
          await stage.custody.refused("InvalidState", ALICE, "resize", [book.id, resized, [operate]]);
        }
      }
    }
  });

  test("the last version there is can be stored, and then nothing but a challenge ends the channel", async () => {
    const stage = await world.stage();
    const book = await stage.active([50, 50]);
    const last = await both(book, OPERATE, MAX_UINT, [30, 70]);
    await stage.custody.send(ALICE, "checkpoint", [book.id, last, []]);
    for (const version of [0n, MAX_UINT]) {
      const resized = await both(book, RESIZE, version, [30, 70], moves(0n, 0n));
      await stage.custody.refused("InvalidState", ALICE, "resize", [book.id, resized, [last]]);
    }
    const final = await both(book, FINALIZE, MAX_UINT, [30, 70]);
    await stage.custody.refused("InvalidState", ALICE, "close", [book.id, final, []]);
    await stage.challenge(book, last);
    await world.move(HOUR + 1n);
    await stage.custody.send(ALICE, "close", [book.id, last, []]);
    assert.equal(await stage.available(BROKER), DEPOSIT + 20n);
  });

  test("an adjudicator that calls everything newer is not asked", async () => {
    const stage = await world.stage();
    const adjudicator = await world.mock("YesAdjudicator");
    const book = await stage.active([50, 50], { adjudicator: adjudicator.address });
    const old = await both(book, OPERATE, 1, [100, 0]);
    await stage.custody.send(BROKER, "checkpoint", [book.id, await both(book, OPERATE, 2, [0, 100]), []]);
    await stage.custody.refused("InvalidState", ALICE, "checkpoint", [book.id, old, []]);
    const equal = await both(book, OPERATE, 2, [100, 0]);
    await stage.custody.refused("InvalidState", ALICE, "checkpoint", [book.id, equal, []]);
  });
});
