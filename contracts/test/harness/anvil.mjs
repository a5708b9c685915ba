// A private anvil: the native binary of the installed package as a child, on a port that it chooses itself.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const START_MS_MAX = 30_000;

function binary() {
  const arch = { x64: "amd64", arm64: "arm64" }[process.arch];
  const platform = process.platform === "win32" ? "win32" : process.platform;
  const name = process.platform === "win32" ? "anvil.exe" : "anvil";
  const require = createRequire(createRequire(import.meta.url).resolve("@foundry-rs/anvil/package.json"));
  return require.resolve(`@foundry-rs/anvil-${platform}-${arch}/bin/${name}`);
}

/** Starts anvil; resolves with its URL and a function that ends it. It dies with this process at the latest. */
export async function startAnvil() {
  const args = ["--port", "0", "--accounts", "1", "--auto-impersonate", "--gas-price", "0", "--base-fee", "0"];
  args.push("--gas-limit", "1000000000", "--threads", "1", "--prune-history");
  const child = spawn(binary(), args, { stdio: ["ignore", "pipe", "inherit"] });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

  const url = await new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error("anvil did not start in time")), START_MS_MAX);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`anvil exited with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const port = /^Listening on .*:(\d+)$/.exec(line.trim())?.[1];
      if (port === undefined) return;
      clearTimeout(deadline);
      resolve(`http://127.0.0.1:${port}`);
    });
  });
  const stop = () =>
    new Promise((resolve) => {
      process.removeListener("exit", kill);
      child.removeAllListeners("exit");
      child.once("exit", resolve);
      kill();
    });
  return { url, stop };
}
