// The interface, item by item, and the published vectors.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { getAddress, keccak256, stringToHex, toEventSelector, toFunctionSelector } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import { ADJUDICATOR, CUSTODY, TOKEN } from "./harness/contracts.mjs";
import {
  ACTIVE,
  ChannelBook,
  CHALLENGE_STATE_TYPEHASH,
  deltas,
  HOUR,
  INITIALIZE,
  pack,
  packChallenge,
  RESIZE,
  separator,
  STATE_TYPEHASH,
  structHash,
  typedDigest,
} from "./harness/states.mjs";
import { MALLORY, names, startWorld } from "./harness/world.mjs";

const C = "(address[],address,uint64,uint64)";
const S = "(uint8,uint256,bytes,(address,address,uint256)[],bytes[])";

// selector, signature, mutability, outputs
const FUNCTIONS = [
  ["0x8340f549", "deposit(address,address,uint256)", "payable", ""],
  ["0xf3fef3a3", "withdraw(address,uint256)", "nonpayable", ""],
  ["0x4a7e7798", `create(${C},${S})`, "nonpayable", "bytes32"],
  ["0x00e2bb2c", `depositAndCreate(address,uint256,${C},${S})`, "payable", "bytes32"],
  ["0xbab3290a", "join(bytes32,uint256,bytes)", "nonpayable", "bytes32"],
  ["0xecf668fd", `checkpoint(bytes32,${S},${S}[])`, "nonpayable", ""],
  ["0x1474e410", `challenge(bytes32,${S},${S}[],bytes)`, "nonpayable", ""],
  ["0x183b4998", `resize(bytes32,${S},${S}[])`, "nonpayable", ""],
  ["0x7f9ebbd7", `close(bytes32,${S},${S}[])`, "nonpayable", ""],
  ["0x2f33c4d6", "getAccountsBalances(address[],address[])", "view", "uint256[][]"],
  ["0xd710e92f", "getOpenChannels(address[])", "view", "bytes32[][]"],
  ["0xe617208c", "getChannelData(bytes32)", "view", `${C},uint8,address[],uint256,${S}`],
  ["0x5a9eb80e", "getChannelBalances(bytes32,address[])", "view", "uint256[]"],
  ["0x156ed7e9", "MIN_CHALLENGE_PERIOD()", "view", "uint256"],
  ["0x984d14f8", "CHALLENGE_STATE_TYPEHASH()", "view", "bytes32"],
  ["0x84b0196e", "eip712Domain()", "view", "bytes1,string,string,uint256,address,bytes32,uint256[]"],
];

// topic, signature, names of the indexed inputs
const EVENTS = [
  [
    "0x8752a472e571a816aea92eec8dae9baf628e840f4929fbcc2d155e6233ff68a7",
    "Deposited(address,address,uint256)",
    "wallet,token",
  ],
  [
    "0xd1c19fbcd4551a5edfb66d43d2e337c04837afda3482b42bdf569a8fccdae5fb",
    "Withdrawn(address,address,uint256)",
    "wallet,token",
  ],
  [
    "0x4dd0384c1acc40a5edb69575b4a1caa43c2c2852ef96f7ecfc4a6705ddb8ccc7",
    `Created(bytes32,address,${C},${S})`,
    "channelId,wallet",
  ],
  ["0xe8e915db7b3549b9e9e9b3e2ec2dc3edd1f76961504366998824836401f6846a", "Joined(bytes32,uint256)", "channelId"],
  ["0xd087f17acc177540af5f382bc30c65363705b90855144d285a822536ee11fdd1", "Opened(bytes32)", "channelId"],
  [
    "0x44c1980976c3af1eb75b2a3b7d8c7e01f69168c0fe45dd229faf143233722e17",
    `Challenged(bytes32,${S},uint256)`,
    "channelId",
  ],
  ["0x8cade4fe25d72146dc0dbe08ea2712bdcca7e2c996e2dce1e69f20e30ee1c5c3", `Checkpointed(bytes32,${S})`, "channelId"],
  ["0xf3b6c524f73df7344d9fcf2f960a57aba7fba7e292d8b79ed03d786f7b2b112f", "Resized(bytes32,int256[])", "channelId"],
  ["0xd3fa0f35ad809781b5c95d9f324b2621475e3d03254a60808cf804b663a70496", `Closed(bytes32,${S})`, "channelId"],
  ["0x0a6387c9ea3628b88a633bb4f3b151770f70085117a15f9bf3787cda53f13d31", "EIP712DomainChanged()", ""],
];

