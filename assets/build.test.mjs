import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const portal = join(here, "..", "crates", "portal");
const folders = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

async function build() {
  const out = mkdtempSync(join(tmpdir(), "keepwell-assets-"));
  folders.push(out);
  await promisify(execFile)(process.execPath, [join(here, "build.mjs"), portal, out]);
  return new Map(readdirSync(out).sort().map((name) => [name, readFileSync(join(out, name))]));
}

test("the same inputs give the same bytes, small, and from no other host", async () => {
  const first = await build();
  assert.deepEqual(await build(), first);
  const [sheet] = [...first].find(([name]) => name.endsWith(".css"));
  assert.ok(first.get(`${sheet}.br`).length < 20_000, "the stylesheet is too large for a first visit of 30 KB");
  const [script] = [...first].find(([name]) => name.endsWith(".js"));
  assert.ok(first.get(`${script}.br`).length < 6_000, "the script is over 6 KB");
  assert.doesNotMatch(first.get(sheet).toString(), /https?:|@import/);
});
