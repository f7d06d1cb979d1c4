// npm fhir-kit-client: every request that it has.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, test } from "node:test";
import { CapabilityTool, Client } from "fhir-kit-client";
import * as house from "../lib/house.mjs";

const { HEART_RATE, LOINC, SYSTEM, WEIGHT } = house;
const client = new Client({ baseUrl: house.base, bearerToken: house.token });
const answerTo = (result) => Client.httpFor(result).response;

/** One person with 23 weights, on a day each, and one heart rate. */
let ada;

before(async () => {
  const done = await client.transaction({ body: house.ada() });
  ada = done.entry[0].response.location.split("/")[1];
});

const create = (resource, options) => client.create({ resourceType: resource.resourceType, body: resource, options });
const weigh = (value = 70) => create(house.measured(ada, WEIGHT, "2025-06-01", value));
const refusal = async (promise, status, code) => {
  const error = await promise.then(() => assert.fail(`not refused with ${status}`), (it) => it);
  assert.equal(error.response?.status, status, error.stack);
  return house.isOutcome(error.response.data, code);
};

test("fhir-kit-client creates, reads, updates and reads an older version", async () => {
  const made = await weigh(70.5);
  const answer = answerTo(made);
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get("location"), `${house.base}/Observation/${made.id}/_history/${made.meta.versionId}`);
  assert.equal(answer.headers.get("etag"), `W/"${made.meta.versionId}"`);
  assert.ok(Date.parse(answer.headers.get("last-modified")));
  assert.equal(made.valueQuantity.value, 70.5);

  const read = await client.read({ resourceType: "Observation", id: made.id });
  assert.deepEqual(read, made);
  assert.equal(answerTo(read).headers.get("content-type").split(";")[0], "application/fhir+json");

  const changed = await client.update({
    resourceType: "Observation",
    id: made.id,
    body: { ...made, valueQuantity: { ...made.valueQuantity, value: 71.25 } },
    options: { headers: { "If-Match": `W/"${made.meta.versionId}"` } },
  });
  assert.equal(answerTo(changed).status, 200);
  assert.notEqual(changed.meta.versionId, made.meta.versionId);
  assert.equal(changed.valueQuantity.value, 71.25);

  const older = await client.vread({ resourceType: "Observation", id: made.id, version: made.meta.versionId });
  assert.deepEqual(older, made);
  const newest = await client.vread({ resourceType: "Observation", id: made.id, version: changed.meta.versionId });
  assert.deepEqual(newest, changed);
});

test("fhir-kit-client searches by patient, code and date, sorted, and pages to the end", async () => {
  const date = ["ge2026-01-01", "lt2027"];
  const searchParams = { patient: ada, code: `${LOINC}|${WEIGHT}`, date, _sort: "-date", _count: 5 };
  const seen = [];
  let pages = 0;
  let page = await client.search({ resourceType: "Observation", searchParams });
  for (; page; page = await client.nextPage({ bundle: page })) {
    assert.equal(page.type, "searchset");
    assert.ok(page.entry.length <= 5);
    for (const { fullUrl, resource, search } of page.entry) {
      assert.equal(fullUrl, `${house.base}/Observation/${resource.id}`);
      assert.equal(search.mode, "match");
      seen.push(resource.effectiveDateTime);
    }
    pages += 1;
    // What is written while somebody pages does not move the pages that are still to come.
    if (pages === 2) await create(house.measured(ada, WEIGHT, "2026-12-31", 99));
  }
  assert.equal(pages, 5);
  assert.deepEqual(seen, house.days(23).toReversed());
});

test("fhir-kit-client searches with POST, in a compartment, and counts", async () => {
  const searchParams = { patient: `Patient/${ada}`, code: HEART_RATE };
  const posted = await client.search({ resourceType: "Observation", searchParams, options: { postSearch: true } });
  assert.equal(posted.total, 1);
  const compartment = { resourceType: "Patient", id: ada };
  const own = await client.search({ resourceType: "Observation", compartment, searchParams: { code: HEART_RATE } });
  assert.equal(own.entry[0].resource.id, posted.entry[0].resource.id);
  const counted = await client.search({
    resourceType: "Observation",
    searchParams: { patient: ada, date: "sa2025-12-31,lt2026-01-03", _summary: "count" },
  });
  assert.equal(counted.entry, undefined);
  assert.ok(counted.total >= 24);
});

