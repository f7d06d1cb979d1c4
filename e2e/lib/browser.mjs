// Chromium as Debian packs it, and what every page that it shows is put through.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const screenshots = fileURLToPath(new URL("../screenshots/", import.meta.url));

/** Narrow telephone, telephone, desk. */
export const WIDTHS = [320, 375, 1280];

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function launch() {
  return chromium.launch({ executablePath: process.env.KEEPWELL_CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

/**
 * A page of a fresh browser profile that remembers what must not happen: messages in the console, errors of scripts, and
 * requests that leave for another host (T44). `settle` fails if any of it happened.
 */
export async function visitor(browser, base, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
  context.on("request", (request) => {
    if (!request.url().startsWith(`${base}/`)) faults.push(`left for ${request.url()}`);
  });
  const settle = (expected = () => false) => {
    const found = faults.splice(0).filter((fault) => !expected(fault));
    assert.deepEqual(found, [], `at ${page.url()}`);
  };
  return { context, page, settle };
}

/** Goes the whole way from the start page to the home page as this person. */
export async function signIn(page, base, name) {
  await page.goto(`${base}/`);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Choose a person" }).click();
  await page.getByRole("button", { name: `Sign in as ${name}` }).click();
  await page.waitForURL(`${base}/home`);
}

/** Opens the list of results and goes to the history of the first result that has at least this many. */
export async function openHistory(page, base, fewest) {
  await page.goto(`${base}/record/test-results`);
  const reports = await page.locator(".kw-card-list a").evaluateAll((links) => links.map((link) => link.href));
  for (const report of reports.slice(0, 12)) {
    await page.goto(report);
    const tests = await page.locator("a[href*='/history/']").evaluateAll((links) => links.map((link) => link.href));
    for (const test of tests) {
      await page.goto(test);
      if ((await page.locator("details tbody tr").count()) >= fewest) return report;
    }
  }
  throw new Error(`no test has ${fewest} results`);
}

/** axe at every width, nothing wider than the screen, and a picture for people to look at. */
export async function inspect(page, name, settle) {
  mkdirSync(screenshots, { recursive: true });
  const before = page.viewportSize();
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    await page.screenshot({ path: `${screenshots}${name}-${width}.png`, fullPage: true });
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wider <= 0, `${name} is ${wider} pixels wider than ${width}`);
    await page.evaluate(axe);
    const found = await page.evaluate(() => {
      const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
      const rules = { "target-size": { enabled: true } };
      return globalThis.axe.run({ runOnly: { type: "tag", values: tags }, rules });
    });
    const violations = found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join(", ")}`);
    assert.deepEqual(violations, [], `${name} at ${width}`);
    assert.ok(found.passes.length > 10, "axe has looked at the page");
  }
  await page.setViewportSize(before);
  settle?.();
}