// selector, signature, names of the inputs where clients may read them
const ERRORS = [
  ["0xf383b13e", "ChannelNotFound(bytes32)", "channelId"],
  ["0xb66d20aa", "ChannelNotFinal()", ""],
  ["0xa145c43e", "InvalidParticipant()", ""],
  ["0xf525e320", "InvalidStatus()", ""],
  ["0xbaf3f0f7", "InvalidState()", ""],
  ["0x52e4cb1c", "InvalidAllocations()", ""],
  ["0x1b136079", "DepositAlreadyFulfilled()", ""],
  ["0xa93b19f3", "DepositsNotFulfilled(uint256,uint256)", "expectedFulfilled,actualFulfilled"],
  ["0x773a750f", "InvalidStateSignatures()", ""],
  ["0xea9e70ce", "InvalidAdjudicator()", ""],
  ["0x61a44f6e", "InvalidChallengerSignature()", ""],
  ["0xb4e12433", "InvalidChallengePeriod()", ""],
  ["0xaa7feadc", "InvalidValue()", ""],
  ["0x2c5211c6", "InvalidAmount()", ""],
  ["0xbf182be8", "TransferFailed(address,address,uint256)", "token,to,amount"],
  ["0x151f07fe", "ChallengeNotExpired()", ""],
  ["0xcf479181", "InsufficientBalance(uint256,uint256)", "available,required"],
  ["0xa40c8d37", "ERC6492DeploymentFailed(address,bytes)", "factory,calldata_"],
  ["0x50d2997a", "ERC6492NoCode(address)", "expectedSigner"],
  ["0x5274afe7", "SafeERC20FailedOperation(address)", "token"],
  ["0xf645eedf", "ECDSAInvalidSignature()", ""],
  ["0xfce698f7", "ECDSAInvalidSignatureLength(uint256)", "length"],
  ["0xd78bce0c", "ECDSAInvalidSignatureS(bytes32)", "s"],
  ["0xb3512b0c", "InvalidShortString()", ""],
  ["0x305a27a9", "StringTooLong(string)", "str"],
];

function typeOf({ type, components }) {
  return type.startsWith("tuple") ? `(${components.map(typeOf).join()})${type.slice(5)}` : type;
}

function signatureOf(item) {
  return `${item.name}(${item.inputs.map(typeOf).join()})`;
}

function items(abi, kind) {
  return abi.filter(({ type }) => type === kind);
}

function sorted(rows) {
  return [...rows].sort((a, b) => (a[1] < b[1] ? -1 : 1));
}

describe("the interface of custody", () => {
  test("has exactly these functions", () => {
    const found = items(CUSTODY.abi, "function").map((item) => {
      const signature = signatureOf(item);
      return [toFunctionSelector(signature), signature, item.stateMutability, item.outputs.map(typeOf).join()];
    });
    assert.deepEqual(sorted(found), sorted(FUNCTIONS));
  });

  test("has exactly these events", () => {
    const found = items(CUSTODY.abi, "event").map((item) => {
      const signature = signatureOf(item);
      const indexed = item.inputs.filter((input) => input.indexed).map(({ name }) => name);
      assert.equal(item.anonymous, false);
      return [toEventSelector(signature), signature, indexed.join()];
    });
    assert.deepEqual(sorted(found), sorted(EVENTS));
  });

  test("has exactly these errors", () => {
    const found = items(CUSTODY.abi, "error").map((item) => {
      const signature = signatureOf(item);
      return [toFunctionSelector(signature), signature, item.inputs.map(({ name }) => name).join()];
    });
    assert.deepEqual(sorted(found), sorted(ERRORS));
  });

  test("has a constructor without arguments, no receive and no fallback", () => {
    const others = CUSTODY.abi.filter(({ type }) => !["function", "event", "error"].includes(type));
    assert.deepEqual(others, [{ inputs: [], stateMutability: "nonpayable", type: "constructor" }]);
  });

  test("names the fields of its structs as clients do", () => {
    const create = CUSTODY.abi.find(({ name }) => name === "create");
    const [channel, state] = create.inputs.map(({ components }) => components);
    assert.deepEqual(
      channel.map(({ name }) => name),
      ["participants", "adjudicator", "challenge", "nonce"],
    );
    assert.deepEqual(
      state.map(({ name }) => name),
      ["intent", "version", "data", "allocations", "sigs"],
    );
    assert.deepEqual(
      state[3].components.map(({ name }) => name),
      ["destination", "token", "amount"],
    );
    const data = CUSTODY.abi.find(({ name }) => name === "getChannelData");
    const outputs = ["channel", "status", "wallets", "challengeExpiry", "lastValidState"];
    assert.deepEqual(
      data.outputs.map(({ name }) => name),
      outputs,
    );
  });
});

