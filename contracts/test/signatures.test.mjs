// Which signatures count, of states and of challenges, and how others are refused.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { concat, hashTypedData, keccak256, numberToHex, pad, parseSignature, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import {
  ACTIVE,
  DISPUTE,
  ERC6492_SUFFIX,
  FINALIZE,
  INITIALIZE,
  OPERATE,
  pack,
  packChallenge,
  withFactory,
} from "./harness/states.mjs";
import { ALICE, BOB, BROKER, DEPOSIT, MALLORY, startWorld } from "./harness/world.mjs";

const BOTH = [ALICE, BROKER];
const SALT = `0x${"5a".repeat(32)}`;
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
let world;
before(async () => (world = await startWorld()));
after(() => world?.stop());

/** The same signature with the other s, which recovers to the same key. */
function withHighS(sig) {
  const { r, s, yParity } = parseSignature(sig);
  return concat([r, pad(numberToHex(ORDER - BigInt(s)), { size: 32 }), toHex(28 - yParity, { size: 1 })]);
}

function withV(sig, v) {
  return concat([sig.slice(0, 130), toHex(v, { size: 1 })]);
}

/** A channel of a contract wallet and the broker. */
async function walletBook(stage, address, change = {}) {
  return stage.book({ participants: [address, BROKER.address], ...change });
}

describe("a key signs a state", () => {
  for (const kind of ["raw", "prefixed", "typed"]) {
    test(`${kind}, for every step of a channel`, async () => {
      const stage = await world.stage();
      const book = await stage.initial([3, 2]);
      await stage.custody.send(BROKER, "join", [book.id, 1n, await book.sign(book.initial, BROKER, kind)]);
      const next = await book.signed(book.state(OPERATE, 1, [0, 5]), BOTH, kind);
      await stage.custody.send(ALICE, "checkpoint", [book.id, next, []]);
      const challenger = await book.signChallenge(next, ALICE, kind);
      await stage.custody.send(ALICE, "challenge", [book.id, next, [], challenger]);
      assert.equal((await stage.record(book)).status, DISPUTE);
      const final = await book.signed(book.state(FINALIZE, 2, [5, 0]), BOTH, kind);
      await stage.custody.send(ALICE, "close", [book.id, final, []]);
      assert.equal(await stage.available(BROKER), DEPOSIT - 2n);
    });
  }

  test("in different ways for one state", async () => {
    const stage = await world.stage();
    const book = stage.book();
    const state = book.state(INITIALIZE, 0, [0, 0]);
    const sigs = [await book.sign(state, ALICE, "typed"), await book.sign(state, BROKER, "prefixed")];
    await stage.custody.send(ALICE, "create", [book.terms, { ...state, sigs }]);
  });

  test("not as text of the hash and not as standard typed data", async () => {
    const stage = await world.stage();
    const book = await stage.active([3, 2]);
    const state = book.state(OPERATE, 1, [0, 5]);
    const checkpoint = async (sig) => {
      const sigs = [sig, await book.sign(state, BROKER)];
      await stage.custody.refused("InvalidStateSignatures", ALICE, "checkpoint", [book.id, { ...state, sigs }, []]);
    };
    await checkpoint(await ALICE.signMessage({ message: { raw: keccak256(pack(book.id, state)) } }));
    const standard = hashTypedData({
      domain: { name: "Nitrolite:Custody", version: "0.3.0", chainId: world.chainId, verifyingContract: book.custody },
      types: {
        AllowStateHash: [
          { name: "channelId", type: "bytes32" },
          { name: "intent", type: "uint8" },
          { name: "version", type: "uint256" },
          { name: "data", type: "bytes" },
          { name: "allocations", type: "Allocation[]" },
        ],
        Allocation: [
          { name: "destination", type: "address" },
          { name: "token", type: "address" },
          { name: "amount", type: "uint256" },
        ],
      },
      primaryType: "AllowStateHash",
      message: { channelId: book.id, ...state },
    });
    await checkpoint(await ALICE.sign({ hash: standard }));
  });

  test("only for the channel, the fields and the typed-data domain that it covers", async () => {
    const stage = await world.stage();
    const book = await stage.active([3, 2]);
    const other = await stage.active([3, 2]);
    const state = await book.signed(book.state(OPERATE, 1, [0, 5]), BOTH);
    const refused = (id, candidate) =>
      stage.custody.refused("InvalidStateSignatures", ALICE, "checkpoint", [id, candidate, []]);
    await refused(other.id, state);
    await refused(book.id, { ...state, version: 2n });
    await refused(book.id, { ...state, data: "0x00" });
    await refused(book.id, { ...state, allocations: book.state(OPERATE, 1, [1, 4]).allocations });
    const elsewhere = stage.book({ nonce: book.terms.nonce, custody: stage.adjudicator });
    assert.equal(elsewhere.id, book.id);
    await refused(book.id, await elsewhere.signed(state, BOTH, "typed"));
  });

  test("malformed bytes are reported as such", async () => {
    const stage = await world.stage();
    const book = await stage.active([3, 2]);
    const state = book.state(OPERATE, 1, [0, 5]);
    const good = await book.sign(state, ALICE);
    const byBroker = await book.sign(state, BROKER);
    const rows = [
      ["0x", "ECDSAInvalidSignatureLength"],
      [good.slice(0, -2), "ECDSAInvalidSignatureLength"],
      [`${good}00`, "ECDSAInvalidSignatureLength"],
      [withHighS(good), "ECDSAInvalidSignatureS"],
      [withV(good, 0), "ECDSAInvalidSignature"],
      [withV(good, 1), "ECDSAInvalidSignature"],
      [withV(good, 29), "ECDSAInvalidSignature"],
      [`0x${"00".repeat(65)}`, "ECDSAInvalidSignature"],
      [withV(good, 27 + 28 - Number(BigInt(`0x${good.slice(-2)}`))), "InvalidStateSignatures"],
      [byBroker, "InvalidStateSignatures"],
    ];
    for (const [sig, error] of rows) {
      const candidate = { ...state, sigs: [sig, byBroker] };
      await stage.custody.refused(error, ALICE, "checkpoint", [book.id, candidate, []]);
    }
  });
});

