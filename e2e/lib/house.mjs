// Servers for tests, each with a port and a folder of its own: a demonstration of 20 made-up people, or an empty house.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

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

/** The binary, a free port and an empty folder. */
async function ground(suite) {
  const binary = process.env.KEEPWELL_BIN;
  if (!binary) throw new Error(`set KEEPWELL_BIN to the keepwell binary, or run \`cargo xtask test ${suite}\``);
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), `keepwell-${suite}-`));
  return { binary, port, folder, data: join(folder, "data"), base: `http://localhost:${port}` };
}

/** Starts a server and waits until it is ready; returns a function that stops it and removes its folder. */
async function start({ binary, folder }, words, isReady) {
  const child = spawn(binary, words, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const listen = (chunk) => (said += chunk);
  child.stdout.on("data", listen);
  child.stderr.on("data", listen);
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
  const late = Date.now() + PATIENCE;
  while (!(await isReady(said))) {
    const why = child.exitCode !== null ? `ended with ${child.exitCode}` : Date.now() > late && "was not ready in time";
    if (why) {
      await close();
      throw new Error(`keepwell ${words.join(" ")} ${why}:\n${said}`);
    }
    await pause(20);
  }
  return close;
}

/** Starts `keepwell demo`; returns its address and a function that stops it and removes its folder. */
export async function open() {
  const place = await ground("e2e");
  const words = ["demo", "--people", "20", "--port", `${place.port}`, "--dir", place.data, "--fresh"];
  const close = await start(place, words, (said) => said.includes("Keepwell is running at"));
  return { base: place.base, close };
}

/** Starts an installation with nobody in it; returns also the tokens of two systems, one of which may search everybody. */
export async function openEmpty() {
  const place = await ground("clients");
  const run = async (...words) => {
    const { stdout } = await promisify(execFile)(place.binary, ["--dir", place.data, "--json", ...words]);
    return JSON.parse(stdout);
  };
  await run("init", "--base-url", place.base);
  const add = (name, ...grants) => run("client", "add", name, "--organisation", "Clients of others", ...grants);
  const { token } = await add("clients");
  const { token: wideToken } = await add("wide", "--grant", "search-people");
  const words = ["--dir", place.data, "serve", "--listen", `127.0.0.1:${place.port}`];
  const answers = () => fetch(`${place.base}/fhir/metadata`).then((answer) => answer.ok, () => false);
  const close = await start(place, words, answers);
  return { base: place.base, token, wideToken, close };
}