describe("the interface of the adjudicator", () => {
  test("has exactly these functions", () => {
    const found = items(ADJUDICATOR.abi, "function").map((item) => [
      toFunctionSelector(signatureOf(item)),
      signatureOf(item),
      item.stateMutability,
    ]);
    assert.deepEqual(sorted(found), [
      ["0x0c08cabc", `adjudicate(${C},${S},${S}[])`, "nonpayable"],
      ["0xeb86614c", "channelImpl()", "view"],
      ["0x8026edfd", "getChannelImplDomainSeparator()", "view"],
    ]);
  });
});

describe("the artifacts", () => {
  test("are what the sources compile to", async () => {
    const script = fileURLToPath(new URL("../compile.mjs", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script, "--check"]);
    assert.equal(stdout.match(/matches its source/g)?.length, 3, stdout);
  });

  test("name their compiler and settings", () => {
    for (const artifact of [CUSTODY, ADJUDICATOR, TOKEN]) {
      assert.match(artifact.compiler, /^0\.8\.37\+/);
      assert.deepEqual(artifact.settings, {
        evmVersion: "cancun",
        viaIR: true,
        optimizer: { enabled: true, runs: 20_000 },
        metadata: { bytecodeHash: "none" },
      });
      assert.ok((artifact.deployedBytecode.length - 2) / 2 < 24_576);
    }
  });
});

