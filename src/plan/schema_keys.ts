// Which keys the schema knows at a place of a plan file, for suggestions.

import { z } from "zod";
import { type Path, valueAt } from "./document.ts";
import { planSchema } from "./schema.ts";

/** Keys of the object at `path`; of a layer, those of its op. Empty where any key may stand. */
export function keysAllowedAt(path: Path, root: unknown): string[] {
  let schema: unknown = planSchema;
  for (const [depth, key] of path.entries()) {
    schema = childOf(chosen(unwrap(schema), valueAt(root, path.slice(0, depth))), key);
  }
  const object = chosen(unwrap(schema), valueAt(root, path));
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function unwrap(schema: unknown): unknown {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodExactOptional
    ? unwrap(schema.unwrap())
    : schema;
}

function childOf(schema: unknown, key: string | number): unknown {
  if (schema instanceof z.ZodArray) return schema.element;
  return schema instanceof z.ZodObject ? schema.shape[key] : undefined;
}

/** Of several layer shapes, the one whose op the value has. */
function chosen(schema: unknown, value: unknown): unknown {
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema;
  const op = valueAt(value, ["op"]);
  return schema.options.find(
    (option) =>
      option instanceof z.ZodObject &&
      option.shape["op"] instanceof z.ZodLiteral &&
      option.shape["op"].value === op,
  );
}