test("fhir-kit-client searches across people where its registration grants it", async () => {
  const wide = new Client({ baseUrl: house.base, bearerToken: house.wideToken });
  const family = `Marlow ${randomUUID()}`;
  const people = [];
  for (const given of ["Ada", "Ben", "Cora"]) {
    const body = house.somebody({ name: [{ family, given: [given] }] });
    people.push(await wide.create({ resourceType: "Patient", body }));
    const weight = house.measured(people.at(-1).id, WEIGHT, "2026-01-01", 60 + people.length);
    await wide.create({ resourceType: "Observation", body: weight });
  }
  const identifier = `${SYSTEM}|${people[1].identifier[0].value}`;
  const one = await wide.search({ resourceType: "Patient", searchParams: { identifier } });
  assert.deepEqual(one.entry.map((it) => it.resource.id), [people[1].id]);
  const seen = [];
  let page = await wide.search({ resourceType: "Patient", searchParams: { family, _count: 2 } });
  for (; page; page = await wide.nextPage({ bundle: page })) {
    seen.push(...(page.entry ?? []).map((it) => it.resource.id));
  }
  assert.deepEqual(seen.toSorted(), people.map((it) => it.id).toSorted());
  const heavy = await wide.search({
    resourceType: "Observation",
    searchParams: { "patient.family": family, "value-quantity": "gt61" },
  });
  assert.equal(heavy.entry.length, 2);
  await refusal(client.search({ resourceType: "Patient", searchParams: { identifier } }), 422, "required");
});

test("fhir-kit-client commits a transaction with references between its entries", async () => {
  const urn = "urn:uuid:0c1f7f0e-5d0a-4f0b-a7c5-6c7a1d4b2a10";
  const person = house.somebody();
  const done = await client.transaction({
    body: house.bundle("transaction", [
      { resource: house.measured(urn, WEIGHT, "2026-02-03", 64.0), request: { method: "POST", url: "Observation" } },
      { fullUrl: urn, resource: person, request: { method: "POST", url: "Patient" } },
    ]),
  });
  assert.equal(done.type, "transaction-response");
  assert.deepEqual(done.entry.map((it) => it.response.status.slice(0, 3)), ["201", "201"]);
  const [observation, patient] = done.entry.map((it) => it.response.location.split("/"));
  const read = await client.read({ resourceType: "Observation", id: observation[1] });
  assert.equal(read.subject.reference, `Patient/${patient[1]}`);
  const whom = await client.resolve({ reference: read.subject.reference });
  assert.deepEqual(whom.identifier, person.identifier);
});

test("fhir-kit-client is told entry by entry what became of a batch", async () => {
  const done = await client.batch({
    body: house.bundle("batch", [
      { request: { method: "GET", url: `Patient/${ada}` } },
      { resource: house.measured(ada, WEIGHT, "2025-02-03", 64), request: { method: "POST", url: "Observation" } },
      { request: { method: "GET", url: "Patient/nobody" } },
      { request: { method: "GET", url: `Observation?patient=${ada}&code=${HEART_RATE}` } },
    ]),
  });
  assert.equal(done.type, "batch-response");
  assert.deepEqual(done.entry.map((it) => it.response.status.slice(0, 3)), ["200", "201", "404", "200"]);
  assert.equal(done.entry[0].resource.id, ada);
  house.isOutcome(done.entry[2].response.outcome);
  assert.equal(done.entry[3].resource.total, 1);
});

test("fhir-kit-client sees every version in the history, a deletion too", async () => {
  const made = await weigh();
  const body = { ...made, status: "amended" };
  await client.update({ resourceType: "Observation", id: made.id, body });
  const gone = await client.delete({ resourceType: "Observation", id: made.id });
  assert.ok([200, 204].includes(answerTo(gone).status));
  const history = await client.history({ resourceType: "Observation", id: made.id });
  assert.equal(history.type, "history");
  assert.equal(history.total, 3);
  assert.deepEqual(history.entry.map((it) => it.request.method), ["DELETE", "PUT", "POST"]);
  assert.deepEqual(history.entry.map((it) => it.resource?.status), [undefined, "amended", "final"]);
  await refusal(client.read({ resourceType: "Observation", id: made.id }), 410);
  const first = await client.vread({ resourceType: "Observation", id: made.id, version: made.meta.versionId });
  assert.deepEqual(first, made);
  // Deleting it again is no mistake.
  assert.ok(answerTo(await client.delete({ resourceType: "Observation", id: made.id })).ok);
});

test("fhir-kit-client creates once what it creates on a condition", async () => {
  const key = house.identifier();
  const resource = house.measured(ada, WEIGHT, "2025-03-04", 60, { identifier: [key] });
  const options = { headers: { "If-None-Exist": `patient=${ada}&identifier=${SYSTEM}|${key.value}` } };
  const made = await create(resource, options);
  assert.equal(answerTo(made).status, 201);
  const again = await create(resource, options);
  assert.equal(answerTo(again).status, 200);
  assert.equal(again.id, made.id);
  assert.equal(again.meta.versionId, made.meta.versionId);

  await create({ ...resource, effectiveDateTime: "2025-03-05" });
  await refusal(create(resource, options), 412);
});

