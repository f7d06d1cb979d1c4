// Builds what a browser loads: one stylesheet, one script, the icons. Run by `cargo xtask assets`.
//
//   node build.mjs SOURCE OUT
//
// SOURCE is the portal crate (its styles/, scripts/, static/, templates/ and src/), OUT the folder that the crate embeds.
// The same inputs give the same bytes, on any machine: nothing here reads a clock, and file lists are sorted.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import postcss from "postcss";
import * as sass from "sass";
import { logical, prune, theme, vocabulary } from "./css.mjs";
import { sprite } from "./icons.mjs";

const [source, out] = process.argv.slice(2).map((path) => resolve(path));
if (!source || !out) {
  console.error("usage: node build.mjs SOURCE OUT");
  process.exit(2);
}
const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const nhsuk = join(modules, "nhsuk-frontend", "dist");

/** Never a font from somebody else's host, and never one that we may not ship. */
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif';

/** The Sass settings that a city's theme may change. Each becomes the custom property `--kw-<name>`. */
const THEMED = [
  "brand",
  "link",
  "link-hover",
  "link-visited",
  "link-active",
  "button",
  "button-text",
  "button-hover",
  "button-active",
  "button-shadow",
  "secondary-button-border",
  "secondary-button-text",
  "secondary-button-hover",
  "secondary-button-active",
  "secondary-button-shadow",
  "reverse-secondary-text",
  "reverse-border",
  "reverse-hover",
  "reverse-target-hover",
];

/** Every file below a folder, sorted; an absent folder has none. */
function files(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Compiles nhsuk-frontend and our own sheets, with the given settings. */
function compile(settings) {
  const configuration = Object.entries(settings).map(([name, value]) => `$nhsuk-${name}: ${value}`);
  const entry = `@use "nhsuk/index" with (${configuration.join(", ")});\n@use "keepwell";\n`;
  const { css } = sass.compileString(entry, {
    charset: false,
    loadPaths: [join(source, "styles"), nhsuk],
    quietDeps: true,
    style: "expanded",
  });
  return postcss.parse(css);
}

async function script() {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: source,
    bundle: true,
    entryPoints: ["scripts/app.mjs"],
    format: "esm",
    legalComments: "none",
    minify: true,
    nodePaths: [modules],
    target: ["es2020"],
    write: false,
  });
  return outputFiles[0].text;
}

async function stylesheet(words, bundle) {
  const fixed = { "font-family": `(${FONT})`, "include-font-face": "false" };
  const root = compile(fixed);
  const probes = new Map(THEMED.map((name, i) => [`#fe${(0xb000 + i * 17).toString(16)}`, `--kw-${name}`]));
  const colours = Object.fromEntries([...probes].map(([colour, name]) => [`${name.slice(5)}-colour`, colour]));
  const tokens = theme(root, compile({ ...fixed, ...colours }), probes, "kw-shade");
  logical(root);
  prune(root, words, bundle);
  const kept = root.toString();
  const { code } = await esbuild.transform(kept, { loader: "css", minify: true, legalComments: "none" });
  for (const foreign of ["assets.nhs.uk", "Frutiger"]) {
    if (code.includes(foreign)) throw new Error(`the stylesheet still names ${foreign}`);
  }
  return { code, tokens: tokens.filter(([name]) => code.includes(`var(${name},`)) };
}

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
};

const written = new Set();
/** Writes a file only if it would change, so that Cargo rebuilds the portal only when it must. */
function put(name, content) {
  const path = join(out, name);
  const bytes = Buffer.from(content);
  if (!existsSync(path) || !readFileSync(path).equals(bytes)) writeFileSync(path, bytes);
  written.add(name);
}

/** Writes a file under a name that holds its hash, with compressed copies beside it; returns its manifest line. */
function publish(role, name, content) {
  const bytes = Buffer.from(content);
  const extension = extname(name);
  const type = TYPES[extension];
  if (!type) throw new Error(`no content type is known for ${name}`);
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  const hashed = `${basename(name, extension)}.${hash}${extension}`;
  put(hashed, bytes);
  put(`${hashed}.gz`, gzipSync(bytes, { level: 9 }));
  const quality = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  put(`${hashed}.br`, brotliCompressSync(bytes, { params: quality }));
  return ["file", role, hashed, type].join("\t");
}

mkdirSync(out, { recursive: true });
const bundle = await script();
const pages = [...files(join(source, "templates")), ...files(join(source, "src")).filter((path) => path.endsWith(".rs"))];
const texts = pages.map((path) => readFileSync(path, "utf8"));
const sheet = await stylesheet(vocabulary([...texts, bundle]), bundle);
const lines = [publish("stylesheet", "app.css", sheet.code), publish("script", "app.js", bundle)];
for (const path of files(join(source, "static"))) {
  const name = basename(path);
  lines.push(publish(basename(name, extname(name)), name, readFileSync(path)));
}
for (const [token, colour] of sheet.tokens) lines.push(["token", token, colour].join("\t"));
put("icons.svg", sprite(join(nhsuk, "nhsuk", "assets", "images"), texts));
put("manifest.txt", `${lines.join("\n")}\n`);
for (const path of files(out)) {
  if (!written.has(basename(path))) rmSync(path);
}
const sizes = [["css", sheet.code], ["js", bundle]].map(([name, text]) => `${name} ${Buffer.byteLength(text)} B`);
console.log(`assets: ${sizes.join(", ")}, ${sheet.tokens.length} theme tokens`);