describe("the vectors", () => {
  const user = privateKeyToAccount(`0x${"0123456789".repeat(6)}0123`);
  const broker = privateKeyToAccount(`0x${"11".repeat(32)}`);
  const adjudicator = getAddress("0x00000000000000000000000000000000000000aa");
  const token = getAddress("0x00000000000000000000000000000000000000bb");
  const custody = getAddress("0x00000000000000000000000000000000000000cc");
  const book = new ChannelBook({
    terms: { participants: [user.address, broker.address], adjudicator, challenge: HOUR, nonce: 1_700_000_000_000n },
    chainId: 31_337,
    custody,
    token,
  });
  const initial = book.state(INITIALIZE, 0, [0, 0]);
  const resized = book.state(RESIZE, 1, [0, 0], { data: deltas(500_000_000n, -500_000_000n) });
  const SIGNATURES = {
    initialByBroker:
      "0x29e4f3dfde0f06673e0d4025e049112ac1ce6b9c7b7d838dbeeabf3a4312cb804961f4a392a0ca0a2a58be0828fa035799799df66b5a444271d19640c8c968f41b",
    initialByUserPrefixed:
      "0x93eaa6b03a5ccd7ad0cc0e172fcd3b999c3929cb9c90621b9104db7971ae4521037898d21a034471bf8fcf4f1b971eb235856372674d5c487e9e9d2e83889db71b",
    resizedByBroker:
      "0x7a76aa41e2e096cca49b1d31302fc587c903dc4485003e7a6675fe89ea409d82340a1080c64da2d869896092570d6f4d7d4dc1a7ad802c8ff602bcd24ebc11611c",
  };
  let world;
  let untouched;
  before(async () => (world = await startWorld()));
  after(() => world?.stop());
  // The addresses of the vectors are fixed: every test finds them empty.
  beforeEach(async () => (untouched = await world.rpc("evm_snapshot")));
  afterEach(() => world.rpc("evm_revert", untouched));

  test("are met by what these tests compute", async () => {
    assert.equal(book.id, "0x6067e046cd5b7cdc7931b1c3897254ca2eb7e50c1a654c039a613fcb29fbfcd8");
    assert.equal(
      keccak256(pack(book.id, initial)),
      "0x519cfd61978d26036997f6f13760d664c83f362c8e8ae7669bfa34e6bc394656",
    );
    assert.equal(
      keccak256(pack(book.id, resized)),
      "0x038685fa764373c29ce99b4023848d9c58b0a009215234067001256c2398b0ca",
    );
    assert.equal(
      keccak256(packChallenge(book.id, resized)),
      "0xf67af7400eba4b693791d63a5449ecddded475807053e85f638802cb26794b3c",
    );
    assert.equal(STATE_TYPEHASH, "0xb02e61f8dbbfba070321cdff64845b04358ee41db88ba372ef47e352446f4b9c");
    assert.equal(CHALLENGE_STATE_TYPEHASH, "0x74875af04779d70f933aef147d5751a32a32b3fa275f5022499f396ea394cf53");
    const domain = separator(custody, 31_337);
    assert.equal(domain, "0x49577831bf943aebaba1c9c8510aa7ade31ef351f43ec3098bf3622cc109f686");
    const struct = structHash(book.id, initial);
    assert.equal(struct, "0xddef22e864619751664877aa95651a050f66ba8150d1d03ec3458c008974051e");
    assert.equal(typedDigest(domain, struct), "0x10021b269531a13864d855d6c6df492546e93663d7c3d90b138e730aced91eb8");
    assert.equal(await book.sign(initial, broker), SIGNATURES.initialByBroker);
    assert.equal(await book.sign(initial, user, "prefixed"), SIGNATURES.initialByUserPrefixed);
    assert.equal(await book.sign(resized, broker), SIGNATURES.resizedByBroker);
  });

  test("are met on chain: the signatures of the vectors create and resize the channel of the vectors", async () => {
    const stage = await world.stage();
    const code = async (from, to) => world.rpc("anvil_setCode", to, await world.rpc("eth_getCode", from, "latest"));
    await code(stage.custody.address, custody);
    await code(stage.token.address, token);
    await code((await world.mock("YesAdjudicator")).address, adjudicator);
    const vectorCustody = world.at(CUSTODY.abi, custody);
    await world.fund(user.address);
    await stage.provide(user.address, world.at(TOKEN.abi, token), 500_000_000n, vectorCustody);

    const sigs = [SIGNATURES.initialByUserPrefixed, SIGNATURES.initialByBroker];
    const created = await vectorCustody.send(user, "create", [book.terms, { ...initial, sigs }]);
    assert.deepEqual(names(created.events), ["Created", "Joined", "Opened"]);
    assert.equal(created.events[0].args.channelId, book.id);

    const last = { ...initial, sigs };
    const candidate = { ...resized, sigs: [await book.sign(resized, user), SIGNATURES.resizedByBroker] };
    const { events } = await vectorCustody.send(user, "resize", [book.id, candidate, [last]]);
    assert.deepEqual(events[0].args.deltaAllocations, [500_000_000n, -500_000_000n]);
    const balances = await vectorCustody.view("getAccountsBalances", [user.address, broker.address], [token]);
    assert.deepEqual(balances, [[0n], [500_000_000n]]);
    assert.equal((await vectorCustody.view("getChannelData", book.id))[1], ACTIVE);
  });

  test("are met on chain: the typed digest of the vectors is one that counts", async () => {
    const stage = await world.stage();
    await world.rpc("anvil_setCode", custody, await world.rpc("eth_getCode", stage.custody.address, "latest"));
    const vectorCustody = world.at(CUSTODY.abi, custody);
    const digest = "0x10021b269531a13864d855d6c6df492546e93663d7c3d90b138e730aced91eb8";
    const sigs = [await user.sign({ hash: digest }), await broker.sign({ hash: digest })];
    assert.equal(await vectorCustody.attempt(MALLORY, "create", [book.terms, { ...initial, sigs }]), undefined);
    const swapped = [...sigs].reverse();
    await vectorCustody.refused("InvalidStateSignatures", MALLORY, "create", [
      book.terms,
      { ...initial, sigs: swapped },
    ]);
  });

  test("constants and the typed-data domain read as published", async () => {
    const { custody: deployed, adjudicator: bound } = await world.stage();
    assert.equal(await deployed.view("MIN_CHALLENGE_PERIOD"), 3600n);
    assert.equal(await deployed.view("CHALLENGE_STATE_TYPEHASH"), CHALLENGE_STATE_TYPEHASH);
    assert.deepEqual(await deployed.view("eip712Domain"), [
      "0x0f",
      "Nitrolite:Custody",
      "0.3.0",
      31_337n,
      deployed.address,
      `0x${"00".repeat(32)}`,
      [],
    ]);
    assert.equal(await bound.view("channelImpl"), deployed.address);
    assert.equal(await bound.view("getChannelImplDomainSeparator"), separator(deployed.address, 31_337));
    const unbound = await world.deploy(ADJUDICATOR, token.replace("bb", "dd"));
    assert.equal(await unbound.view("getChannelImplDomainSeparator"), keccak256(stringToHex("NoEIP712Support")));
    assert.equal(
      await unbound.view("getChannelImplDomainSeparator"),
      "0xdeeda0875e527d63774890b89d23bff91e0ec84761e45d2b578ee592780095bb",
    );
  });
});
