// Where the server is that these tests talk to, and people for them to write about.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

const told = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run \`cargo xtask test clients\``);
  return value;
};

/** The address of the FHIR door. */
export const base = told("KEEPWELL_FHIR");

/** The token of a registered system. */
export const token = told("KEEPWELL_TOKEN");

/** The token of one that may search across people. */
export const wideToken = told("KEEPWELL_WIDE_TOKEN");

/** The naming system of the ids that these tests make up. */
export const SYSTEM = "https://clients.example/ids";

export const LOINC = "http://loinc.org";
export const WEIGHT = "29463-7";
export const HEART_RATE = "8867-4";

/** An identifier that nothing else has. */
export const identifier = () => ({ system: SYSTEM, value: randomUUID() });

/** Somebody whom the server does not know yet. */
export const somebody = (changes = {}) => ({
  resourceType: "Patient",
  identifier: [identifier()],
  name: [{ use: "official", family: "Marlow", given: ["Ada", "Jane"] }],
  gender: "female",
  birthDate: "1961-04-02",
  ...changes,
});

/** A measurement of somebody at a time. */
export const measured = (patient, code, effectiveDateTime, value, changes = {}) => ({
  resourceType: "Observation",
  status: "final",
  category: [
    { coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-category", code: "vital-signs" }] },
  ],
  code: { coding: [{ system: LOINC, code }] },
  subject: { reference: patient.includes(":") ? patient : `Patient/${patient}` },
  effectiveDateTime,
  valueQuantity: { value, unit: "1", system: "http://unitsofmeasure.org", code: "1" },
  ...changes,
});

/** The dates `2026-01-01`, `2026-01-02`, … */
export const days = (count) =>
  Array.from({ length: count }, (_, day) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10));

/** A Bundle to be carried out. */
export const bundle = (type, entry) => ({ resourceType: "Bundle", type, entry });

/** A transaction of one person with 23 weights, on a day each, and one heart rate. */
export function ada() {
  const urn = `urn:uuid:${randomUUID()}`;
  const weights = days(23).map((day, at) => measured(urn, WEIGHT, day, 60 + at));
  const entries = [...weights, measured(urn, HEART_RATE, "2026-01-01", 70)];
  return bundle("transaction", [
    { fullUrl: urn, resource: somebody(), request: { method: "POST", url: "Patient" } },
    ...entries.map((resource) => ({ resource, request: { method: "POST", url: "Observation" } })),
  ]);
}

/** Checks that this is an OperationOutcome with an error that says what to do; returns its issue. */
export function isOutcome(resource, code) {
  assert.equal(resource?.resourceType, "OperationOutcome");
  const issue = resource.issue.find((it) => ["error", "fatal"].includes(it.severity));
  assert.ok(issue, "an issue is an error");
  const words = issue.details?.text ?? issue.diagnostics;
  assert.match(words, /\w+ \w+/, "an issue has words");
  if (code) assert.equal(issue.code, code);
  return issue;
}