describe("a contract wallet signs a state", () => {
  test("by accepting its hash", async () => {
    const stage = await world.stage();
    const wallet = await world.mock("PickyWallet");
    const book = await walletBook(stage, wallet.address);
    const state = book.state(INITIALIZE, 0, [0, 7]);
    const initial = { ...state, sigs: ["0xabcdef", await book.sign(state, BROKER)] };
    await stage.custody.refused("InvalidStateSignatures", ALICE, "create", [book.terms, initial]);
    await wallet.send(ALICE, "accept", [keccak256(pack(book.id, state)), true]);
    await stage.custody.send(ALICE, "create", [book.terms, initial]);
    assert.equal((await stage.record(book)).last.sigs[0], "0xabcdef");
  });

  test("and what replaces its long signature is stored without a rest of it", async () => {
    const stage = await world.stage();
    const wallet = await world.mock("PickyWallet");
    const book = await walletBook(stage, wallet.address);
    const state = book.state(INITIALIZE, 0, [0, 7], { data: `0x${"da".repeat(200)}` });
    const initial = { ...state, sigs: [`0x${"ab".repeat(300)}`, await book.sign(state, BROKER)] };
    await wallet.send(ALICE, "accept", [keccak256(pack(book.id, state)), true]);
    await stage.custody.send(ALICE, "create", [book.terms, initial]);
    const next = book.state(OPERATE, 1, [7, 0], { data: "0x01" });
    await wallet.send(ALICE, "accept", [keccak256(pack(book.id, next)), true]);
    const candidate = { ...next, sigs: ["0x02", await book.sign(next, BROKER)] };
    await stage.custody.send(ALICE, "checkpoint", [book.id, candidate, []]);
    assert.deepEqual((await stage.record(book)).last, candidate);
  });

  test("with its owner's key, whose own errors come through as a refusal", async () => {
    const stage = await world.stage();
    const factory = await world.mock("WalletFactory");
    await factory.send(MALLORY, "deploy", [BOB.address, SALT]);
    const address = await factory.view("addressOf", BOB.address, SALT);
    const book = await walletBook(stage, address);
    const state = book.state(INITIALIZE, 0, [0, 0]);
    const byBroker = await book.sign(state, BROKER);
    const args = (sig) => [book.terms, { ...state, sigs: [sig, byBroker] }];
    await stage.custody.refused("InvalidStateSignatures", ALICE, "create", args("0x1234"));
    await stage.custody.refused("InvalidStateSignatures", ALICE, "create", args(await book.sign(state, MALLORY)));
    await stage.custody.send(ALICE, "create", args(await book.sign(state, BOB)));
  });
});

