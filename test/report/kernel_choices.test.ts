import { describe, expect, test } from "vitest";
import { kernelChoices, kernelNotices } from "../../src/report/sections/kernel_choices.ts";
import type { KernelChoice } from "../../src/result/result.ts";
import { shownBlocks } from "../support/shown.ts";

function choice(over: Partial<KernelChoice> = {}): KernelChoice {
  return {
    adapter: "gpu0",
    kernel: "matmul",
    dtype: "f32",
    shape: { activation: "none", k: 64, m: 32, n: 48 },
    call: "matmul f32 activation=none k=64 m=32 n=48",
    ranks: [0, 1, 2],
    uses: 12,
    flops: 2 * 64 * 32 * 48,
    variant: "matmul_subgroup TILE_ROWS=16",
    expected: "matmul",
    reason: "tuned",
    variants: 3,
    tried: [
      { variant: "matmul", ms: 0.2, speedup: 1 },
      { variant: "matmul_subgroup TILE_ROWS=16", ms: 0.1, speedup: 2.02 },
      {
        variant: "matmul_subgroup TILE_ROWS=8",
        excluded: "does not compile: no such number\nat 1:1",
      },
    ],
    ...over,
  };
}
function explained(kernel: KernelChoice): string {
  return shownBlocks(kernelChoices({ kernels: [kernel] })).join("\n");
}

describe("the explanation of a kernel's variant", () => {
  test("says what won, by how much, what each variant reached, and which was excluded", () => {
    expect(explained(choice()).split("\n")).toEqual([
      "matmul f32 activation=none k=64 m=32 n=48, 12 uses in a step on gpu0, ranks 0–2",
      "  takes matmul_subgroup TILE_ROWS=16: 2.02× as fast as matmul; 3 of 3 variants",
      "  tried in this run",
      "  variant                        ms          rate     speed",
      "* matmul_subgroup TILE_ROWS=16  0.1  1.97 GFLOP/s     2.02×",
      "  matmul                        0.2   983 MFLOP/s     1.00×",
      "  matmul_subgroup TILE_ROWS=8                      excluded",
      "    does not compile: no such number",
      "",
    ]);
  });

  test("says that there was no choice, or that none was made", () => {
    expect(
      explained(choice({ reason: "only", variant: "matmul", variants: 1, tried: [] })),
    ).toContain("no other variant than its own: matmul on gpu0");
    expect(explained(choice({ reason: "untuned", variant: "matmul", tried: [] }))).toContain(
      "expected to be fastest, none of 3 variants tried",
    );
  });

  test("says that the expected variant stays where nothing beat it", () => {
    expect(explained(choice({ reason: "cached", variant: "matmul" }))).toMatch(
      /nothing beat it clearly; 3 of 3\s+variants tried in earlier runs/,
    );
  });

  test("fits 80 columns", () => {
    const long =
      "matmul_subgroup COLUMNS=4 LANES=16 LOAD_ROWS=8 TILE_ROWS=16 WORKGROUP=64 DEPTH=32 A=1";
    const kernel = choice({ variant: long, tried: [{ variant: long, ms: 1, speedup: 1.5 }] });
    for (const line of explained(kernel).split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe("the notice of a run's kernels", () => {
  test("counts how the variants came about and names every variant that was excluded", () => {
    const kernels = [choice(), choice({ reason: "untuned", tried: [] })];
    expect(shownBlocks(kernelNotices({ kernels }))).toEqual([
      "2 kernel shapes: 1 tuned in this run; 1 untuned, in the variant expected to be",
      "fastest",
      "excluded on gpu0: matmul_subgroup TILE_ROWS=8 at matmul f32 activation=none k=64",
      "m=32 n=48: does not compile: no such number",
    ]);
  });

  test("is empty where no kernel was prepared", () => {
    expect(shownBlocks(kernelNotices({ kernels: [] }))).toEqual([]);
  });
});
