// Attacks from within a call: by factories that signatures name, adjudicators, tokens and receivers.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { decodeErrorResult } from "viem";

import { CUSTODY } from "./harness/contracts.mjs";
import { deltas, FINALIZE, INITIALIZE, NATIVE, OPERATE, RESIZE, withFactory } from "./harness/states.mjs";
import { ALICE, BOB, BROKER, DEPOSIT, MALLORY, names, startWorld } from "./harness/world.mjs";

const BOTH = [ALICE, BROKER];
const SALT = `0x${"5a".repeat(32)}`;
const MAX_UINT = 2n ** 256n - 1n;
let world;
before(async () => (world = await startWorld()));
after(() => world?.stop());

/** A state with both signatures. */
const both = (book, ...state) => book.signed(book.state(...state), BOTH);

/** The data of a RESIZE with these deltas. */
const moves = (client, server) => ({ data: deltas(client, server) });

/** What all accounts of a stage have available together. */
async function ledgers(stage, accounts, token = stage.token.address) {
  const amounts = await Promise.all(accounts.map((account) => stage.available(account, token)));
  return amounts.reduce((sum, amount) => sum + amount, 0n);
}

describe("a factory named by a signature has no power:", () => {
  // A token that calls back when it moves lets the wallet appear in the same call, so that its signature counts.
  async function prepare(stage, token) {
    const factory = await world.mock("WalletFactory");
    const address = await factory.view("addressOf", BOB.address, SALT);
    const puppet = await world.mock("Puppet");
    await puppet.send(MALLORY, "arm", [factory.address, factory.encode("deploy", [BOB.address, SALT])]);
    await token.send(MALLORY, "hook", [puppet.address]);
    const book = stage.book({ participants: [address, BROKER.address], token: token.address });
    const state = book.state(INITIALIZE, 0, [0, 0]);
    const inner = await book.sign(state, BOB);
    const byBroker = await book.sign(state, BROKER);
    const args = (target, data) => [book.terms, { ...state, sigs: [withFactory(target, data, inner), byBroker] }];
    return { args, factory };
  }

  test("it cannot be the token that custody holds", async () => {
    const stage = await world.stage();
    const token = await world.mock("HookToken");
    await stage.provide(ALICE.address, token, 1000n);
    const { args } = await prepare(stage, token);
    const theft = token.encode("transfer", [MALLORY.address, 1000n]);
    await stage.custody.refused("ERC6492DeploymentFailed", MALLORY, "create", args(token.address, theft));
    const nothing = token.encode("transfer", [MALLORY.address, 0n]);
    await stage.custody.send(MALLORY, "create", args(token.address, nothing));
    assert.equal(await token.view("balanceOf", MALLORY.address), 0n);
    assert.equal(await token.view("balanceOf", stage.custody.address), 1000n);
  });

  test("it cannot make custody approve a thief", async () => {
    const stage = await world.stage();
    const { args } = await prepare(stage, await world.mock("HookToken"));
    const approval = stage.token.encode("approve", [MALLORY.address, MAX_UINT]);
    await stage.custody.refused("ERC6492NoCode", MALLORY, "create", args(stage.token.address, approval));
    assert.equal(await stage.token.view("allowance", stage.custody.address, MALLORY.address), 0n);
  });

  test("it cannot be custody itself", async () => {
    const stage = await world.stage();
    await stage.custody.send(ALICE, "deposit", [stage.custody.address, stage.token.address, 10n]);
    const { args } = await prepare(stage, await world.mock("HookToken"));
    const calls = [
      stage.custody.encode("withdraw", [stage.token.address, 10n]),
      stage.custody.encode("deposit", [MALLORY.address, stage.token.address, 10n]),
    ];
    for (const data of calls) {
      await stage.custody.refused("ERC6492DeploymentFailed", MALLORY, "create", args(stage.custody.address, data));
    }
    const harmless = stage.custody.encode("MIN_CHALLENGE_PERIOD");
    await stage.custody.refused("ERC6492NoCode", MALLORY, "create", args(stage.custody.address, harmless));
  });

  test("it cannot create the same channel while it is being created", async () => {
    const stage = await world.stage();
    await stage.provide(MALLORY.address, stage.token, 1000n);
    const { factory } = await prepare(stage, await world.mock("HookToken"));
    const address = await factory.view("addressOf", BOB.address, SALT);
    const book = stage.book({ participants: [address, BROKER.address] });
    const state = book.state(INITIALIZE, 0, [0, 100]);
    const inner = await book.sign(state, BOB);
    const sigs = [withFactory(factory.address, factory.encode("deploy", [BOB.address, SALT]), inner)];
    sigs.push(await book.sign(state, BROKER));
    const args = [book.terms, { ...state, sigs }];
    await factory.send(MALLORY, "arm", [stage.custody.address, stage.custody.encode("create", args)]);
    const { events } = await stage.custody.send(MALLORY, "create", args);
    assert.deepEqual(names(events), ["Created", "Joined", "Opened"]);
    assert.equal(await factory.view("acted"), true);
    assert.equal(await factory.view("succeeded"), false);
    assert.equal(await stage.available(BROKER), DEPOSIT - 100n);
    assert.equal(await stage.balance(book), 100n);
  });
});

