import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { planJsonSchema } from "../../src/plan/json_schema.ts";

test("configs/plan.schema.json is what the schema says today", async () => {
  const file: unknown = JSON.parse(await readFile("configs/plan.schema.json", "utf8"));
  expect(file).toEqual(JSON.parse(planJsonSchema()));
});
