// The whole-patient Bundles made by Synthea: what goes in through the door comes out of `$everything`, digit by digit.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { content, parse, withReferences } from "../lib/exact.mjs";
import { base, token } from "../lib/house.mjs";

const shared = process.env.KEEPWELL_SHARED ?? fileURLToPath(new URL("../../../../shared/data", import.meta.url));
const folder = join(shared, "synthea-r4");

/** The Bundles' names, or none where the test data is not at hand. */
function names() {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".json")).sort();
  } catch {
    assert.notEqual(process.env.KEEPWELL_REQUIRE_ALL, "1", "the Synthea Bundles are required");
    return [];
  }
}

const FHIR_JSON = "application/fhir+json";
const DIRECTORY = ["Organization", "Practitioner"];
const headers = { authorization: `Bearer ${token}`, accept: FHIR_JSON };

async function get(url) {
  const answer = await fetch(url, { headers });
  const text = await answer.text();
  assert.equal(answer.status, 200, text.slice(0, 500));
  return parse(text);
}

/** Sends a Bundle; returns where each entry is, its version and the status. */
async function send(body) {
  const answer = await fetch(base, { method: "POST", body, headers: { ...headers, "content-type": FHIR_JSON } });
  const text = await answer.text();
  assert.equal(answer.status, 200, text.slice(0, 500));
  return JSON.parse(text).entry.map(({ response }) => {
    const [type, id, , version] = response.location.replace(`${base}/`, "").split("/");
    assert.equal(response.etag, `W/"${version}"`);
    return { place: `${type}/${id}`, version, status: response.status.slice(0, 3) };
  });
}

/** All resources on all pages, by where they are. */
async function everything(patient) {
  const found = new Map();
  let url = `${base}/${patient}/$everything?_count=200`;
  while (url) {
    const page = await get(url);
    assert.equal(page.type, "searchset");
    for (const { fullUrl, resource } of page.entry ?? []) {
      const place = `${resource.resourceType}/${resource.id}`;
      assert.equal(fullUrl, `${base}/${place}`);
      // What a page refers to in the directory comes with that page, and may come with another too.
      if (found.has(place)) assert.ok(DIRECTORY.includes(resource.resourceType), `${place} stands on two pages`);
      found.set(place, resource);
    }
    url = page.link?.find((link) => link.relation === "next")?.url;
  }
  return found;
}

const files = names();
if (files.length === 0) test("the Synthea Bundles come out as they went in", { skip: `there are none in ${folder}` });

for (const name of files) {
  test(`Synthea: ${name} comes out of $everything as it went in, and sent again changes nothing`, async () => {
    const body = readFileSync(join(folder, name), "utf8");
    const entries = parse(body).entry;
    const done = await send(body);
    assert.equal(done.length, entries.length);
    const places = new Map(entries.map((entry, at) => [entry.fullUrl, done[at].place]));
    assert.equal(new Set(places.values()).size, entries.length, "each entry has a place of its own");
    const expected = (entry) => withReferences(content(entry.resource), (text) => places.get(text) ?? text);

    const patient = done[entries.findIndex((entry) => entry.resource.resourceType === "Patient")].place;
    const found = await everything(patient);
    for (const [at, entry] of entries.entries()) {
      const { place } = done[at];
      const isShared = DIRECTORY.includes(entry.resource.resourceType);
      assert.ok(isShared || found.has(place), `${place} is missing`);
      const resource = found.get(place) ?? (await get(`${base}/${place}`));
      assert.deepEqual(content(resource), expected(entry), place);
      assert.equal(resource.meta.versionId, done[at].version);
    }
    const sent = new Set(places.values());
    for (const place of found.keys()) assert.ok(sent.has(place), `${place} was not sent with this person`);

    const again = await send(body);
    assert.deepEqual(again, done.map((it) => ({ ...it, status: "200" })));
  });
}
