// The icon sprite: a hidden SVG that a page carries once and refers to with <use href="#icon-tick">.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const PREFIX = "nhsuk-icon-";

/** Gathers the icons that some page refers to; the pictures that carry the NHS brand are never among them. */
export function sprite(folder, texts) {
  const symbols = readdirSync(folder)
    .filter((file) => file.startsWith(PREFIX) && file.endsWith(".svg") && file !== "nhsuk-icon-mask.svg")
    .sort()
    .map((file) => [`icon-${file.slice(PREFIX.length, -".svg".length)}`, join(folder, file)])
    .filter(([id]) => texts.some((text) => new RegExp(`#${id}(?![a-z0-9-])`).test(text)))
    .map(([id, path]) => symbol(id, readFileSync(path, "utf8")));
  if (symbols.length === 0) return "";
  return `<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0" hidden aria-hidden="true">${symbols.join("")}</svg>\n`;
}

/** One icon as a symbol: its drawing and view box, without the colour and size that the page decides. */
export function symbol(id, svg) {
  const box = svg.match(/viewBox="([^"]+)"/)?.[1];
  const body = svg.match(/<svg[^>]*>([\s\S]*)<\/svg>/)?.[1];
  if (!box || body === undefined) throw new Error(`${id} is not an icon`);
  return `<symbol id="${id}" viewBox="${box}">${body.replace(/\s*\n\s*/g, "")}</symbol>`;
}
