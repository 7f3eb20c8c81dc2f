import { expect, test } from "vitest";
import { infosOf, withDegrees } from "./checked.ts";
import { planFrom } from "../check/judged.ts";

test.each([
  ["fp32", "f32"],
  ["float16", "f16"],
  ["bf16", "f16"],
] as const)("%s runs as %s", (written, dtype) => {
  expect(planFrom(withDegrees({ workload: { dtype: written } })).workload.dtype).toBe(dtype);
});

test("that bfloat16 runs as f16 is said, and takes nothing from verdicts", () => {
  const brain = withDegrees({ workload: { dtype: "bfloat16" } });
  expect(infosOf(brain)).toContain("bf16-as-f16");
  expect(planFrom(brain).notes.map(({ code }) => code)).toEqual(["bf16-as-f16"]);
});
