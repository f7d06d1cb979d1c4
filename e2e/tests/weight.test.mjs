// What a first visit costs, counted from what really crosses the wire: compressed bodies and headers of every request.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, openHistory, signIn, visitor } from "../lib/browser.mjs";
import { open } from "../lib/house.mjs";

const KIB = 1024;
let house;
let browser;
let cookies;
let addresses;

before(async () => {
  [house, browser] = await Promise.all([open(), launch()]);
  const { context, page } = await visitor(browser, house.base);
  await signIn(page, house.base, "Parveen Khan");
  const report = await openHistory(page, house.base, 4);
  addresses = { home: `${house.base}/home`, item: report, chart: page.url() };
  cookies = await context.cookies();
  await context.close();
});

after(async () => {
  await browser?.close();
  await house?.close();
});

/** Loads a page with an empty cache; returns bytes and number of requests. */
async function firstVisit(address) {
  const { context, page, settle } = await visitor(browser, house.base);
  await context.addCookies(cookies);
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  const sizes = [];
  session.on("Network.loadingFinished", ({ encodedDataLength }) => sizes.push(encodedDataLength));
  await page.goto(address, { waitUntil: "networkidle" });
  settle();
  await context.close();
  return { bytes: sizes.reduce((sum, size) => sum + size, 0), requests: sizes.length };
}

for (const [name, budget] of [["home", 30], ["item", 30], ["chart", 60]]) {
  test(`a first visit to the ${name} page stays within ${budget} KiB and 6 requests`, async (t) => {
    const { bytes, requests } = await firstVisit(addresses[name]);
    t.diagnostic(`${(bytes / KIB).toFixed(1)} KiB in ${requests} requests`);
    assert.ok(bytes <= budget * KIB, `${bytes} bytes`);
    assert.ok(requests <= 6, `${requests} requests`);
  });
}
