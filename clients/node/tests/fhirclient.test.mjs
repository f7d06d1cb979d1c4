// npm fhirclient, the SMART client, as a server uses it that has an access token already.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import smart from "fhirclient";
import * as house from "../lib/house.mjs";

const { HEART_RATE, LOINC, SYSTEM, WEIGHT } = house;
const JSON_BODY = { "content-type": "application/fhir+json" };
const nothing = { get: async () => null, set: async () => {}, unset: async () => {} };
/** A client with an access token, and with a chosen patient if one is given. */
const withToken = (access_token, patient) =>
  smart({}, {}, nothing).client({ serverUrl: house.base, tokenResponse: { access_token, patient } });

const client = withToken(house.token);

/** The client has no call of its own for a Bundle: this is how its documentation sends one. */
const send = (body) =>
  client.request({
    url: "/",
    method: "POST",
    body: JSON.stringify(body),
    headers: JSON_BODY,
  });

let ada;
let adas;

before(async () => {
  const done = await send(house.ada());
  ada = done.entry[0].response.location.split("/")[1];
  adas = withToken(house.token, ada);
});

const weigh = (value = 70, changes = {}) => client.create(house.measured(ada, WEIGHT, "2025-06-01", value, changes));
const refusal = async (promise, status, code) => {
  const error = await promise.then(() => assert.fail(`not refused with ${status}`), (it) => it);
  assert.equal(error.status, status, error.stack);
  return house.isOutcome(JSON.parse(error.message.slice(error.message.indexOf("{"))), code);
};

test("fhirclient (npm) creates, reads, updates and reads an older version", async () => {
  const resource = house.measured(ada, WEIGHT, "2025-06-01", 70.5);
  const { body: made, response } = await client.create(resource, { includeResponse: true });
  assert.equal(response.status, 201);
  const place = `${house.base}/Observation/${made.id}/_history/${made.meta.versionId}`;
  assert.equal(response.headers.get("location"), place);
  assert.deepEqual(await client.request(`Observation/${made.id}`), made);
  const changed = await client.update({ ...made, status: "amended" });
  assert.equal(changed.status, "amended");
  assert.notEqual(changed.meta.versionId, made.meta.versionId);
  assert.deepEqual(await client.request(`Observation/${made.id}/_history/${made.meta.versionId}`), made);
});

test("fhirclient (npm) searches by patient, code and date, sorted, and flattens all pages", async () => {
  const query = `Observation?patient=${ada}&code=${LOINC}|${WEIGHT}&date=ge2026-01-01&_sort=date&_count=10`;
  const all = await client.request(query, { pageLimit: 0, flat: true });
  assert.deepEqual(all.map((it) => it.effectiveDateTime), house.days(23));
  const pages = [];
  for await (const page of client.pages(query)) pages.push(page.entry.length);
  assert.deepEqual(pages, [10, 10, 3]);
  const some = [];
  for await (const it of client.resources(query, { limit: 12 })) some.push(it.effectiveDateTime);
  assert.deepEqual(some, house.days(12));
});

test("fhirclient (npm) reads its chosen patient and searches what is about them", async () => {
  assert.equal((await adas.patient.read()).id, ada);
  // Which parameter leads to the patient, the client looks up in the capability statement.
  const found = await adas.patient.request(`Observation?code=${HEART_RATE}`);
  assert.equal(found.total, 1);
  assert.equal(found.entry[0].resource.subject.reference, `Patient/${ada}`);
});

test("fhirclient (npm) resolves references of what it found", async () => {
  const query = `Observation?patient=${ada}&code=${HEART_RATE}`;
  const found = await client.request(query, { resolveReferences: "subject", flat: true });
  assert.equal(found[0].subject.name[0].family, "Marlow");
});

test("fhirclient (npm) sends a transaction and a batch", async () => {
  const urn = "urn:uuid:2f4c7c53-7a3a-4b3e-9d29-5f0f7bb0a903";
  const done = await send(
    house.bundle("transaction", [
      { fullUrl: urn, resource: house.somebody(), request: { method: "POST", url: "Patient" } },
      { resource: house.measured(urn, WEIGHT, "2026-02-03", 64), request: { method: "POST", url: "Observation" } },
    ]),
  );
  const [patient, observation] = done.entry.map((it) => it.response.location.split("/").slice(0, 2).join("/"));
  assert.equal((await client.request(observation)).subject.reference, patient);
  const answers = await send(
    house.bundle("batch", [patient, "Patient/nobody"].map((url) => ({ request: { method: "GET", url } }))),
  );
  assert.deepEqual(answers.entry.map((it) => it.response.status.slice(0, 3)), ["200", "404"]);
});

test("fhirclient (npm) sees every version in the history, a deletion too", async () => {
  const made = await weigh();
  await client.update({ ...made, status: "amended" });
  await client.delete(`Observation/${made.id}`);
  const history = await client.request(`Observation/${made.id}/_history`);
  assert.deepEqual(history.entry.map((it) => it.request.method), ["DELETE", "PUT", "POST"]);
  await refusal(client.request(`Observation/${made.id}`), 410);
});

test("fhirclient (npm) creates once what it creates on a condition", async () => {
  const key = house.identifier();
  const resource = house.measured(ada, WEIGHT, "2025-03-04", 60, { identifier: [key] });
  const headers = { ...JSON_BODY, "if-none-exist": `patient=${ada}&identifier=${SYSTEM}|${key.value}` };
  const made = await client.create(resource, { headers });
  const { body: again, response } = await client.create(resource, { headers, includeResponse: true });
  assert.equal(response.status, 200);
  assert.deepEqual(again, made);
});

test("fhirclient (npm) patches with JSON Patch", async () => {
  const made = await weigh();
  const patch = [{ op: "replace", path: "/valueQuantity/value", value: 68.25 }];
  const patched = await client.patch(`Observation/${made.id}`, patch);
  assert.equal(patched.valueQuantity.value, 68.25);
  await refusal(client.patch(`Observation/${made.id}`, [{ op: "remove", path: "/bodySite" }]), 422);
});

test("fhirclient (npm) flattens all pages of $everything", async () => {
  const all = await client.request(`Patient/${ada}/$everything?_count=10`, { pageLimit: 0, flat: true });
  const places = new Set(all.map((it) => `${it.resourceType}/${it.id}`));
  assert.equal(places.size, all.length);
  assert.ok(places.has(`Patient/${ada}`) && places.size >= 25);
});

test("fhirclient (npm) finds out which FHIR this is", async () => {
  assert.equal(await client.getFhirVersion(), "4.0.1");
  assert.equal(await client.getFhirRelease(), 4);
});

test("fhirclient (npm) is told what is wrong, as an OperationOutcome", async () => {
  await refusal(client.request("Observation/nobody"), 404, "not-found");
  const made = await weigh();
  await client.update({ ...made, status: "amended" });
  const headers = { ...JSON_BODY, "if-match": `W/"${made.meta.versionId}"` };
  await refusal(client.update({ ...made, status: "corrected" }, { headers }), 412, "conflict");
  const { subject: _, ...nobodys } = house.measured(ada, WEIGHT, "2025-01-01", 1);
  await refusal(client.create(nobodys), 422);
  await refusal(client.request(`Observation?patient=${ada}&bogus=1`), 400);
  const error = await withToken("kw_nobody").request(`Patient/${ada}`).then(() => assert.fail("let in"), (it) => it);
  assert.equal(error.status, 401);
});