test("fhir-kit-client updates and deletes on a condition", async () => {
  const key = house.identifier();
  const searchParams = { patient: ada, identifier: `${SYSTEM}|${key.value}` };
  const body = house.measured(ada, WEIGHT, "2025-03-04", 60, { identifier: [key] });
  const made = await client.update({ resourceType: "Observation", searchParams, body });
  assert.equal(answerTo(made).status, 201);
  const amended = { ...body, status: "amended" };
  const changed = await client.update({ resourceType: "Observation", searchParams, body: amended });
  assert.equal(answerTo(changed).status, 200);
  assert.equal(changed.id, made.id);
  const query = new URLSearchParams(searchParams);
  await client.request(`Observation?${query}`, { method: "DELETE" });
  await refusal(client.read({ resourceType: "Observation", id: made.id }), 410);
});

test("fhir-kit-client patches with JSON Patch", async () => {
  const made = await weigh();
  const jsonPatch = [{ op: "replace", path: "/valueQuantity/value", value: 68.25 }];
  const patched = await client.patch({ resourceType: "Observation", id: made.id, jsonPatch });
  assert.equal(patched.valueQuantity.value, 68.25);
  const wrong = [{ op: "test", path: "/valueQuantity/value", value: 1 }, ...jsonPatch];
  await refusal(client.patch({ resourceType: "Observation", id: made.id, jsonPatch: wrong }), 422);
  const options = { headers: { "If-Match": `W/"${made.meta.versionId}"` } };
  await refusal(client.patch({ resourceType: "Observation", id: made.id, jsonPatch, options }), 412);
});

test("fhir-kit-client calls operations of a resource and of a type", async () => {
  const input = { _count: 10 };
  let page = await client.operation({ name: "everything", resourceType: "Patient", id: ada, method: "GET", input });
  const seen = new Set();
  for (; page; page = await client.nextPage({ bundle: page })) {
    for (const { resource } of page.entry) seen.add(`${resource.resourceType}/${resource.id}`);
  }
  assert.ok(seen.has(`Patient/${ada}`) && seen.size >= 25);
  const newest = { patient: ada, code: `${LOINC}|${HEART_RATE},${LOINC}|${WEIGHT}` };
  const last = await client.operation({ name: "$lastn", resourceType: "Observation", method: "GET", input: newest });
  assert.equal(last.entry.length, 2);
  const valid = house.measured(ada, WEIGHT, "2026-01-01", 1);
  const wrong = { ...valid, effectiveDateTime: "2026-13-01" };
  const problems = await client.operation({ name: "validate", resourceType: "Observation", input: wrong });
  assert.deepEqual(house.isOutcome(problems, "value").expression, ["Observation.effective"]);
  const url = "http://hl7.org/fhir/ValueSet/observation-status";
  const expanded = await client.operation({ name: "expand", resourceType: "ValueSet", method: "GET", input: { url } });
  assert.ok(expanded.expansion.contains.some((it) => it.code === "amended"));
  await refusal(client.operation({ name: "nonsense", resourceType: "Patient", id: ada, method: "GET" }), 404);
});

test("fhir-kit-client finds in the capability statement what it may do", async () => {
  const statement = await client.capabilityStatement();
  assert.equal(statement.fhirVersion, "4.0.1");
  const can = new CapabilityTool(statement);
  for (const interaction of ["transaction", "batch"]) assert.ok(can.serverCan(interaction), interaction);
  const interactions = ["read", "vread", "update", "patch", "delete", "create", "history-instance", "search-type"];
  for (const interaction of interactions) {
    assert.ok(can.resourceCan("Observation", interaction), interaction);
  }
  for (const name of ["patient", "code", "date"]) assert.ok(can.resourceSearch("Observation", name), name);
});

test("fhir-kit-client is told what is wrong, as an OperationOutcome", async () => {
  await refusal(client.read({ resourceType: "Observation", id: "nobody" }), 404, "not-found");
  const made = await weigh();
  await client.update({ resourceType: "Observation", id: made.id, body: { ...made, status: "amended" } });
  const options = { headers: { "If-Match": `W/"${made.meta.versionId}"` } };
  const body = { ...made, status: "corrected" };
  const late = client.update({ resourceType: "Observation", id: made.id, body, options });
  await refusal(late, 412, "conflict");
  const { subject: _, ...nobodys } = house.measured(ada, WEIGHT, "2025-01-01", 1);
  await refusal(create(nobodys), 422);
  await refusal(client.create({ resourceType: "Observation", body: "{\"resourceType\":" }), 400);
  await refusal(client.search({ resourceType: "Observation", searchParams: { patient: ada, bogus: 1 } }), 400);
  const stranger = new Client({ baseUrl: house.base, bearerToken: "kw_nobody" });
  await refusal(stranger.read({ resourceType: "Patient", id: ada }), 401, "login");
});