describe("a signature names the factory that deploys its signer", () => {
  async function prepare(stage) {
    const factory = await world.mock("WalletFactory");
    const address = await factory.view("addressOf", BOB.address, SALT);
    const book = await walletBook(stage, address);
    const state = book.state(INITIALIZE, 0, [0, 0]);
    const deploy = factory.encode("deploy", [BOB.address, SALT]);
    const byBroker = await book.sign(state, BROKER);
    const create = (sig) => [book.terms, { ...state, sigs: [sig, byBroker] }];
    return { factory, address, book, state, deploy, create, inner: await book.sign(state, BOB) };
  }

  test("which happens on the way, once", async () => {
    const stage = await world.stage();
    const { factory, address, book, deploy, create, inner } = await prepare(stage);
    assert.equal(await world.rpc("eth_getCode", address, "latest"), "0x");
    await stage.custody.send(ALICE, "create", create(withFactory(factory.address, deploy, inner)));
    assert.notEqual(await world.rpc("eth_getCode", address, "latest"), "0x");
    const next = book.state(OPERATE, 1, [0, 0]);
    const sig = withFactory(factory.address, deploy, await book.sign(next, BOB));
    const candidate = { ...next, sigs: [sig, await book.sign(next, BROKER)] };
    await stage.custody.send(ALICE, "checkpoint", [book.id, candidate, []]);
  });

  test("which sees an address that is not custody and has no code", async () => {
    const stage = await world.stage();
    const { factory, deploy, create, inner } = await prepare(stage);
    await stage.custody.send(ALICE, "create", create(withFactory(factory.address, deploy, inner)));
    const caller = await factory.view("caller");
    assert.notEqual(caller, stage.custody.address);
    assert.notEqual(caller, ALICE.address);
    assert.equal(await world.rpc("eth_getCode", caller, "latest"), "0x");
  });

  test("and is refused if the factory fails, deploys nothing, or the wallet says no", async () => {
    const stage = await world.stage();
    const { factory, deploy, state, book, create, inner } = await prepare(stage);
    const refused = (error, sig) => stage.custody.refused(error, ALICE, "create", create(sig));
    await refused("ERC6492DeploymentFailed", withFactory(factory.address, "0xdeadbeef", inner));
    await refused("ERC6492NoCode", withFactory(factory.address, factory.encode("poke"), inner));
    await refused("ERC6492NoCode", withFactory(BOB.address, deploy, inner));
    const byMallory = await book.sign(state, MALLORY);
    await refused("InvalidStateSignatures", withFactory(factory.address, deploy, byMallory));
    await refused("no reason", concat(["0x12", ERC6492_SUFFIX]));
  });

  test("but not for a key, which needs none", async () => {
    const stage = await world.stage();
    const { factory, deploy } = await prepare(stage);
    const book = stage.book();
    const state = book.state(INITIALIZE, 0, [0, 0]);
    const sigs = [withFactory(factory.address, deploy, await book.sign(state, ALICE)), await book.sign(state, BROKER)];
    await stage.custody.refused("ERC6492NoCode", ALICE, "create", [book.terms, { ...state, sigs }]);
  });
});

