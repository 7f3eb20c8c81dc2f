// The plan format as JSON Schema, for editors; `configs/plan.schema.json` is its text.

import { z } from "zod";
import { planSchema } from "./schema.ts";

/** The text of the schema file. */
export function planJsonSchema(): string {
  const schema = z.toJSONSchema(planSchema, { io: "input" });
  return `${JSON.stringify({ ...schema, title: "Shardbench plan" }, undefined, 2)}\n`;
}
