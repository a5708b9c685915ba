// checkpoint, challenge, resize and close: effects, events in their order, and which error comes first.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import {
  ACTIVE,
  deltas,
  DISPUTE,
  FINALIZE,
  HOUR,
  INITIALIZE,
  NATIVE,
  OPERATE,
  RESIZE,
  VOID,
} from "./harness/states.mjs";
import { ALICE, BOB, BROKER, DEPOSIT, firstDecides, MALLORY, names, startWorld } from "./harness/world.mjs";

const BOTH = [ALICE, BROKER];
let world;
before(async () => (world = await startWorld()));
after(() => world?.stop());

describe("checkpoint", () => {
  test("stores a newer state", async () => {
    const stage = await world.stage();
    const book = await stage.active([300, 200]);
    const candidate = await book.signed(book.state(OPERATE, 7, [100, 400], { data: "0x0123" }), BOTH);
    const { events } = await stage.custody.send(MALLORY, "checkpoint", [book.id, candidate, []]);
    assert.deepEqual(names(events), ["Checkpointed"]);
    assert.deepEqual(events[0].args, { channelId: book.id, state: candidate });
    const record = await stage.record(book);
    assert.equal(record.status, ACTIVE);
    assert.deepEqual(record.last, candidate);
    assert.equal(await stage.balance(book), 500n);
  });

  test("ends a dispute, after its expiry too as long as nobody has closed", async () => {
    const stage = await world.stage();
    const book = await stage.active([300, 200]);
    for (const [version, wait] of [
      [1, 0n],
      [2, HOUR + 1n],
    ]) {
      const { last } = await stage.record(book);
      await stage.challenge(book, last);
      assert.equal((await stage.record(book)).status, DISPUTE);
      await world.move(wait);
      const candidate = await book.signed(book.state(OPERATE, version, [0, 500]), BOTH);
      await stage.custody.send(BROKER, "checkpoint", [book.id, candidate, []]);
      const record = await stage.record(book);
      assert.equal(record.status, ACTIVE);
      assert.equal(record.challengeExpiry, 0n);
    }
  });

  test("reports the first of its errors", async () => {
    const stage = await world.stage();
    const adjudicator = await world.mock("YesAdjudicator");
    const change = { adjudicator: adjudicator.address };
    const absent = stage.book();
    const waiting = await stage.initial([3, 2], change);
    const good = await stage.active([3, 2], change);
    const rows = [
      ["absent", "ChannelNotFound"],
      ["waiting", "InvalidStatus"],
      ["intent", "InvalidState"],
      ["signature", "InvalidStateSignatures"],
      ["sum", "InvalidAllocations"],
      ["refused", "InvalidState"],
    ];
    await firstDecides(stage.custody, rows, async (faults) => {
      await adjudicator.send(MALLORY, "refuse", [faults.has("refused")]);
      const book = faults.has("absent") ? absent : faults.has("waiting") ? waiting : good;
      const state = book.state(faults.has("intent") ? RESIZE : OPERATE, 1, [faults.has("sum") ? 4 : 3, 2]);
      const candidate = await book.signed(state, [ALICE, faults.has("signature") ? MALLORY : BROKER]);
      return [ALICE, "checkpoint", [book.id, candidate, []]];
    });
    for (const [intent, version] of [
      [OPERATE, 0],
      [INITIALIZE, 1],
      [FINALIZE, 1],
    ]) {
      const candidate = await good.signed(good.state(intent, version, [3, 2]), BOTH);
      await stage.custody.refused("InvalidState", ALICE, "checkpoint", [good.id, candidate, []]);
    }
    for (const signers of [[], [ALICE], [BROKER, ALICE], [ALICE, BROKER, BROKER]]) {
      const candidate = await good.signed(good.state(OPERATE, 1, [3, 2]), signers);
      await stage.custody.refused("InvalidStateSignatures", ALICE, "checkpoint", [good.id, candidate, []]);
    }
  });
});