describe("a challenge", () => {
  test("is signed by either participant, whoever sends it", async () => {
    const stage = await world.stage();
    for (const signer of BOTH) {
      const book = await stage.active([1, 1]);
      await stage.challenge(book, book.initial, signer);
      assert.equal((await stage.record(book)).status, DISPUTE);
    }
  });

  test("is not signed by the signature of its state, by a stranger, or for another state", async () => {
    const stage = await world.stage();
    const book = await stage.active([1, 1]);
    const refused = (sig, error = "InvalidChallengerSignature") =>
      stage.custody.refused(error, ALICE, "challenge", [book.id, book.initial, [], sig]);
    await refused(book.initial.sigs[0]);
    await refused(await book.sign(book.initial, BROKER, "typed"));
    await refused(await book.signChallenge(book.initial, MALLORY));
    await refused(await book.signChallenge(book.state(OPERATE, 1, [1, 1]), ALICE));
    await refused("0x", "ECDSAInvalidSignatureLength");
    await refused(withHighS(await book.signChallenge(book.initial, ALICE)), "ECDSAInvalidSignatureS");
    await refused(withV(await book.signChallenge(book.initial, ALICE), 1), "ECDSAInvalidSignature");
  });

  test("is signed by a contract wallet that accepts its hash, on either side", async () => {
    const stage = await world.stage();
    for (const side of [0, 1]) {
      const wallet = await world.mock("PickyWallet");
      const participants = [ALICE.address, ALICE.address];
      participants[side] = wallet.address;
      const book = stage.book({ participants });
      const state = book.state(INITIALIZE, 0, [0, 0]);
      await wallet.send(ALICE, "accept", [keccak256(pack(book.id, state)), true]);
      const sigs = ["0x", "0x"];
      sigs[1 - side] = await book.sign(state, ALICE);
      const initial = { ...state, sigs };
      await stage.custody.send(ALICE, "create", [book.terms, initial]);
      const args = [book.id, initial, [], "0x77"];
      await stage.custody.refused("ECDSAInvalidSignatureLength", ALICE, "challenge", args);
      await wallet.send(ALICE, "accept", [keccak256(packChallenge(book.id, state)), true]);
      await stage.custody.send(ALICE, "challenge", args);
    }
  });

  test("between two contract wallets is refused without an error of the ECDSA library", async () => {
    const stage = await world.stage();
    const [first, second] = [await world.mock("PickyWallet"), await world.mock("PickyWallet")];
    const book = stage.book({ participants: [first.address, second.address] });
    const state = book.state(INITIALIZE, 0, [0, 0]);
    for (const wallet of [first, second]) await wallet.send(ALICE, "accept", [keccak256(pack(book.id, state)), true]);
    const initial = { ...state, sigs: ["0x", "0x"] };
    await stage.custody.send(ALICE, "create", [book.terms, initial]);
    await stage.custody.refused("InvalidChallengerSignature", ALICE, "challenge", [book.id, initial, [], "0x77"]);
    assert.equal((await stage.record(book)).status, ACTIVE);
  });

  test("does not call the factory that a signature names", async () => {
    const stage = await world.stage();
    const factory = await world.mock("WalletFactory");
    const address = await factory.view("addressOf", BOB.address, SALT);
    const book = await stage.active([0, 0]);
    const deploy = factory.encode("deploy", [BOB.address, SALT]);
    const sig = withFactory(factory.address, deploy, await book.signChallenge(book.initial, ALICE));
    const args = [book.id, book.initial, [], sig];
    await stage.custody.refused("ECDSAInvalidSignatureLength", ALICE, "challenge", args);
    assert.equal(await world.rpc("eth_getCode", address, "latest"), "0x");
  });
});

