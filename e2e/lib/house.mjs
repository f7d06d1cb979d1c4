// A demonstration with 20 made-up people, on a port and in a folder of its own.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How long a debug build may take to load its people, in milliseconds. */
const PATIENCE = 120_000;

function freePort() {
  return new Promise((found, failed) => {
    const server = createServer();
    server.once("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });
}

/** Starts `keepwell demo`; returns its address and a function that stops it and removes its folder. */
export async function open() {
  const binary = process.env.KEEPWELL_BIN;
  if (!binary) throw new Error("set KEEPWELL_BIN to the keepwell binary, or run `cargo xtask test e2e`");
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "keepwell-e2e-"));
  const words = ["demo", "--people", "20", "--port", `${port}`, "--dir", join(folder, "data"), "--fresh"];
  const child = spawn(binary, words, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const ready = new Promise((done, failed) => {
    const timer = setTimeout(() => failed(new Error(`keepwell demo was not ready in time:\n${said}`)), PATIENCE);
    const listen = (chunk) => {
      said += chunk;
      if (said.includes("Keepwell is running at")) {
        clearTimeout(timer);
        done();
      }
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.once("exit", (code) => {
      clearTimeout(timer);
      failed(new Error(`keepwell demo ended with ${code}:\n${said}`));
    });
  });
  const close = async () => {
    if (child.exitCode === null) {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      const hard = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await ended;
      clearTimeout(hard);
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await ready;
  } catch (problem) {
    await close();
    throw problem;
  }
  return { base: `http://localhost:${port}`, close };
}
