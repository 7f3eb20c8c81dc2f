import { describe, expect, test } from "vitest";
import type { AdapterReport } from "../../src/gpu/adapter.ts";
import { keepDistinct, shadowOf } from "../../src/gpu/distinct_adapters.ts";

function report(name: string, ordinal = 0): AdapterReport {
  return {
    choice: { id: "", name, software: false, loader: "system", ordinal },
    vendor: "nvidia",
    architecture: "",
    device: "",
    driver: "",
    features: [],
    limits: {},
  };
}

async function tagsOf(vendor: string, count: number): Promise<string[]> {
  return Array.from({ length: count }, (_, i) => `${vendor}-${i}`);
}

describe("several GPUs", () => {
  test("control: of different names are all kept, without tags", async () => {
    const reports = [report("A10"), report("L4")];
    expect(await keepDistinct(reports, tagsOf)).toEqual({ distinct: reports, hidden: [] });
  });

  test("that are equal get their tags", async () => {
    const { distinct, hidden } = await keepDistinct(
      [report("A10"), report("L4"), report("A10", 1)],
      tagsOf,
    );
    expect(distinct.map(({ choice }) => choice.pciTag)).toEqual([
      "nvidia-0",
      undefined,
      "nvidia-1",
    ]);
    expect(hidden).toEqual([]);
  });

  test("that are equal and have no tags count once", async () => {
    const { distinct, hidden } = await keepDistinct(
      [report("A10"), report("A10", 1), report("A10", 2)],
      async () => undefined,
    );
    expect(distinct).toEqual([report("A10")]);
    expect(hidden).toEqual([report("A10", 1), report("A10", 2)]);
  });
});

describe("a name", () => {
  test.each([
    ["A10", ["A10"]],
    ["A10", ["L4", "A10", "A100"]],
    ["A100", ["A10", "A100"]],
    ["A10", ["A10", "A10"]],
  ])("control: %s opens its own adapter among %j", (name, names) => {
    expect(shadowOf(name, names)).toBeUndefined();
  });

  test("that is part of an earlier one opens that", () => {
    expect(shadowOf("A10", ["L4", "A100", "A10"])).toBe("A100");
  });
});
