// The contracts under test, as committed in artifacts/, and the mocks, compiled once and kept in build/.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { compile, SETTINGS, sourcesIn } from "../../compile.mjs";

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));
// Size of mocks does not matter, time to compile them does.
const MOCK_SETTINGS = { ...SETTINGS, optimizer: { enabled: true, runs: 1 } };

function artifact(name) {
  return JSON.parse(readFileSync(`${PACKAGE}artifacts/${name}.json`, "utf8"));
}

function mocks() {
  const paths = sourcesIn("test/mocks");
  // The lock file names the compiler; loading it to ask takes longer than all else here.
  const key = createHash("sha256")
    .update(JSON.stringify(MOCK_SETTINGS))
    .update(readFileSync(`${PACKAGE}package-lock.json`));
  for (const path of [...paths, ...sourcesIn("src")]) key.update(path).update(readFileSync(PACKAGE + path));
  const wanted = key.digest("hex");

  const cache = `${PACKAGE}build/mocks.json`;
  try {
    const { key: found, contracts } = JSON.parse(readFileSync(cache, "utf8"));
    if (found === wanted) return contracts;
  } catch {
    // No cache, or not a readable one: compile.
  }
  const compiled = compile(paths, MOCK_SETTINGS);
  const contracts = Object.assign({}, ...paths.map((path) => compiled[path]));
  mkdirSync(`${PACKAGE}build`, { recursive: true });
  writeFileSync(cache, JSON.stringify({ key: wanted, contracts }));
  return contracts;
}

export const CUSTODY = artifact("Custody");
export const ADJUDICATOR = artifact("ConsensusAdjudicator");
export const TOKEN = artifact("TestERC20");
export const MOCKS = mocks();