describe("an account that delegates to code", () => {
  // The delegating accounts are of these tests only: delegation stays with an account.
  let number = 0;
  async function delegating(codeName) {
    const account = privateKeyToAccount(keccak256(toHex(`delegating ${++number}`)));
    const code = await world.mock(codeName);
    await world.delegate(account, code.address);
    return { account, wallet: world.at(code.abi, account.address) };
  }

  test("is bound by its key's signature although its code refuses it", async () => {
    const stage = await world.stage();
    const { account } = await delegating("PickyWallet");
    const book = await stage.active([0, 9], {
      participants: [account.address, BROKER.address],
      signers: [account, BROKER],
    });
    for (const [i, kind] of ["raw", "prefixed", "typed"].entries()) {
      const next = await book.signed(book.state(OPERATE, i + 1, [i, 9 - i]), [account, BROKER], kind);
      await stage.custody.send(BROKER, "checkpoint", [book.id, next, []]);
    }
    assert.equal((await stage.record(book)).last.version, 3n);
  });

  test("cannot take back what it signed by changing what its code accepts", async () => {
    const stage = await world.stage();
    const { account, wallet } = await delegating("PickyWallet");
    const book = await stage.active([0, 9], {
      participants: [account.address, BROKER.address],
      signers: [account, BROKER],
    });
    const old = await book.signed(book.state(OPERATE, 1, [9, 0]), [account, BROKER]);
    const newer = await book.signed(book.state(OPERATE, 2, [0, 9]), [account, BROKER]);
    await wallet.send(account, "accept", [keccak256(pack(book.id, old)), true]);
    await wallet.send(account, "accept", [keccak256(pack(book.id, newer)), false]);
    await stage.challenge(book, old, account);
    await stage.custody.send(BROKER, "checkpoint", [book.id, newer, []]);
    assert.equal((await stage.record(book)).last.version, 2n);
  });

  test("challenges with its key, and cannot stop the other side's challenge", async () => {
    const stage = await world.stage();
    for (const challenger of ["itself", "the other side"]) {
      const { account } = await delegating("PickyWallet");
      const book = await stage.active([0, 0], {
        participants: [account.address, BROKER.address],
        signers: [account, BROKER],
      });
      await stage.challenge(book, book.initial, challenger === "itself" ? account : BROKER);
      assert.equal((await stage.record(book)).status, DISPUTE);
    }
  });

  test("may also sign through its code, as a contract wallet does", async () => {
    const stage = await world.stage();
    const { account, wallet } = await delegating("PickyWallet");
    const book = stage.book({ participants: [account.address, BROKER.address] });
    const state = book.state(INITIALIZE, 0, [0, 0]);
    const initial = { ...state, sigs: ["0x55", await book.sign(state, BROKER)] };
    await stage.custody.refused("InvalidStateSignatures", ALICE, "create", [book.terms, initial]);
    await wallet.send(account, "accept", [keccak256(pack(book.id, state)), true]);
    await stage.custody.send(ALICE, "create", [book.terms, initial]);
  });
});

describe("the consensus adjudicator", () => {
  const asks = async (stage, state, proofs = [], book = stage.book()) => {
    const data = stage.adjudicator.encode("adjudicate", [book.terms, state, proofs]);
    const result = await world.rpc("eth_call", { to: stage.adjudicator.address, data }, "latest");
    return BigInt(result) === 1n;
  };

  test("accepts INITIALIZE at version 0 and everything else after it, with both signatures", async () => {
    const stage = await world.stage();
    const book = stage.book();
    for (const intent of [0, 1, 2, 3]) {
      for (const version of [0, 1, 2n ** 256n - 1n]) {
        const state = await book.signed(book.state(intent, version, [1, 2]), BOTH);
        const isAccepted = (intent === INITIALIZE) === (version === 0);
        assert.equal(await asks(stage, state, [], book), isAccepted, `intent ${intent} version ${version}`);
      }
    }
  });

  test("refuses proofs and any other number, order or owner of signatures", async () => {
    const stage = await world.stage();
    const book = stage.book();
    const state = await book.signed(book.state(OPERATE, 1, [1, 2]), BOTH);
    assert.equal(await asks(stage, state, [], book), true);
    assert.equal(await asks(stage, state, [state], book), false);
    for (const signers of [[], [ALICE], [BROKER, ALICE], [ALICE, MALLORY], [ALICE, BROKER, BROKER]]) {
      assert.equal(await asks(stage, await book.signed(state, signers), [], book), false);
    }
  });

  test("understands all kinds of signatures, typed data in the domain of its custody only", async () => {
    const stage = await world.stage();
    const book = stage.book();
    for (const kind of ["raw", "prefixed", "typed"]) {
      assert.equal(await asks(stage, await book.signed(book.state(OPERATE, 1, [1, 2]), BOTH, kind), [], book), true);
    }
    const elsewhere = stage.book({ nonce: book.terms.nonce, custody: stage.token });
    const state = await elsewhere.signed(elsewhere.state(OPERATE, 1, [1, 2]), BOTH, "typed");
    assert.equal(await asks(stage, state, [], book), false);
  });
});