describe("challenge", () => {
  test("with the stored state starts the clock and needs no adjudicator", async () => {
    const stage = await world.stage();
    const adjudicator = await world.mock("YesAdjudicator");
    const book = await stage.active([300, 200], { adjudicator: adjudicator.address, challenge: 2n * HOUR });
    await adjudicator.send(MALLORY, "refuse", [true]);
    const { events, receipt } = await stage.challenge(book, book.initial, BROKER);
    const mined = BigInt((await world.rpc("eth_getBlockByNumber", receipt.blockNumber, false)).timestamp);
    assert.deepEqual(names(events), ["Challenged"]);
    assert.deepEqual(events[0].args, { channelId: book.id, state: book.initial, expiration: mined + 2n * HOUR });
    const record = await stage.record(book);
    assert.equal(record.status, DISPUTE);
    assert.equal(record.challengeExpiry, mined + 2n * HOUR);
    assert.equal(await adjudicator.view("asked"), 0n);
  });

  test("with a newer state stores it", async () => {
    const stage = await world.stage();
    const book = await stage.active([300, 200]);
    const candidate = await book.signed(book.state(OPERATE, 3, [1, 499]), BOTH);
    const { events } = await stage.challenge(book, candidate);
    assert.deepEqual(events[0].args.state, candidate);
    assert.deepEqual((await stage.record(book)).last, candidate);
  });

  test("with the stored RESIZE starts the clock", async () => {
    const stage = await world.stage();
    const book = await stage.active([300, 200]);
    const resized = await book.signed(book.state(RESIZE, 1, [400, 200], { data: deltas(100n, 0n) }), BOTH);
    await stage.custody.send(ALICE, "resize", [book.id, resized, [book.initial]]);
    await stage.challenge(book, resized);
    assert.equal((await stage.record(book)).status, DISPUTE);
  });

  test("of a channel that nobody joined refunds it at once", async () => {
    const stage = await world.stage();
    const book = await stage.initial([300, 200]);
    const { events, receipt } = await stage.challenge(book, book.initial);
    const mined = BigInt((await world.rpc("eth_getBlockByNumber", receipt.blockNumber, false)).timestamp);
    assert.deepEqual(names(events), ["Challenged", "Closed"]);
    assert.deepEqual(events[0].args, { channelId: book.id, state: book.initial, expiration: mined });
    assert.deepEqual(events[1].args, { channelId: book.id, finalState: book.initial });
    assert.equal(await stage.available(ALICE), DEPOSIT);
    assert.equal(await stage.available(BROKER), DEPOSIT);
    assert.equal((await stage.record(book)).status, VOID);
    assert.deepEqual(await stage.custody.view("getOpenChannels", [ALICE.address]), [[]]);
  });

  test("reports the first of its errors", async () => {
    const stage = await world.stage();
    const adjudicator = await world.mock("YesAdjudicator");
    const change = { adjudicator: adjudicator.address };
    const absent = stage.book();
    const disputed = await stage.active([3, 2], change);
    await stage.challenge(disputed, disputed.initial);
    const good = await stage.active([3, 2], change);
    const rows = [
      ["absent", "ChannelNotFound"],
      ["disputed", "InvalidStatus"],
      ["final", "InvalidState"],
      ["challenger", "InvalidChallengerSignature"],
      ["intent", "InvalidState"],
      ["signature", "InvalidStateSignatures"],
      ["sum", "InvalidAllocations"],
      ["refused", "InvalidState"],
    ];
    await firstDecides(stage.custody, rows, async (faults) => {
      await adjudicator.send(MALLORY, "refuse", [faults.has("refused")]);
      const book = faults.has("absent") ? absent : faults.has("disputed") ? disputed : good;
      const intent = faults.has("final") ? FINALIZE : faults.has("intent") ? RESIZE : OPERATE;
      const state = book.state(intent, 1, [faults.has("sum") ? 4 : 3, 2]);
      const candidate = await book.signed(state, [ALICE, faults.has("signature") ? MALLORY : BROKER]);
      const sig = await book.signChallenge(candidate, faults.has("challenger") ? MALLORY : ALICE);
      return [ALICE, "challenge", [book.id, candidate, [], sig]];
    });
  });

  test("of a channel that nobody joined takes its first state only", async () => {
    const stage = await world.stage();
    const book = await stage.initial([3, 2]);
    const later = await book.signed(book.state(OPERATE, 1, [3, 0]), BOTH);
    const args = [book.id, later, [], await book.signChallenge(later, ALICE)];
    await stage.custody.refused("InvalidState", ALICE, "challenge", args);
  });
});

