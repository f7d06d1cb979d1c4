// The mechanical steps between what Sass compiles and what a page loads. Each takes a PostCSS tree and changes it in
// place; each is tested in css.test.mjs. None of them may change how a left-to-right page with the default theme looks.

/** Physical properties and their logical twins, so that one sheet serves both directions of writing. */
const LOGICAL = new Map([
  ["left", "inset-inline-start"],
  ["right", "inset-inline-end"],
  ["border-top-left-radius", "border-start-start-radius"],
  ["border-top-right-radius", "border-start-end-radius"],
  ["border-bottom-left-radius", "border-end-start-radius"],
  ["border-bottom-right-radius", "border-end-end-radius"],
]);
for (const box of ["margin", "padding", "scroll-margin", "scroll-padding"]) {
  LOGICAL.set(`${box}-left`, `${box}-inline-start`);
  LOGICAL.set(`${box}-right`, `${box}-inline-end`);
}
for (const part of ["", "-color", "-style", "-width"]) {
  LOGICAL.set(`border-left${part}`, `border-inline-start${part}`);
  LOGICAL.set(`border-right${part}`, `border-inline-end${part}`);
}

/** Keywords that name a side, by the property they appear in. */
const SIDES = {
  "text-align": { left: "start", right: "end" },
  float: { left: "inline-start", right: "inline-end" },
  clear: { left: "inline-start", right: "inline-end" },
};

/** Splits a value at the spaces that are outside brackets: `0 calc(1px + 2px)` has two words. */
export function words(value) {
  return value.match(/(?:[^\s()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))+/g) ?? [];
}

/** Rewrites what speaks of left and right so that it speaks of start and end. */
export function logical(root) {
  root.walkDecls((decl) => {
    const twin = LOGICAL.get(decl.prop);
    if (twin) {
      decl.prop = twin;
      return;
    }
    const side = SIDES[decl.prop]?.[decl.value];
    if (side) {
      decl.value = side;
      return;
    }
    if (decl.prop === "border-radius") return corners(decl);
    if (decl.prop !== "margin" && decl.prop !== "padding") return;
    const [top, right, bottom, left] = words(decl.value);
    if (left === undefined || left === right) return;
    decl.cloneBefore({ prop: `${decl.prop}-block`, value: top === bottom ? top : `${top} ${bottom}` });
    decl.cloneBefore({ prop: `${decl.prop}-inline`, value: `${left} ${right}` });
    decl.remove();
  });
}

/** Splits a `border-radius` whose left and right corners differ. */
function corners(decl) {
  const [topLeft, topRight, bottomRight, bottomLeft = topRight] = words(decl.value);
  if (topRight === undefined || decl.value.includes("/")) return;
  if (topLeft === topRight && (bottomRight ?? topLeft) === bottomLeft) return;
  decl.cloneBefore({ prop: "border-start-start-radius", value: topLeft });
  decl.cloneBefore({ prop: "border-start-end-radius", value: topRight });
  decl.cloneBefore({ prop: "border-end-end-radius", value: bottomRight ?? topLeft });
  decl.cloneBefore({ prop: "border-end-start-radius", value: bottomLeft });
  decl.remove();
}

/** The parts of a value that could be a colour, in order. */
function atoms(value) {
  return value.match(/#[0-9a-f]{3,8}\b|(?:rgba?|hsla?|color)\([^()]*\)|[a-z-]+|[^a-z#]+|#/gi) ?? [];
}

/**
 * Replaces each colour that a theme may change by `var(--token, colour)`.
 *
 * `probe` is the same sheet compiled with a different, unique colour for each token; `tokens` maps those colours to the
 * token's name. Where the probe differs from `root`, the colour came from that token. A colour that differs and is no
 * token's own was derived from one inside a component: it becomes `--<derived>-<n>`, counted by first appearance of its
 * value, and is returned with the others, so that nothing a theme touches is missed.
 *
 * Returns a sorted list of `[token, default]`.
 */
export function theme(root, probe, tokens, derived) {
  const defaults = new Map();
  const names = new Map();
  const others = [];
  probe.walkDecls((decl) => void others.push(decl));
  let index = 0;
  const found = [];
  root.walkDecls((decl) => void found.push(decl));
  if (found.length !== others.length) throw new Error("the probe sheet has other declarations than the default one");
  for (const decl of found) {
    const other = others[index++];
    if (decl.prop !== other.prop) throw new Error(`the probe sheet differs in structure at ${decl.prop}`);
    if (decl.value === other.value) continue;
    const [mine, theirs] = [atoms(decl.value), atoms(other.value)];
    if (mine.length !== theirs.length) throw new Error(`cannot compare "${decl.value}" with "${other.value}"`);
    decl.value = mine
      .map((atom, i) => {
        const seen = theirs[i];
        if (atom === seen) return atom;
        let name = tokens.get(seen.toLowerCase()) ?? names.get(seen);
        if (!name) {
          name = `--${derived}-${names.size + 1}`;
          names.set(seen, name);
        }
        defaults.set(name, atom);
        return `var(${name}, ${atom})`;
      })
      .join("");
  }
  return [...defaults].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Every word that a template or script uses, and every prefix (`nhsuk-tag--`) that it completes at run time. */
export function vocabulary(texts) {
  const used = new Set();
  const prefixes = new Set();
  for (const text of texts) {
    for (const word of text.match(/[A-Za-z_][A-Za-z0-9_-]*/g) ?? []) {
      used.add(word);
      if (word.endsWith("--") && word.length > 4) prefixes.add(word);
    }
  }
  return { used, prefixes: [...prefixes] };
}

/** Whether every class that a selector asks for can occur on a page. */
export function reachable(selector, { used, prefixes }) {
  const asked = selector.replace(/:(?:not|is|where|has)\((?:[^()]|\([^()]*\))*\)/g, "").replace(/\[[^\]]*\]/g, "");
  const classes = asked.match(/\.(?:[A-Za-z0-9_-]|\\.)+/g) ?? [];
  return classes.every((found) => {
    const name = found.slice(1).replaceAll("\\", "");
    return used.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
  });
}

/** Removes rules, animations and custom properties that nothing uses. */
export function prune(root, words, script) {
  root.walkRules((rule) => {
    if (rule.parent.type === "atrule" && rule.parent.name.endsWith("keyframes")) return;
    rule.selectors = rule.selectors.filter((selector) => reachable(selector, words));
    if (rule.selectors.every((selector) => selector === "")) rule.remove();
  });
  root.walkComments((comment) => void comment.remove());
  let text = root.toString() + script;
  root.walkAtRules(/keyframes$/, (rule) => {
    if (!new RegExp(`animation[^;{}]*\\b${rule.params}\\b`).test(text)) rule.remove();
  });
  root.walkDecls(/^--nhsuk-/, (decl) => {
    const family = decl.prop.startsWith("--nhsuk-breakpoint") ? "--nhsuk-breakpoint" : `var(${decl.prop}`;
    if (!(family === "--nhsuk-breakpoint" ? script : text).includes(family)) decl.remove();
  });
  let emptied = true;
  while (emptied) {
    emptied = false;
    root.walk((node) => {
      if ((node.type === "rule" || node.type === "atrule") && node.nodes?.length === 0) {
        node.remove();
        emptied = true;
      }
    });
  }
}