describe("nothing comes back in:", () => {
  // Without the guard each of these would end in another way than InvalidStatus.
  function inner(stage) {
    const { custody, token } = stage;
    const absent = stage.book({ participants: [ALICE.address, ALICE.address] });
    const state = absent.state(OPERATE, 1, [0, 0]);
    return {
      deposit: custody.encode("deposit", [MALLORY.address, token.address, 0n]),
      withdraw: custody.encode("withdraw", [token.address, 0n]),
      create: custody.encode("create", [absent.terms, state]),
      depositAndCreate: custody.encode("depositAndCreate", [token.address, 0n, absent.terms, state]),
      join: custody.encode("join", [absent.id, 1n, "0x"]),
      checkpoint: custody.encode("checkpoint", [absent.id, state, []]),
      challenge: custody.encode("challenge", [absent.id, state, [], "0x"]),
      resize: custody.encode("resize", [absent.id, state, []]),
      close: custody.encode("close", [absent.id, state, []]),
    };
  }

  /** For each writing function a call of it that makes the puppet act in its middle. */
  const OUTER = {
    async deposit(stage) {
      const [token, puppet] = [await world.mock("HookToken"), await world.mock("Puppet")];
      await token.send(ALICE, "mint", [ALICE.address, 10n]);
      await token.send(ALICE, "approve", [stage.custody.address, 10n]);
      await token.send(ALICE, "hook", [puppet.address]);
      return { puppet, call: [ALICE, "deposit", [ALICE.address, token.address, 1n]] };
    },
    async withdraw(stage) {
      const puppet = await world.mock("Puppet");
      await stage.custody.send(ALICE, "deposit", [puppet.address, NATIVE, 10n], 10n);
      return { puppet, call: [puppet.address, "withdraw", [NATIVE, 1n]] };
    },
    async create(stage) {
      const { factory, create } = await walletChannel(stage);
      return { puppet: factory, call: [ALICE, "create", create] };
    },
    async depositAndCreate(stage) {
      const { factory, create } = await walletChannel(stage);
      return { puppet: factory, call: [ALICE, "depositAndCreate", [stage.token.address, 1n, ...create]] };
    },
    async join(stage) {
      const puppet = await world.mock("PokingAdjudicator");
      const book = await stage.initial([1, 1], { adjudicator: puppet.address });
      return { puppet, call: [ALICE, "join", [book.id, 1n, await book.sign(book.initial, BROKER)]] };
    },
    async checkpoint(stage) {
      const puppet = await world.mock("PokingAdjudicator");
      const book = await stage.active([1, 1], { adjudicator: puppet.address });
      return { puppet, call: [ALICE, "checkpoint", [book.id, await both(book, OPERATE, 1, [2, 0]), []]] };
    },
    async challenge(stage) {
      const puppet = await world.mock("PokingAdjudicator");
      const book = await stage.active([1, 1], { adjudicator: puppet.address });
      const state = await both(book, OPERATE, 1, [2, 0]);
      return { puppet, call: [ALICE, "challenge", [book.id, state, [], await book.signChallenge(state, ALICE)]] };
    },
    async resize(stage) {
      const puppet = await world.mock("PokingAdjudicator");
      const book = await stage.active([1, 1], { adjudicator: puppet.address });
      const state = await both(book, RESIZE, 1, [2, 1], moves(1n, 0n));
      return { puppet, call: [ALICE, "resize", [book.id, state, [book.initial]]] };
    },
    async close(stage) {
      // The wallet is there when the channel is created and gone when it is closed, so that its factory is called.
      const { factory, book, wallet, create, sign } = await walletChannel(stage);
      await stage.custody.send(ALICE, "create", create);
      await world.rpc("anvil_setCode", wallet, "0x");
      await world.rpc("anvil_setNonce", wallet, "0x0");
      return { puppet: factory, call: [ALICE, "close", [book.id, await sign(book.state(FINALIZE, 1, [0, 0])), []]] };
    },
  };

  async function walletChannel(stage) {
    const factory = await world.mock("WalletFactory");
    const wallet = await factory.view("addressOf", BOB.address, SALT);
    const book = stage.book({ participants: [wallet, BROKER.address] });
    const deploy = factory.encode("deploy", [BOB.address, SALT]);
    const sign = async (state) => {
      const byWallet = withFactory(factory.address, deploy, await book.sign(state, BOB));
      return { ...state, sigs: [byWallet, await book.sign(state, BROKER)] };
    };
    const create = [book.terms, await sign(book.state(INITIALIZE, 0, [0, 0]))];
    return { factory, book, wallet, create, sign };
  }

  for (const name of Object.keys(OUTER)) {
    test(`from within ${name} every writing function is refused, and ${name} goes on`, async () => {
      const stage = await world.stage();
      const { puppet, call } = await OUTER[name](stage);
      let snapshot = await world.rpc("evm_snapshot");
      for (const [innerName, data] of Object.entries(inner(stage))) {
        await puppet.send(MALLORY, "arm", [stage.custody.address, data]);
        await stage.custody.send(...call);
        assert.equal(await puppet.view("acted"), true, `${innerName} was tried`);
        const answer = await puppet.view("answer");
        assert.equal(decodeErrorResult({ abi: CUSTODY.abi, data: answer }).errorName, "InvalidStatus", innerName);
        await world.rpc("evm_revert", snapshot);
        snapshot = await world.rpc("evm_snapshot");
      }
    });
  }

  test("a token with hooks is not credited twice", async () => {
    const stage = await world.stage();
    const [token, puppet] = [await world.mock("HookToken"), await world.mock("Puppet")];
    for (const address of [ALICE.address, puppet.address]) await token.send(ALICE, "mint", [address, 1000n]);
    await token.send(ALICE, "approve", [stage.custody.address, 1000n]);
    await token.send(puppet.address, "approve", [stage.custody.address, 1000n]);
    const again = stage.custody.encode("deposit", [MALLORY.address, token.address, 1000n]);
    await puppet.send(MALLORY, "arm", [stage.custody.address, again]);
    await token.send(MALLORY, "hook", [puppet.address]);
    await stage.custody.send(ALICE, "deposit", [ALICE.address, token.address, 1000n]);
    assert.equal(await puppet.view("acted"), true);
    const credited = await ledgers(stage, [ALICE, MALLORY, BOB, puppet], token.address);
    assert.equal(credited, await token.view("balanceOf", stage.custody.address));
    assert.equal(credited, 1000n);
  });

  test("one withdrawal does not become two", async () => {
    const stage = await world.stage();
    const puppet = await world.mock("Puppet");
    await stage.custody.send(ALICE, "deposit", [ALICE.address, NATIVE, 50n], 50n);
    await stage.custody.send(ALICE, "deposit", [puppet.address, NATIVE, 50n], 50n);
    await puppet.send(MALLORY, "arm", [stage.custody.address, stage.custody.encode("withdraw", [NATIVE, 50n])]);
    await stage.custody.send(puppet.address, "withdraw", [NATIVE, 50n]);
    assert.equal(await puppet.view("succeeded"), false);
    assert.equal(BigInt(await world.rpc("eth_getBalance", stage.custody.address, "latest")), 50n);
  });

  test("but one transaction may make several calls, one after the other", async () => {
    const stage = await world.stage();
    const puppet = await world.mock("Puppet");
    await stage.custody.send(ALICE, "deposit", [puppet.address, stage.token.address, 10n]);
    const calls = [4n, 6n].map((amount) => stage.custody.encode("withdraw", [stage.token.address, amount]));
    await puppet.send(MALLORY, "executeAll", [stage.custody.address, calls]);
    assert.equal(await stage.token.view("balanceOf", puppet.address), 10n);
  });
});