describe("resize", () => {
  test("adds money of the sender and of the server", async () => {
    const stage = await world.stage();
    const book = await stage.active([300, 200]);
    const candidate = await book.signed(book.state(RESIZE, 1, [350, 260], { data: deltas(50n, 60n) }), BOTH);
    const { events } = await stage.custody.send(ALICE, "resize", [book.id, candidate, [book.initial]]);
    assert.deepEqual(names(events), ["Resized"]);
    assert.deepEqual(events[0].args, { channelId: book.id, deltaAllocations: [50n, 60n] });
    assert.deepEqual((await stage.record(book)).last, candidate);
    assert.equal(await stage.balance(book), 610n);
    assert.equal(await stage.available(ALICE), DEPOSIT - 350n);
    assert.equal(await stage.available(BROKER), DEPOSIT - 260n);
  });

  test("takes money out, for the destination of allocation 0 and for the server", async () => {
    const stage = await world.stage();
    const book = await stage.active([300, 200]);
    book.destinations = [BOB.address, BOB.address];
    const candidate = await book.signed(book.state(RESIZE, 1, [250, 140], { data: deltas(-50n, -60n) }), BOTH);
    await stage.custody.send(MALLORY, "resize", [book.id, candidate, [book.initial]]);
    assert.equal(await stage.balance(book), 390n);
    assert.equal(await stage.available(BOB), 50n);
    assert.equal(await stage.available(BROKER), DEPOSIT - 140n);
    assert.equal(await stage.available(ALICE), DEPOSIT - 300n);
  });

  test("moves money through an empty channel", async () => {
    const stage = await world.stage();
    const book = await stage.active([0, 0]);
    const candidate = await book.signed(book.state(RESIZE, 1, [0, 0], { data: deltas(500n, -500n) }), BOTH);
    await stage.custody.send(ALICE, "resize", [book.id, candidate, [book.initial]]);
    assert.equal(await stage.available(ALICE), DEPOSIT - 500n);
    assert.equal(await stage.available(BROKER), DEPOSIT + 500n);
    assert.equal(await stage.balance(book), 0n);
  });

  test("shifts what the parties have along with the deltas", async () => {
    const stage = await world.stage();
    const book = await stage.active([300, 200]);
    const candidate = await book.signed(book.state(RESIZE, 1, [600, 0], { data: deltas(100n, 0n) }), BOTH);
    await stage.custody.send(ALICE, "resize", [book.id, candidate, [book.initial]]);
    assert.equal(await stage.balance(book), 600n);
  });

  test("accepts a newer OPERATE as what is resized, and shows it and the other proofs to the adjudicator", async () => {
    const stage = await world.stage();
    const adjudicator = await world.mock("YesAdjudicator");
    const book = await stage.active([300, 200], { adjudicator: adjudicator.address });
    const proof = await book.signed(book.state(OPERATE, 8, [100, 400]), BOTH);
    const candidate = await book.signed(book.state(RESIZE, 9, [0, 400], { data: deltas(-100n, 0n) }), BOTH);
    await stage.custody.send(ALICE, "resize", [book.id, candidate, [proof, book.initial]]);
    assert.equal(await adjudicator.view("lastVersion"), 8n);
    assert.equal(await adjudicator.view("lastProofs"), 1n);
    assert.equal(await stage.balance(book), 400n);
    assert.equal((await stage.record(book)).last.version, 9n);
  });

  test("leaves room in its data for what an adjudicator may want", async () => {
    const stage = await world.stage();
    const book = await stage.active([0, 0]);
    // abi.encode(int256[] [5, 0], bytes "")
    const words = [0x40n, 0xa0n, 2n, 5n, 0n, 0n].map((word) => word.toString(16).padStart(64, "0"));
    const candidate = await book.signed(book.state(RESIZE, 1, [5, 0], { data: `0x${words.join("")}` }), BOTH);
    await stage.custody.send(ALICE, "resize", [book.id, candidate, [book.initial]]);
    assert.equal(await stage.balance(book), 5n);
  });

  test("reports the first of its errors", async () => {
    const stage = await world.stage();
    const adjudicator = await world.mock("YesAdjudicator");
    const change = { adjudicator: adjudicator.address };
    const absent = stage.book();
    const waiting = await stage.initial([3, 2], change);
    const good = await stage.active([3, 2], change);
    const rows = [
      ["absent", "ChannelNotFound"],
      ["waiting", "InvalidStatus"],
      ["no proof", "InvalidState"],
      ["signature of proof", "InvalidStateSignatures"],
      ["sum of proof", "InvalidAllocations"],
      ["signature", "InvalidStateSignatures"],
      ["three deltas", "InvalidState"],
      ["sum", "InvalidAllocations"],
      ["refused", "InvalidState"],
      ["money", "InsufficientBalance"],
    ];
    await firstDecides(stage.custody, rows, async (faults) => {
      await adjudicator.send(MALLORY, "refuse", [faults.has("refused")]);
      const book = faults.has("absent") ? absent : faults.has("waiting") ? waiting : good;
      const proofState = book.state(OPERATE, 1, [faults.has("sum of proof") ? 4 : 3, 2]);
      const proof = await book.signed(proofState, [ALICE, faults.has("signature of proof") ? MALLORY : BROKER]);
      const delta = faults.has("money") ? DEPOSIT : 1n;
      const data = faults.has("three deltas") ? deltas(delta, 0n, 0n) : deltas(delta, 0n);
      const state = book.state(RESIZE, 2, [3n + delta, faults.has("sum") ? 3 : 2], { data });
      const candidate = await book.signed(state, [ALICE, faults.has("signature") ? MALLORY : BROKER]);
      return [ALICE, "resize", [book.id, candidate, faults.has("no proof") ? [] : [proof]]];
    });
  });

  test("refuses other intents, other versions and other data", async () => {
    const stage = await world.stage();
    const book = await stage.active([3, 2]);
    const refuses = async (error, intent, version, data) => {
      const candidate = await book.signed(book.state(intent, version, [4, 2], { data }), BOTH);
      await stage.custody.refused(error, ALICE, "resize", [book.id, candidate, [book.initial]]);
    };
    const data = deltas(1n, 0n);
    for (const intent of [OPERATE, INITIALIZE, FINALIZE]) await refuses("InvalidState", intent, 1, data);
    for (const version of [0, 2, 2n ** 256n - 1n]) await refuses("InvalidState", RESIZE, version, data);
    for (const wrong of ["0x", deltas(), deltas(1n), `0x${"00".repeat(64)}`])
      await refuses("InvalidState", RESIZE, 1, wrong);
    await refuses("no reason", RESIZE, 1, `0x${"ff".repeat(128)}`);
    await refuses("InvalidAllocations", RESIZE, 1, deltas(2n, 0n));
    await refuses("InvalidAllocations", RESIZE, 1, deltas(0n, 0n));
  });

  test("is not possible in a dispute", async () => {
    const stage = await world.stage();
    const book = await stage.active([3, 2]);
    await stage.challenge(book, book.initial);
    const candidate = await book.signed(book.state(RESIZE, 1, [4, 2], { data: deltas(1n, 0n) }), BOTH);
    await stage.custody.refused("InvalidStatus", ALICE, "resize", [book.id, candidate, [book.initial]]);
  });
});

