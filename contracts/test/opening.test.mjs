// create, depositAndCreate and join: effects, events in their order, and which error comes first.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ACTIVE, FINALIZE, HOUR, INITIAL, INITIALIZE, NATIVE, OPERATE } from "./harness/states.mjs";
import { ALICE, BOB, BROKER, DEPOSIT, firstDecides, MALLORY, names, startWorld } from "./harness/world.mjs";

const BOTH = [ALICE, BROKER];
let world;
before(async () => (world = await startWorld()));
after(() => world?.stop());

describe("create", () => {
  test("with one signature locks the sender's part and waits", async () => {
    const stage = await world.stage();
    const book = stage.book();
    const initial = await book.signed(book.state(INITIALIZE, 0, [300, 200]), [ALICE]);
    const { events } = await stage.custody.send(ALICE, "create", [book.terms, initial]);
    assert.deepEqual(names(events), ["Created"]);
    assert.deepEqual(events[0].args, { channelId: book.id, wallet: ALICE.address, channel: book.terms, initial });
    assert.deepEqual(await stage.record(book), {
      terms: book.terms,
      status: INITIAL,
      wallets: [ALICE.address, NATIVE],
      challengeExpiry: 0n,
      last: initial,
    });
    assert.equal(await stage.available(ALICE), DEPOSIT - 300n);
    assert.equal(await stage.available(BROKER), DEPOSIT);
    assert.equal(await stage.balance(book), 300n);
    assert.deepEqual(await stage.custody.view("getOpenChannels", [ALICE.address, BROKER.address]), [[book.id], []]);
  });

  test("with both signatures locks both parts and opens", async () => {
    const stage = await world.stage();
    const book = stage.book();
    const initial = await book.signed(book.state(INITIALIZE, 0, [300, 200]), BOTH);
    const { events } = await stage.custody.send(ALICE, "create", [book.terms, initial]);
    assert.deepEqual(names(events), ["Created", "Joined", "Opened"]);
    assert.deepEqual(events[1].args, { channelId: book.id, index: 1n });
    assert.deepEqual(events[2].args, { channelId: book.id });
    const record = await stage.record(book);
    assert.equal(record.status, ACTIVE);
    assert.deepEqual(record.wallets, [ALICE.address, BROKER.address]);
    assert.deepEqual(record.last, initial);
    assert.equal(await stage.available(ALICE), DEPOSIT - 300n);
    assert.equal(await stage.available(BROKER), DEPOSIT - 200n);
    assert.equal(await stage.balance(book), 500n);
    assert.deepEqual(await stage.custody.view("getOpenChannels", [BROKER.address, BOB.address]), [[book.id], []]);
    const balances = await stage.custody.view("getChannelBalances", book.id, [NATIVE, stage.token.address]);
    assert.deepEqual(balances, [0n, 500n]);
  });

  test("does not ask the adjudicator", async () => {
    const stage = await world.stage();
    const adjudicator = await world.mock("YesAdjudicator");
    await adjudicator.send(MALLORY, "refuse", [true]);
    for (const signers of [[ALICE], BOTH]) await stage.active([1, 1], { adjudicator: adjudicator.address, signers });
    assert.equal(await adjudicator.view("asked"), 0n);
  });

  test("takes side 0's part from the sender, who becomes its wallet, not from the participant", async () => {
    const stage = await world.stage();
    await stage.provide(BOB.address, stage.token, 1000n);
    const book = await stage.active([400, 0], { sender: BOB });
    assert.deepEqual((await stage.record(book)).wallets, [BOB.address, BROKER.address]);
    assert.equal(await stage.available(BOB), 600n);
    assert.equal(await stage.available(ALICE), DEPOSIT);
  });

  test("works with the native coin", async () => {
    const stage = await world.stage();
    await stage.custody.send(ALICE, "deposit", [ALICE.address, NATIVE, 50n], 50n);
    const book = await stage.active([50, 0], { token: NATIVE });
    assert.equal(await stage.balance(book), 50n);
    const final = await book.signed(book.state(FINALIZE, 1, [20, 30]), BOTH);
    await stage.custody.send(ALICE, "close", [book.id, final, []]);
    await stage.custody.send(BROKER, "withdraw", [NATIVE, 30n]);
    assert.equal(await stage.available(ALICE, NATIVE), 20n);
  });

  test("reports the first of its errors", async () => {
    const stage = await world.stage();
    const used = await stage.active([0, 0]);
    const rows = [
      ["participants", "InvalidParticipant"],
      ["adjudicator", "InvalidAdjudicator"],
      ["challenge", "InvalidChallengePeriod"],
      ["intent", "InvalidState"],
      ["used", "InvalidStatus"],
      ["first signature", "InvalidStateSignatures"],
      ["allocations", "InvalidAllocations"],
      ["second signature", "InvalidStateSignatures"],
      ["money", "InsufficientBalance"],
    ];
    await firstDecides(stage.custody, rows, async (faults) => {
      const book = stage.book({
        ...(faults.has("participants") && { participants: [ALICE.address, ALICE.address] }),
        ...(faults.has("adjudicator") && { adjudicator: NATIVE }),
        ...(faults.has("challenge") && { challenge: HOUR - 1n }),
        ...(faults.has("used") && { nonce: used.terms.nonce }),
      });
      const state = book.state(faults.has("intent") ? OPERATE : INITIALIZE, 0, [
        faults.has("money") ? DEPOSIT + 1n : 1n,
        0n,
      ]);
      if (faults.has("allocations")) state.allocations.push(state.allocations[0]);
      const first = faults.has("first signature") ? MALLORY : ALICE;
      const second = faults.has("second signature") ? MALLORY : BROKER;
      return [ALICE, "create", [book.terms, await book.signed(state, [first, second])]];
    });
  });

  test("refuses every other shape of its arguments", async () => {
    const stage = await world.stage();
    const refuses = async (error, change, mutate = (state) => state, signers = BOTH) => {
      const book = stage.book(change);
      const state = mutate(book.state(INITIALIZE, 0, [1, 1]));
      await stage.custody.refused(error, ALICE, "create", [book.terms, await book.signed(state, signers)]);
    };
    const destinations = [ALICE.address, BROKER.address];
    await refuses("InvalidParticipant", { participants: [ALICE.address], destinations });
    await refuses("InvalidParticipant", { participants: [ALICE.address, BROKER.address, BOB.address] });
    await refuses("InvalidParticipant", { participants: [NATIVE, BROKER.address] });
    await refuses("InvalidParticipant", { participants: [ALICE.address, NATIVE] });
    await refuses("InvalidState", {}, (state) => ({ ...state, version: 1n }));
    await refuses("InvalidStateSignatures", {}, (state) => state, []);
    await refuses("InvalidStateSignatures", {}, (state) => state, [ALICE, BROKER, BROKER]);
    await refuses("InvalidStateSignatures", {}, (state) => state, [BROKER, ALICE]);
    await refuses("InvalidStateSignatures", {}, (state) => state, [MALLORY]);
    await refuses("InvalidAllocations", {}, (state) => ({ ...state, allocations: [] }));
    await refuses("InvalidAllocations", {}, ({ allocations: [first], ...state }) => ({
      ...state,
      allocations: [first],
    }));
  });

  test("does not open a channel whose server side is not paid for", async () => {
    const stage = await world.stage();
    const book = stage.book();
    const initial = await book.signed(book.state(INITIALIZE, 0, [0, DEPOSIT + 1n]), BOTH);
    await stage.custody.refused("InsufficientBalance", ALICE, "create", [book.terms, initial]);
  });
});

