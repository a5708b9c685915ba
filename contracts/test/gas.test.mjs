// What the calls of an ordinary channel cost, printed; a bound keeps a jump from going unnoticed.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { deltas, FINALIZE, HOUR, INITIALIZE, OPERATE, RESIZE } from "./harness/states.mjs";
import { ALICE, BROKER, DEPOSIT, startWorld } from "./harness/world.mjs";

const BOTH = [ALICE, BROKER];
// Measured with the pinned compiler, rounded up by a few per cent.
const GAS_MAX = {
  "deployment of custody": 4_305_000n,
  "deployment of the adjudicator": 1_355_000n,
  deposit: 55_000n,
  withdraw: 50_000n,
  create: 750_000n,
  depositAndCreate: 775_000n,
  "create, one signature": 600_000n,
  join: 295_000n,
  "resize, on the stored INITIALIZE": 310_000n,
  "resize, on a newer OPERATE": 325_000n,
  checkpoint: 190_000n,
  "challenge, newer state": 245_000n,
  "challenge, stored state": 150_000n,
  "checkpoint, of a dispute": 175_000n,
  "close, FINALIZE": 185_000n,
  "close, after expiry": 185_000n,
  "challenge, refund": 160_000n,
};
let world;
before(async () => (world = await startWorld()));
after(() => world?.stop());

test("gas of an ordinary channel stays within its bounds", async (t) => {
  const stage = await world.stage();
  const { custody, token } = stage;
  const used = {
    "deployment of custody": custody.gasUsed,
    "deployment of the adjudicator": stage.adjudicator.gasUsed,
  };
  const measure = async (name, from, functionName, args) => {
    used[name] = (await custody.send(from, functionName, args)).gas;
  };
  const both = (book, ...state) => book.signed(book.state(...state), BOTH);

  await measure("deposit", ALICE, "deposit", [ALICE.address, token.address, 1000n]);
  await measure("withdraw", ALICE, "withdraw", [token.address, 1000n]);

  const book = stage.book();
  const initial = await both(book, INITIALIZE, 0, [DEPOSIT / 2n, 0]);
  await measure("create", ALICE, "create", [book.terms, initial]);
  const resized = await both(book, RESIZE, 1, [DEPOSIT / 2n + 9n, 0], { data: deltas(9n, 0n) });
  await measure("resize, on the stored INITIALIZE", ALICE, "resize", [book.id, resized, [initial]]);
  const total = DEPOSIT / 2n + 9n;
  const operate = await both(book, OPERATE, 2, [total - 5n, 5]);
  await measure("checkpoint", BROKER, "checkpoint", [book.id, operate, []]);
  const newer = await both(book, OPERATE, 3, [total - 6n, 6]);
  const again = await both(book, RESIZE, 4, [total - 8n, 6], { data: deltas(-2n, 0n) });
  await measure("resize, on a newer OPERATE", ALICE, "resize", [book.id, again, [newer]]);
  await measure("challenge, stored state", ALICE, "challenge", [
    book.id,
    again,
    [],
    await book.signChallenge(again, ALICE),
  ]);
  const answer = await both(book, OPERATE, 5, [total - 9n, 7]);
  await measure("checkpoint, of a dispute", BROKER, "checkpoint", [book.id, answer, []]);
  const final = await both(book, FINALIZE, 6, [total - 2n, 0]);
  await measure("close, FINALIZE", ALICE, "close", [book.id, final, []]);

  const disputed = stage.book();
  const disputedInitial = await both(disputed, INITIALIZE, 0, [10, 0]);
  await measure("depositAndCreate", ALICE, "depositAndCreate", [token.address, 10n, disputed.terms, disputedInitial]);
  const claim = await both(disputed, OPERATE, 1, [5, 5]);
  const sig = await disputed.signChallenge(claim, ALICE);
  await measure("challenge, newer state", ALICE, "challenge", [disputed.id, claim, [], sig]);
  await world.move(HOUR + 1n);
  await measure("close, after expiry", ALICE, "close", [disputed.id, claim, []]);

  const joined = stage.book();
  const waiting = await joined.signed(joined.state(INITIALIZE, 0, [10, 10]), [ALICE]);
  await measure("create, one signature", ALICE, "create", [joined.terms, waiting]);
  await measure("join", BROKER, "join", [joined.id, 1n, await joined.sign(waiting, BROKER)]);
  const refunded = await stage.initial([10, 10]);
  const challenger = await refunded.signChallenge(refunded.initial, ALICE);
  await measure("challenge, refund", ALICE, "challenge", [refunded.id, refunded.initial, [], challenger]);

  assert.deepEqual(Object.keys(used).sort(), Object.keys(GAS_MAX).sort());
  for (const [name, gas] of Object.entries(used)) {
    t.diagnostic(`${name}: ${gas}`);
    assert.ok(gas <= GAS_MAX[name], `${name}: ${gas} gas, at most ${GAS_MAX[name]}`);
  }
});
