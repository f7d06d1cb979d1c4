// The thin way through the whole house, as a resident goes it, with scripts.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inspect, launch, openHistory, signIn, visitor } from "../lib/browser.mjs";
import { open } from "../lib/house.mjs";

const PERSON = "Parveen Khan";
let house;
let browser;

before(async () => {
  [house, browser] = await Promise.all([open(), launch()]);
});

after(async () => {
  await browser?.close();
  await house?.close();
});

test("a resident sees results and a chart, adds a reading, finds it and who looked, and signs out", async () => {
  const { context, page, settle } = await visitor(browser, house.base);
  await page.goto(`${house.base}/`);
  await inspect(page, "start", settle);
  await page.goto(`${house.base}/sign-in`);
  await inspect(page, "sign-in", settle);
  await signIn(page, house.base, PERSON);
  await page.getByRole("heading", { level: 1, name: "Your health record" }).waitFor();
  await inspect(page, "home", settle);

  await page.getByRole("link", { name: "Test results", exact: true }).first().click();
  await inspect(page, "test-results", settle);
  const report = await openHistory(page, house.base, 4);
  assert.match(await page.locator("figcaption").innerText(), /^Your .+ (went up|went down|was) .+/);
  assert.equal(await page.getByRole("img").count(), 1, "one of the two drawings is shown");
  await inspect(page, "test-history", settle);
  await page.getByText("results as a table").click();
  assert.ok(await page.locator("details table").isVisible());
  await inspect(page, "test-history-table", settle);
  await page.goto(report);
  await inspect(page, "test-result", settle);

  await page.getByRole("link", { name: "Measurements", exact: true }).first().click();
  await page.getByRole("button", { name: "Add a blood pressure reading" }).click();
  await inspect(page, "add-measurement", settle);
  await page.getByLabel("Top number (systolic)").fill("high");
  await page.getByRole("button", { name: "Save reading" }).click();
  assert.match(await page.title(), /^Error: Add a blood pressure reading/);
  const focused = () => page.evaluate(() => document.activeElement.className);
  assert.match(await focused(), /nhsuk-error-summary/, "the summary of mistakes has the focus");
  settle((fault) => fault.includes("422"));
  await inspect(page, "add-measurement-mistakes", settle);
  await page.getByRole("link", { name: "Enter the bottom number" }).click();
  assert.equal(await page.evaluate(() => document.activeElement.id), "diastolic");

  await page.getByLabel("Top number (systolic)").fill("127");
  await page.getByLabel("Bottom number (diastolic)").fill("81");
  await page.getByLabel("Pulse").fill("69");
  await page.getByRole("button", { name: "Save reading" }).click();
  await page.getByRole("alert").getByText("127/81 mmHg").waitFor();
  assert.match(await page.locator("table tbody tr").first().innerText(), /127\/81 mmHg[\s\S]*You/);
  await inspect(page, "measurements", settle);

  await page.getByRole("link", { name: "Who looked", exact: true }).first().click();
  const lines = await page.locator(".kw-lines__text").allInnerTexts();
  assert.ok(lines.some((line) => /^You looked at \d+ measurements/.test(line)), lines.join("\n"));
  await inspect(page, "activity", settle);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${house.base}/signed-out`);
  await inspect(page, "signed-out", settle);
  assert.deepEqual(await context.cookies(), [], "the browser keeps nothing");
  await context.close();
});

test("the back button shows nothing after signing out", async () => {
  const { context, page, settle } = await visitor(browser, house.base);
  await signIn(page, house.base, PERSON);
  await page.goto(`${house.base}/record/test-results`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${house.base}/signed-out`);
  for (let steps = 0; steps < 5; steps++) {
    await page.goBack();
    // The demonstration's provider names everybody; it is not ours to judge here.
    if (page.url().includes("/demo-id/")) continue;
    const text = await page.locator("body").innerText();
    assert.ok(!text.includes(PERSON), `step ${steps} shows ${page.url()}`);
  }
  settle();
  await context.close();
});

test("a very high reading says at once who to call", async () => {
  const { context, page, settle } = await visitor(browser, house.base);
  await signIn(page, house.base, PERSON);
  await page.goto(`${house.base}/record/measurements/add`);
  await page.getByLabel("Top number (systolic)").fill("185");
  await page.getByLabel("Bottom number (diastolic)").fill("121");
  await page.getByRole("button", { name: "Save reading" }).click();
  await page.getByText("Call 999 if your blood pressure is very high").waitFor();
  await inspect(page, "measurements-very-high", settle);
  await context.close();
});

test("everything can be reached with the keyboard, and the focus can be seen", async () => {
  const { context, page, settle } = await visitor(browser, house.base);
  await signIn(page, house.base, PERSON);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.innerText.trim()), "Skip to main content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "maincontent");
  const reached = [];
  for (let steps = 0; steps < 60; steps++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      const style = getComputedStyle(element);
      const seen = style.outlineStyle !== "none" || style.boxShadow !== "none";
      return element === document.body ? null : { text: element.innerText.trim(), seen };
    });
    if (!at) break;
    assert.ok(at.seen, `the focus cannot be seen on ${at.text}`);
    reached.push(at.text);
  }
  for (const name of ["Test results", "Measurements", "Who looked at my record", "Accessibility statement", "Privacy"]) {
    assert.ok(reached.includes(name), `${name} was not reached: ${reached.join(", ")}`);
  }
  settle();
  await context.close();
});

test("pages that are not there are explained, and errors pass the same checks", async () => {
  const { context, page, settle } = await visitor(browser, house.base);
  await page.goto(`${house.base}/no-such-page`);
  settle((fault) => fault.includes("404"));
  await page.getByRole("heading", { level: 1, name: "Page not found" }).waitFor();
  await inspect(page, "error-404", settle);
  for (const path of ["/timed-out", "/accessibility", "/privacy"]) {
    await page.goto(house.base + path);
    await inspect(page, path.slice(1), settle);
  }
  await context.close();
});
