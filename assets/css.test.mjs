import assert from "node:assert/strict";
import { test } from "node:test";
import postcss from "postcss";
import { logical, prune, reachable, theme, vocabulary, words } from "./css.mjs";
import { symbol } from "./icons.mjs";

const changed = (css, change) => {
  const root = postcss.parse(css);
  change(root);
  return root.toString();
};

test("sides become start and end", () => {
  assert.equal(changed("a{margin-left:1px;left:0;float:right;text-align:left}", logical),
    "a{margin-inline-start:1px;inset-inline-start:0;float:inline-end;text-align:start}");
  assert.equal(changed("a{border-left:1px solid;border-top-right-radius:2px}", logical),
    "a{border-inline-start:1px solid;border-start-end-radius:2px}");
});

test("a shorthand is split only when its sides differ", () => {
  assert.equal(changed("a{padding:1px 2px 3px 4px}", logical), "a{padding-block:1px 3px;padding-inline:4px 2px}");
  assert.equal(changed("a{padding:1px 2px 3px 2px}", logical), "a{padding:1px 2px 3px 2px}");
  assert.equal(changed("a{margin:0 calc(1px + 2px) 0 1px}", logical), "a{margin-block:0;margin-inline:1px calc(1px + 2px)}");
  assert.deepEqual(words("calc(1px + (2px * 3)) 0"), ["calc(1px + (2px * 3))", "0"]);
});

test("corners are split only when left and right differ", () => {
  assert.equal(changed("a{border-radius:0 4px 4px 0}", logical), "a{border-start-start-radius:0;" +
    "border-start-end-radius:4px;border-end-end-radius:4px;border-end-start-radius:0}");
  assert.equal(changed("a{border-radius:4px 4px 0 0}", logical), "a{border-radius:4px 4px 0 0}");
  assert.equal(changed("a{border-radius:4px}", logical), "a{border-radius:4px}");
});

test("a themed colour becomes a custom property with its default", () => {
  const root = postcss.parse("a{border:1px solid #005eb8;color:#fff}b{color:#123456}");
  const probe = postcss.parse("a{border:1px solid #feb000;color:#fff}b{color:#654321}");
  const tokens = theme(root, probe, new Map([["#feb000", "--kw-brand"]]), "kw-shade");
  assert.equal(root.toString(), "a{border:1px solid var(--kw-brand, #005eb8);color:#fff}b{color:var(--kw-shade-1, #123456)}");
  assert.deepEqual(tokens, [["--kw-brand", "#005eb8"], ["--kw-shade-1", "#123456"]]);
});

test("a rule stays when all its classes can occur", () => {
  const known = vocabulary(['<p class="one two tag--{{ colour }}">']);
  for (const selector of [".one", "p.one .two:not(.three)", ".tag--red", "main > p", "[class*=x] .one"]) {
    assert.ok(reachable(selector, known), selector);
  }
  for (const selector of [".three", ".one .three", ".tags"]) assert.ok(!reachable(selector, known), selector);
});

test("pruning leaves no empty rule, unused animation or unused property", () => {
  const css = `:root{--nhsuk-blue-colour:#00f;--nhsuk-breakpoint-tablet:1em}
    .gone,.one{color:red}@media print{.gone{color:red}}@keyframes spin{to{rotate:1turn}}`;
  assert.equal(changed(css, (root) => prune(root, vocabulary(["one"]), "")).trim(), ".one{color:red}");
});

test("an icon keeps its drawing and loses its colour", () => {
  assert.equal(symbol("icon-x", '<svg fill="#212b32" viewBox="0 0 2 2">\n  <path d="M0 0"/>\n</svg>\n'),
    '<symbol id="icon-x" viewBox="0 0 2 2"><path d="M0 0"/></symbol>');
});
