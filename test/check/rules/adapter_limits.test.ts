import { expect, test } from "vitest";
import { checkPlan } from "../../../src/check/check_plan.ts";
import { buffersAreWithinLimits } from "../../../src/check/rules/sizes/buffer_exceeds_adapter_limit.ts";
import { linear, stages } from "../../plan/checked.ts";
import { planFrom } from "../judged.ts";

test("buffers are held against an adapter's limits", () => {
  const written = stages(1, [[linear(64, 64, { kind: "replicated", gpus: [0] })]]);
  const plan = planFrom(written);
  const bytes = 64 * 64 * 4;
  const codes = (maxBufferSize: number, maxStorageBufferBindingSize: number) =>
    buffersAreWithinLimits
      .ofAdapter?.(plan, { maxBufferSize, maxStorageBufferBindingSize })
      .map(({ code }) => code);
  expect(codes(bytes, bytes)).toEqual(["buffers-fit-adapter"]);
  expect(codes(bytes, bytes - 1)).toEqual(["buffer-exceeds-adapter-limit"]);
  expect(codes(bytes - 1, bytes)).toEqual(["buffer-exceeds-adapter-limit"]);
  const adapter = { maxBufferSize: 1, maxStorageBufferBindingSize: 1 };
  expect(checkPlan(plan, undefined, { adapter })[0]?.code).toBe("buffer-exceeds-adapter-limit");
});
