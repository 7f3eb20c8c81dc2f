// JSON as a person would lay it out: what fits on a line stays on it.

const width = 100;

export function prettyJson(value: unknown, indent = 0, before = 0): string {
  const flat = inline(value);
  const isContainer = typeof value === "object" && value !== null;
  // The plan itself and its first level are always spread out.
  if (!isContainer || (indent > 0 && indent + before + flat.length < width)) return flat;
  const isList = Array.isArray(value);
  const inner = " ".repeat(indent + 2);
  const items = Object.entries(value).map(([key, item]) => {
    const label = isList ? "" : `${JSON.stringify(key)}: `;
    return `${inner}${label}${prettyJson(item, indent + 2, label.length)}`;
  });
  if (items.length === 0) return flat;
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  return `${open}\n${items.join(",\n")}\n${" ".repeat(indent)}${close}`;
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}: ${inline(item)}`,
  );
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}