describe("depositAndCreate", () => {
  test("reports in the order deposit, create, open", async () => {
    const stage = await world.stage();
    const book = stage.book();
    const initial = await book.signed(book.state(INITIALIZE, 0, [DEPOSIT + 40n, 0]), BOTH);
    const args = [stage.token.address, 40n, book.terms, initial];
    const { events } = await stage.custody.send(ALICE, "depositAndCreate", args);
    assert.deepEqual(names(events), ["Deposited", "Created", "Joined", "Opened"]);
    assert.deepEqual(events[0].args, { wallet: ALICE.address, token: stage.token.address, amount: 40n });
    assert.equal(await stage.available(ALICE), 0n);
  });

  test("takes the native coin, of which less may be allocated than is deposited", async () => {
    const stage = await world.stage();
    const book = stage.book({ token: NATIVE });
    const initial = await book.signed(book.state(INITIALIZE, 0, [0, 0]), BOTH);
    await stage.custody.send(ALICE, "depositAndCreate", [NATIVE, 40n, book.terms, initial], 40n);
    assert.equal(await stage.available(ALICE, NATIVE), 40n);
  });

  test("deposits nothing if the channel cannot be created, and reports deposit errors first", async () => {
    const stage = await world.stage();
    const book = stage.book({ challenge: 0n });
    const initial = await book.signed(book.state(INITIALIZE, 0, [0, 0]), BOTH);
    const args = (amount) => [stage.token.address, amount, book.terms, initial];
    await stage.custody.refused("InvalidAmount", ALICE, "depositAndCreate", args(0n));
    await stage.custody.refused("InvalidValue", ALICE, "depositAndCreate", args(1n), 1n);
    await stage.custody.refused("InvalidChallengePeriod", ALICE, "depositAndCreate", args(1n));
  });
});

