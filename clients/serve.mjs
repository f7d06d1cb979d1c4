// Starts an empty house, runs a command that is told where it is, and stops it: `node serve.mjs COMMAND…`.
import { spawn } from "node:child_process";
import { openEmpty } from "../e2e/lib/house.mjs";

const [command, ...words] = process.argv.slice(2);
const house = await openEmpty();
try {
  const { base, token, wideToken } = house;
  const told = { KEEPWELL_FHIR: `${base}/fhir`, KEEPWELL_TOKEN: token, KEEPWELL_WIDE_TOKEN: wideToken };
  const env = { ...process.env, ...told };
  const child = spawn(command, words, { stdio: "inherit", env });
  process.exitCode = await new Promise((done, failed) => {
    child.once("error", failed);
    child.once("exit", (code) => done(code ?? 1));
  });
} finally {
  await house.close();
}
