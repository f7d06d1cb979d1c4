// JSON with the text of its numbers: JavaScript's own reader takes 1.0 and 1 for the same.

/** A string or a number. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Reads JSON; a number becomes an object that holds its text. */
export const parse = (text) => JSON.parse(text.replace(TOKEN, (it) => (it[0] === '"' ? it : `{"#":"${it}"}`)));

/** A copy in which each text `reference` is what `rewrite` makes of it. */
export function withReferences(value, rewrite) {
  if (Array.isArray(value)) return value.map((it) => withReferences(it, rewrite));
  if (value === null || typeof value !== "object") return value;
  const members = Object.entries(value).map(([name, it]) => [
    name,
    name === "reference" && typeof it === "string" ? rewrite(it) : withReferences(it, rewrite),
  ]);
  return Object.fromEntries(members);
}

/** A resource without what a server gives it: id, version and time. */
export function content({ id: _, meta, ...resource }) {
  const { versionId: _version, lastUpdated: _time, ...kept } = meta ?? {};
  return Object.keys(kept).length > 0 ? { ...resource, meta: kept } : resource;
}
