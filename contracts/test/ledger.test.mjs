// Deposits and withdrawals.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { NATIVE } from "./harness/states.mjs";
import { ALICE, BOB, BROKER, DEPOSIT, firstDecides, MALLORY, names, startWorld } from "./harness/world.mjs";

let world;
before(async () => (world = await startWorld()));
after(() => world?.stop());

describe("deposit", () => {
  test("credits tokens to the account that is named and takes them from the sender", async () => {
    const { custody, token } = await world.stage();
    const { events } = await custody.send(ALICE, "deposit", [BOB.address, token.address, 70n]);
    assert.deepEqual(names(events), ["Deposited"]);
    assert.deepEqual(events[0].args, { wallet: BOB.address, token: token.address, amount: 70n });
    assert.deepEqual(await custody.view("getAccountsBalances", [ALICE.address, BOB.address], [token.address, NATIVE]), [
      [DEPOSIT, 0n],
      [70n, 0n],
    ]);
    assert.equal(await token.view("balanceOf", ALICE.address), DEPOSIT - 70n);
    assert.equal(await token.view("balanceOf", custody.address), 2n * DEPOSIT + 70n);
  });

  test("credits the native coin that was sent", async () => {
    const stage = await world.stage();
    const { events } = await stage.custody.send(ALICE, "deposit", [ALICE.address, NATIVE, 5n], 5n);
    assert.deepEqual(events[0].args, { wallet: ALICE.address, token: NATIVE, amount: 5n });
    assert.equal(await stage.available(ALICE, NATIVE), 5n);
  });

  test("reports the first of its errors", async () => {
    const { custody, token } = await world.stage();
    const rows = [
      ["amount zero", "InvalidAmount"],
      ["coin sent with a token", "InvalidValue"],
      ["too much", "ERC20InsufficientAllowance"],
    ];
    await firstDecides(custody, rows, (faults) => {
      const amount = faults.has("amount zero") ? 0n : faults.has("too much") ? 10n * DEPOSIT : 1n;
      const value = faults.has("coin sent with a token") ? 1n : 0n;
      return [ALICE, "deposit", [ALICE.address, token.address, amount], value];
    });
    await custody.refused("InvalidAmount", ALICE, "deposit", [ALICE.address, NATIVE, 0n], 1n);
    await custody.refused("InvalidValue", ALICE, "deposit", [ALICE.address, NATIVE, 5n], 4n);
    await custody.refused("InvalidValue", ALICE, "deposit", [ALICE.address, NATIVE, 5n], 6n);
    await custody.refused("InvalidValue", ALICE, "deposit", [ALICE.address, NATIVE, 5n]);
  });

  test("credits what arrived of a token that keeps a fee", async () => {
    const stage = await world.stage();
    const token = await world.mock("FeeToken", 3n);
    await token.send(ALICE, "mint", [ALICE.address, 1000n]);
    await token.send(ALICE, "approve", [stage.custody.address, 1000n]);
    const { events } = await stage.custody.send(ALICE, "deposit", [ALICE.address, token.address, 1000n]);
    assert.equal(events[0].args.amount, 970n);
    assert.equal(await stage.available(ALICE, token.address), 970n);
    assert.equal(await token.view("balanceOf", stage.custody.address), 970n);
    await stage.custody.send(ALICE, "withdraw", [token.address, 970n]);
  });

  test("refuses a token of which nothing arrives", async () => {
    const { custody } = await world.stage();
    const token = await world.mock("FeeToken", 100n);
    await token.send(ALICE, "mint", [ALICE.address, 1000n]);
    await token.send(ALICE, "approve", [custody.address, 1000n]);
    await custody.refused("TransferFailed", ALICE, "deposit", [ALICE.address, token.address, 1000n]);
  });

  test("works with a token that returns nothing and refuses one that returns false or has no code", async () => {
    const stage = await world.stage();
    const token = await world.mock("QuietToken");
    await token.send(ALICE, "mint", [ALICE.address, 10n]);
    await stage.custody.send(ALICE, "deposit", [ALICE.address, token.address, 10n]);
    await stage.custody.send(ALICE, "withdraw", [token.address, 4n]);
    assert.equal(await stage.available(ALICE, token.address), 6n);
    await token.send(ALICE, "fail", [true]);
    await stage.custody.refused("SafeERC20FailedOperation", ALICE, "deposit", [ALICE.address, token.address, 1n]);
    await stage.custody.refused("SafeERC20FailedOperation", ALICE, "withdraw", [token.address, 1n]);
    await stage.custody.refused("SafeERC20FailedOperation", ALICE, "deposit", [ALICE.address, BOB.address, 1n]);
  });
});

describe("withdraw", () => {
  test("pays tokens to the sender", async () => {
    const { custody, token } = await world.stage();
    const { events } = await custody.send(ALICE, "withdraw", [token.address, DEPOSIT]);
    assert.deepEqual(names(events), ["Withdrawn"]);
    assert.deepEqual(events[0].args, { wallet: ALICE.address, token: token.address, amount: DEPOSIT });
    assert.equal(await token.view("balanceOf", ALICE.address), 2n * DEPOSIT);
  });

  test("pays the native coin to the sender", async () => {
    const stage = await world.stage();
    await stage.custody.send(BROKER, "deposit", [BROKER.address, NATIVE, 9n], 9n);
    const before = BigInt(await world.rpc("eth_getBalance", BROKER.address, "latest"));
    await stage.custody.send(BROKER, "withdraw", [NATIVE, 4n]);
    assert.equal(BigInt(await world.rpc("eth_getBalance", BROKER.address, "latest")), before + 4n);
    assert.equal(await stage.available(BROKER, NATIVE), 5n);
  });

  test("of zero is allowed, of more than is available is not", async () => {
    const { custody, token } = await world.stage();
    await custody.send(MALLORY, "withdraw", [token.address, 0n]);
    await custody.refused("InsufficientBalance", ALICE, "withdraw", [token.address, DEPOSIT + 1n]);
    await custody.refused("InsufficientBalance", MALLORY, "withdraw", [token.address, 1n]);
    await custody.refused("InsufficientBalance", MALLORY, "withdraw", [NATIVE, 1n]);
  });

  test("fails as a whole if the receiver refuses the native coin", async () => {
    const stage = await world.stage();
    const refuser = await world.mock("Refuser");
    await stage.custody.send(ALICE, "deposit", [refuser.address, NATIVE, 9n], 9n);
    await stage.custody.refused("TransferFailed", refuser.address, "withdraw", [NATIVE, 9n]);
    assert.equal(await stage.available(refuser.address, NATIVE), 9n);
  });
});

describe("the test token", () => {
  test("has the decimals and the cap it was made with, and mints and burns for anybody", async () => {
    const { token } = await world.stage();
    assert.equal(await token.view("decimals"), 6);
    assert.equal(await token.view("symbol"), "USDC");
    assert.equal(await token.view("cap"), 10n ** 30n);
    await token.send(BOB, "mint", [BOB.address, 5n]);
    await token.send(MALLORY, "burn", [BOB.address, 2n]);
    assert.equal(await token.view("balanceOf", BOB.address), 3n);
    await token.refused("ERC20ExceededCap", BOB, "mint", [BOB.address, 10n ** 30n]);
  });
});