describe("join", () => {
  test("locks the server's part and opens", async () => {
    const stage = await world.stage();
    const book = await stage.initial([300, 200]);
    const sig = await book.sign(book.initial, BROKER);
    const { events } = await stage.custody.send(BROKER, "join", [book.id, 1n, sig]);
    assert.deepEqual(names(events), ["Joined", "Opened"]);
    assert.deepEqual(events[0].args, { channelId: book.id, index: 1n });
    const record = await stage.record(book);
    assert.equal(record.status, ACTIVE);
    assert.deepEqual(record.wallets, [ALICE.address, BROKER.address]);
    assert.deepEqual(record.last.sigs, [...book.initial.sigs, sig]);
    assert.equal(await stage.available(BROKER), DEPOSIT - 200n);
    assert.equal(await stage.balance(book), 500n);
    assert.deepEqual(await stage.custody.view("getOpenChannels", [BROKER.address]), [[book.id]]);
  });

  test("shows the adjudicator the first state with both signatures and no proofs", async () => {
    const stage = await world.stage();
    const adjudicator = await world.mock("YesAdjudicator");
    const book = await stage.initial([1, 1], { adjudicator: adjudicator.address });
    await stage.custody.send(BROKER, "join", [book.id, 1n, await book.sign(book.initial, BROKER)]);
    assert.equal(await adjudicator.view("lastSignatures"), 2n);
    assert.equal(await adjudicator.view("lastProofs"), 0n);
  });

  test("reports the first of its errors", async () => {
    const stage = await world.stage();
    const adjudicator = await world.mock("YesAdjudicator");
    const change = { adjudicator: adjudicator.address };
    const absent = stage.book();
    const joined = await stage.active([1, 1], change);
    const poor = await stage.initial([1, DEPOSIT + 1n], change);
    const good = await stage.initial([1, 1], change);
    const rows = [
      ["absent", "ChannelNotFound"],
      ["joined", "InvalidStatus"],
      ["index", "InvalidParticipant"],
      ["signature", "InvalidStateSignatures"],
      ["refused", "InvalidState"],
      ["money", "InsufficientBalance"],
    ];
    await firstDecides(stage.custody, rows, async (faults) => {
      await adjudicator.send(MALLORY, "refuse", [faults.has("refused")]);
      const book = faults.has("absent") ? absent : faults.has("joined") ? joined : faults.has("money") ? poor : good;
      const state = book.initial ?? book.state(INITIALIZE, 0, [1, 1]);
      const sig = await book.sign(state, faults.has("signature") ? MALLORY : BROKER);
      return [BROKER, "join", [book.id, faults.has("index") ? 0n : 1n, sig]];
    });
    await stage.custody.refused("InvalidParticipant", BROKER, "join", [good.id, 2n, "0x"]);
  });
});
