// Compiles the contracts with the pinned compiler.
//
//   node compile.mjs           writes artifacts/*.json
//   node compile.mjs --check   recompiles and compares with artifacts/; prints what differs and exits 1
//
// Also exports `compile`, with which the tests build their mocks.

import { createRequire } from "node:module";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = dirname(fileURLToPath(import.meta.url));
const ARTIFACTS = join(ROOT, "artifacts");
const CONTRACTS = [
  ["src/Custody.sol", "Custody"],
  ["src/ConsensusAdjudicator.sol", "ConsensusAdjudicator"],
  ["src/TestToken.sol", "TestERC20"],
];
// A deployed contract may not be larger (EIP-170).
const DEPLOYED_BYTES_MAX = 24_576;

export const SETTINGS = {
  evmVersion: "cancun",
  viaIR: true,
  optimizer: { enabled: true, runs: 20_000 },
  metadata: { bytecodeHash: "none" },
};

let solc;
function compiler() {
  solc ??= createRequire(import.meta.url)("solc");
  return solc;
}

export function compilerVersion() {
  return compiler().version();
}

function readSource(path) {
  const local = join(ROOT, path);
  return readFileSync(path.startsWith("@") ? join(ROOT, "node_modules", path) : local, "utf8");
}

/** All Solidity files below a folder of this package, as paths relative to it, sorted. */
export function sourcesIn(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .filter((name) => name.endsWith(".sol"))
    .map((name) =>
      relative(ROOT, join(ROOT, folder, name))
        .split(sep)
        .join("/"),
    )
    .sort();
}

/**
 * Compiles files and what they import. Warnings about our own files count as errors, so that none is overlooked.
 * Returns {path: {contractName: {abi, bytecode, deployedBytecode}}}.
 */
export function compile(paths, settings = SETTINGS) {
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(paths.map((path) => [path, { content: readSource(path) }])),
    settings: {
      ...settings,
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
    },
  };
  const findImport = (path) => {
    try {
      return { contents: readSource(path) };
    } catch (error) {
      return { error: error.message };
    }
  };
  const output = JSON.parse(compiler().compile(JSON.stringify(input), { import: findImport }));
  const problems = (output.errors ?? []).filter(
    ({ severity, sourceLocation }) =>
      severity === "error" || (severity === "warning" && !sourceLocation?.file.startsWith("@")),
  );
  if (problems.length > 0) {
    throw new Error(problems.map((problem) => problem.formattedMessage).join("\n"));
  }
  const contracts = {};
  for (const [path, names] of Object.entries(output.contracts)) {
    contracts[path] = {};
    for (const [name, { abi, evm }] of Object.entries(names)) {
      contracts[path][name] = {
        abi,
        bytecode: `0x${evm.bytecode.object}`,
        deployedBytecode: `0x${evm.deployedBytecode.object}`,
      };
    }
  }
  return contracts;
}

function artifacts() {
  const compiled = compile(sourcesIn("src"));
  return CONTRACTS.map(([path, contractName]) => {
    const { abi, bytecode, deployedBytecode } = compiled[path][contractName];
    return { contractName, compiler: compilerVersion(), settings: SETTINGS, abi, bytecode, deployedBytecode };
  });
}

function readArtifact(name) {
  try {
    return readFileSync(join(ARTIFACTS, `${name}.json`), "utf8");
  } catch {
    return "";
  }
}

/** What is different between an artifact and its committed text, as names of fields. */
function differences(artifact, committed) {
  if (committed === "") return ["the file is missing"];
  let parsed;
  try {
    parsed = JSON.parse(committed);
  } catch {
    return ["the file is not JSON"];
  }
  const fields = [...new Set([...Object.keys(artifact), ...Object.keys(parsed)])];
  const differing = fields.filter((field) => JSON.stringify(artifact[field]) !== JSON.stringify(parsed[field]));
  return differing.length > 0 ? differing : ["formatting"];
}

function main(isCheck) {
  let isDifferent = false;
  for (const artifact of artifacts()) {
    const name = artifact.contractName;
    const size = (artifact.deployedBytecode.length - 2) / 2;
    if (size > DEPLOYED_BYTES_MAX) throw new Error(`${name}: ${size} bytes deployed, ${DEPLOYED_BYTES_MAX} allowed`);
    const text = `${JSON.stringify(artifact, null, 2)}\n`;
    if (!isCheck) {
      mkdirSync(ARTIFACTS, { recursive: true });
      writeFileSync(join(ARTIFACTS, `${name}.json`), text);
      console.log(`${name}: ${size} bytes deployed`);
    } else if (readArtifact(name) === text) {
      console.log(`${name}: artifact matches its source, ${size} bytes deployed`);
    } else {
      isDifferent = true;
      console.log(`${name}: artifact differs from its source: ${differences(artifact, readArtifact(name)).join(", ")}`);
    }
  }
  if (isDifferent) process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    main(process.argv.includes("--check"));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
