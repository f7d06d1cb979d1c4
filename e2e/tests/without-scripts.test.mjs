// The same way with JavaScript switched off: everything works, because nothing needs it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, openHistory, signIn, visitor } from "../lib/browser.mjs";
import { open } from "../lib/house.mjs";

let house;
let browser;

before(async () => {
  [house, browser] = await Promise.all([open(), launch()]);
});

after(async () => {
  await browser?.close();
  await house?.close();
});

test("a resident does everything without JavaScript", async () => {
  const { context, page, settle } = await visitor(browser, house.base, {
    javaScriptEnabled: false,
    viewport: { width: 375, height: 800 },
  });
  await signIn(page, house.base, "Parveen Khan");
  for (const name of ["Home", "Test results", "Measurements", "Who looked"]) {
    const link = page.getByRole("navigation", { name: "Menu" }).getByRole("link", { name, exact: true });
    assert.ok(await link.isVisible(), `${name} is in the menu`);
  }
  await openHistory(page, house.base, 4);
  await page.getByText("results as a table").click();
  assert.ok(await page.locator("details table").isVisible());
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: /Download these results/ }).click(),
  ]);
  assert.equal(file.suggestedFilename(), "test-results.csv");

  await page.goto(`${house.base}/record/measurements`);
  await page.getByRole("button", { name: "Add a blood pressure reading" }).click();
  await page.getByRole("button", { name: "Save reading" }).click();
  await page.getByRole("heading", { name: "There is a problem" }).waitFor();
  await page.getByLabel("Top number (systolic)").fill("131");
  await page.getByLabel("Bottom number (diastolic)").fill("84");
  await page.getByRole("button", { name: "Save reading" }).click();
  await page.getByRole("alert").getByText("131/84 mmHg").waitFor();
  await page.reload();
  assert.equal(await page.locator("tbody").getByText("131/84 mmHg").count(), 1, "it was added once");

  await page.getByRole("navigation", { name: "Menu" }).getByRole("link", { name: "Who looked" }).click();
  assert.ok((await page.locator(".kw-lines__item").count()) > 3);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${house.base}/signed-out`);
  await page.goto(`${house.base}/home`);
  assert.equal(page.url(), `${house.base}/sign-in`);
  settle((fault) => fault.includes("422"));
  await context.close();
});