describe("close", () => {
  test("pays a FINALIZE to the ledgers of its destinations and forgets the channel", async () => {
    const stage = await world.stage();
    const book = await stage.active([300, 200]);
    book.destinations = [BOB.address, BROKER.address];
    const final = await book.signed(book.state(FINALIZE, 1, [100, 400]), BOTH);
    const { events } = await stage.custody.send(MALLORY, "close", [book.id, final, []]);
    assert.deepEqual(names(events), ["Closed"]);
    assert.deepEqual(events[0].args, { channelId: book.id, finalState: final });
    assert.equal(await stage.available(BOB), 100n);
    assert.equal(await stage.available(BROKER), DEPOSIT + 200n);
    assert.equal(await stage.available(ALICE), DEPOSIT - 300n);
    assert.deepEqual(await stage.record(book), {
      terms: { participants: [], adjudicator: NATIVE, challenge: 0n, nonce: 0n },
      status: VOID,
      wallets: [NATIVE, NATIVE],
      challengeExpiry: 0n,
      last: { intent: 0, version: 0n, data: "0x", allocations: [], sigs: [] },
    });
    assert.equal(await stage.balance(book), 0n);
    assert.deepEqual(await stage.custody.view("getOpenChannels", [ALICE.address, BROKER.address]), [[], []]);
  });

  test("works in a dispute before it expires", async () => {
    const stage = await world.stage();
    const book = await stage.active([300, 200]);
    await stage.challenge(book, book.initial);
    await stage.custody.refused("InvalidState", ALICE, "close", [book.id, book.initial, []]);
    const final = await book.signed(book.state(FINALIZE, 1, [500, 0]), BOTH);
    await stage.custody.send(ALICE, "close", [book.id, final, []]);
    assert.equal(await stage.available(ALICE), DEPOSIT + 200n);
  });

  test("pays the stored state from the second on in which the challenge expires", async () => {
    const stage = await world.stage();
    const book = await stage.active([300, 200]);
    const stored = await book.signed(book.state(OPERATE, 4, [10, 490]), BOTH);
    await stage.challenge(book, stored);
    const { challengeExpiry } = await stage.record(book);
    const anything = book.state(OPERATE, 0, [500, 0]);
    await world.moveTo(challengeExpiry - 1n);
    await stage.custody.refused("InvalidState", MALLORY, "close", [book.id, anything, []]);
    await world.moveTo(challengeExpiry);
    assert.equal(await world.now(), challengeExpiry);
    assert.equal(await stage.custody.attempt(MALLORY, "close", [book.id, anything, []]), undefined);
    const { events } = await stage.custody.send(MALLORY, "close", [book.id, anything, []]);
    assert.deepEqual(events[0].args, { channelId: book.id, finalState: stored });
    assert.equal(await stage.available(ALICE), DEPOSIT - 290n);
    assert.equal(await stage.available(BROKER), DEPOSIT + 290n);
  });

  test("reports the first of its errors", async () => {
    const stage = await world.stage();
    const absent = stage.book();
    const waiting = await stage.initial([3, 2]);
    const good = await stage.active([3, 2]);
    const rows = [
      ["absent", "ChannelNotFound"],
      ["waiting", "InvalidStatus"],
      ["intent", "InvalidState"],
      ["signature", "InvalidStateSignatures"],
      ["sum", "InvalidAllocations"],
    ];
    await firstDecides(stage.custody, rows, async (faults) => {
      const book = faults.has("absent") ? absent : faults.has("waiting") ? waiting : good;
      const state = book.state(faults.has("intent") ? OPERATE : FINALIZE, 1, [faults.has("sum") ? 4 : 3, 2]);
      const final = await book.signed(state, [ALICE, faults.has("signature") ? MALLORY : BROKER]);
      return [ALICE, "close", [book.id, final, []]];
    });
    const first = await good.signed(good.state(FINALIZE, 0, [3, 2]), BOTH);
    await stage.custody.refused("InvalidState", ALICE, "close", [good.id, first, []]);
    for (const signers of [[], [ALICE], [BROKER, ALICE], [ALICE, BROKER, BROKER]]) {
      const final = await good.signed(good.state(FINALIZE, 1, [3, 2]), signers);
      await stage.custody.refused("InvalidStateSignatures", ALICE, "close", [good.id, final, []]);
    }
  });

  test("takes a closed channel out of the lists and leaves the others", async () => {
    const stage = await world.stage();
    const books = [];
    for (let i = 0; i < 3; i++) books.push(await stage.active([1, 1]));
    const final = await books[0].signed(books[0].state(FINALIZE, 1, [1, 1]), BOTH);
    await stage.custody.send(ALICE, "close", [books[0].id, final, []]);
    const [ofAlice, ofBroker] = await stage.custody.view("getOpenChannels", [ALICE.address, BROKER.address]);
    assert.deepEqual([...ofAlice].sort(), [books[1].id, books[2].id].sort());
    assert.deepEqual([...ofBroker].sort(), [books[1].id, books[2].id].sort());
  });
});
