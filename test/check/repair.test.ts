import { readFile } from "node:fs/promises";
import * as fc from "fast-check";
import { applyPatch } from "rfc6902";
import { expect, test } from "vitest";
import { checkPlan, hasErrors, inspect } from "../../src/check/check_plan.ts";
import { parsePlan, readPlan } from "../../src/plan/load.ts";
import { repairPlan } from "../../src/check/repair.ts";
import { divisorAtMost } from "../../src/plan/divisors.ts";
import { lower } from "../../src/program/lower.ts";
import { degreesPlan, withDegrees } from "../plan/checked.ts";

function repaired(text: string, file = "plan.json") {
  const repair = repairPlan(parsePlan(text, file).document);
  if (repair === undefined) throw new Error("expected a repair");
  const { plan, document } = parsePlan(repair.text, file);
  if (plan === undefined) throw new Error("the repaired text must load");
  expect(plan).toEqual(repair.plan);
  expect(hasErrors(checkPlan(plan, document))).toBe(false);
  return { ...repair, document };
}

test("the original of the expert-parallel plan becomes its corrected form, value for value", async () => {
  const original = await readFile("configs/moe-ep3-tp2.original.json", "utf8");
  const { text, repairs } = repaired(original, "configs/moe-ep3-tp2.original.json");
  const { tensor_parallel_distribution } = JSON.parse(text);
  // As text, so that the order of keys counts.
  expect(JSON.stringify(tensor_parallel_distribution)).toBe(
    JSON.stringify({
      gpu_0_gpu_1: {
        attention_qkv: ["q_proj_0", "k_proj_0", "v_proj_0", "q_proj_1", "k_proj_1", "v_proj_1"],
        attention_output: ["out_proj_0", "out_proj_1"],
        mlp_layers: ["fc1_0", "fc2_0", "fc1_1", "fc2_1"],
      },
    }),
  );
  expect(repairs.map(({ rule }) => rule)).toContain("tensor-degree-does-not-match-group");
  expect(repairs[0]?.description).toContain("needs exactly 2 GPUs, but 3 are listed");
  const corrected = JSON.parse(await readFile("configs/moe-ep3-tp2.json", "utf8"));
  expect({ ...JSON.parse(text), description: "" }).toEqual({ ...corrected, description: "" });
});

function aroundDistribution(all: string) {
  const start = all.indexOf('"tensor_parallel_distribution"');
  return [all.slice(0, start), all.slice(all.indexOf('"optimizations"'))];
}

test("nothing but the distribution changes in the text", async () => {
  const original = await readFile("configs/moe-ep3-tp2.original.json", "utf8");
  const { text } = repaired(original);
  expect(aroundDistribution(text)).toEqual(aroundDistribution(original));
});

function fiveGpus(modules: (shard: number) => string[], last: string[]) {
  return withDegrees({
    hardware: { gpus: 5 },
    parallel: { tensor: 4, expert: 4 },
    model: { moe: { experts: 8 } },
    tensor_parallel_distribution: {
      gpu_1: modules(0),
      gpu_2: modules(1),
      gpu_3: modules(2),
      gpu_4: modules(3),
      gpu_0: last,
    },
  });
}

test("tensor parallelism of 4 over five GPUs with other module names is repaired likewise", () => {
  const plan = fiveGpus(
    (shard) => [`self_attn_qkv_${shard}`, `ffn_up_${shard}`, `ffn_down_${shard}`],
    ["self_attn_out_0", "ffn_out_3"],
  );
  const { text, plan: mended } = repaired(JSON.stringify(plan, undefined, 2));
  const shards = [0, 1, 2, 3];
  expect(JSON.parse(text).tensor_parallel_distribution).toEqual({
    gpu_1_gpu_2_gpu_3_gpu_4: {
      self_attn_qkv: shards.flatMap((s) => [`q_proj_${s}`, `k_proj_${s}`, `v_proj_${s}`]),
      self_attn_output: shards.map((s) => `out_proj_${s}`),
      ffn_layers: shards.flatMap((s) => [`up_${s}`, `down_${s}`]),
    },
  });
  expect(mended.stages[0]?.layers[0]?.groups).toEqual([[1, 2, 3, 4]]);
});

test("projections that are named one by one, and parts of their own, are kept", () => {
  const plan = fiveGpus(
    (s) => [`attn_q_proj_${s}`, `attn_k_proj_${s}`, `attn_v_proj_${s}`, `attn_rope_${s}`],
    ["mlp_gate_0", "mlp_up_0", "mlp_down_0"],
  );
  const { text } = repaired(JSON.stringify(plan));
  const group = JSON.parse(text).tensor_parallel_distribution.gpu_1_gpu_2_gpu_3_gpu_4;
  expect(Object.keys(group)).toEqual(["attn_qkv", "attn_rope", "mlp_layers"]);
  expect(group.mlp_layers.slice(0, 6)).toEqual([
    "gate_0",
    "up_0",
    "down_0",
    "gate_1",
    "up_1",
    "down_1",
  ]);
});

test("a group form over too many GPUs keeps its parts and loses the surplus shards", () => {
  const plan = withDegrees({
    hardware: { gpus: 3 },
    tensor_parallel_distribution: {
      gpu_0_gpu_1_gpu_2: { mlp_layers: ["fc1_0", "fc2_0", "fc1_1", "fc2_1", "fc1_2", "fc2_2"] },
    },
  });
  const { text } = repaired(JSON.stringify(plan));
  expect(JSON.parse(text).tensor_parallel_distribution).toEqual({
    gpu_0_gpu_1: { mlp_layers: ["fc1_0", "fc2_0", "fc1_1", "fc2_1"] },
  });
});

function withGroup(tensorGroup: number[], more = {}) {
  return JSON.stringify(
    withDegrees({
      hardware: { gpus: 3 },
      parallel: { tensor: 2, expert: 2, tensorGroup },
      ...more,
    }),
  );
}

test("tensorGroup is cut to the degree, and brought in line with the distribution", () => {
  expect(JSON.parse(repaired(withGroup([2, 0, 1])).text).parallel.tensorGroup).toEqual([2, 0]);
  const tensor_parallel_distribution = { gpu_0: ["mlp_up_0"], gpu_1: ["mlp_up_1"] };
  const contradicted = repaired(withGroup([1, 2], { tensor_parallel_distribution }));
  expect(JSON.parse(contradicted.text).parallel.tensorGroup).toEqual([0, 1]);
  expect(contradicted.repairs.map(({ rule }) => rule)).toEqual([
    "tensor-group-contradicts-distribution",
  ]);
});

test("YAML stays YAML and keeps its comments", () => {
  const text = `# what this plan is
name: x # a name
hardware: { gpus: 3 }
workload: { batch: 4 }
model: { layers: 1, hidden: 16, heads: 4 }
parallel: { tensor: 2 } # the degree
tensor_parallel_distribution:
  gpu_0: [attention_qkv_0, mlp_fc1_0, mlp_fc2_0]
  gpu_1: [attention_qkv_1, mlp_fc1_1, mlp_fc2_1]
  gpu_2: [attention_out_0, mlp_out_1]
# what it promises
claims: { gpuUtilization: 0.5 }
`;
  const { text: mended, document } = repaired(text, "plan.yaml");
  for (const comment of ["# what this plan is", "# a name", "# the degree", "# what it promises"]) {
    expect(mended).toContain(comment);
  }
  expect(document.written?.tensor_parallel_distribution).toMatchObject({
    gpu_0_gpu_1: { attention_output: ["out_proj_0", "out_proj_1"] },
  });
});

function asDocument(plan: unknown) {
  return parsePlan(JSON.stringify(plan), "p.json").document;
}

test("a sound plan needs no repair, and a hopeless one gets none", async () => {
  expect(repairPlan((await readPlan("configs/moe-ep3-tp2.json")).document)).toBeUndefined();
  expect(repairPlan(asDocument(degreesPlan))).toBeUndefined();
  expect(repairPlan(asDocument({ name: 3 }))).toBeUndefined();
});

test("a model with what no layer runs is mended, but not into stages that would lose that", () => {
  const linear = JSON.parse(threeForTwo(6));
  linear.model.otherMixers = [{ layers: 1, parameters: 64 }];
  const textsOf = (plan: unknown): string[] => {
    const { text = "", alternatives = [] } = repairPlan(asDocument(plan)) ?? {};
    return [text, ...alternatives.map((each) => each.text)];
  };
  const isStages = (text: string) => text.includes('"stages"');
  expect(textsOf(JSON.parse(threeForTwo(6))).some(isStages)).toBe(true);
  const mended = textsOf(linear);
  expect(mended.every((text) => text.includes("otherMixers") && !isStages(text))).toBe(true);
});

test("an estimate that is there already changes nothing about a repair", () => {
  const text = JSON.stringify({ ...JSON.parse(threeForTwo(6)), parallel: { tensor: 2 } });
  const misspelt = text.replace('"gpus":3', '"gpus":2,"gpu":"H100-SXMM"');
  const { plan, document } = parsePlan(misspelt, "p.json");
  if (plan === undefined) throw new Error("a plan whose GPU is misspelt has a meaning");
  const { estimate } = inspect(plan, document);
  expect(estimate).toBeDefined();
  expect(repairPlan(document, estimate)?.repairs).toHaveLength(1);
  expect(repairPlan(document, estimate)).toEqual(repairPlan(document));
});

function codesLeft(text: string, file = "p.json"): string[] {
  const { plan, document, diagnostics } = parsePlan(text, file);
  const all = plan === undefined ? diagnostics : [...diagnostics, ...checkPlan(plan, document)];
  return all.flatMap(({ severity, code }) => (severity === "error" ? [code] : []));
}

function threeForTwo(heads: number, layers = 3) {
  return JSON.stringify({
    name: "three for two",
    hardware: { gpus: 3 },
    workload: { batch: 4, microBatches: 2, sequence: 4 },
    model: { layers, hidden: 48, heads, ffn: 96 },
    parallel: { tensor: 2, tensorGroup: [0, 1, 2] },
  });
}

test("three GPUs for a tensor degree of 2: use two, or split in three, or a stage on the third", () => {
  const repair = repairPlan(parsePlan(threeForTwo(6), "p.json").document);
  expect(repair?.repairs[0]).toMatchObject({
    rule: "tensor-degree-does-not-match-group",
    patch: [{ op: "replace", path: "/parallel/tensorGroup", value: [0, 1] }],
    consequence: expect.stringContaining("GPU 2 takes no part"),
  });
  const [wider, staged] = repair?.alternatives ?? [];
  expect(wider?.patch).toContainEqual({ op: "replace", path: "/parallel/tensor", value: 3 });
  expect(
    JSON.parse(staged?.text ?? "").stages.map(({ layers }: { layers: unknown[] }) => layers.length),
  ).toEqual([12, 6]);
  expect(staged?.consequence).toContain("bubble");
  for (const { text } of repair?.alternatives ?? []) expect(codesLeft(text)).toEqual([]);
});

test("a tensor degree that divides no sizes is no alternative, nor is a stage for one layer", () => {
  const described = (text: string) =>
    repairPlan(parsePlan(text, "p.json").document)
      ?.alternatives.map(({ description }) => description)
      .join("\n");
  expect(described(threeForTwo(4))).not.toContain("parallel.tensor is now 3");
  expect(described(threeForTwo(4))).toContain("pipeline stage of its own");
  expect(described(threeForTwo(4, 1))).not.toContain("pipeline stage of its own");
});

test("the patch is of the file's value, by any RFC 6902 library, and the text is its result", () => {
  const broken = withDegrees({
    workload: { batch: 6, microBatches: 4 },
    model: { heads: 6, moe: { experts: 7, topK: 9 } },
  });
  const repair = repairPlan(asDocument(broken));
  const value: unknown = structuredClone(broken);
  expect(applyPatch(value, [...(repair?.patch ?? [])])).toEqual(
    (repair?.patch ?? []).map(() => null),
  );
  expect(JSON.parse(repair?.text ?? "")).toEqual(value);
  expect(repair?.patch.length).toBeGreaterThan(2);
});

test("misspelt keys are renamed in place, numbers in quotes unquoted", () => {
  const text = `{ "nmae": "x", "hardware": { "gpus": "2" }, "workload": { "batch": 4 },
  "model": { "layers": 1, "hidden": 16, "heads": 4 }, "parallel": { "tensr": 2 } }`;
  const repair = repairPlan(parsePlan(text, "p.json").document);
  expect(repair?.text).toBe(
    text.replace('"nmae"', '"name"').replace('"2"', "2").replace('"tensr"', '"tensor"'),
  );
});

test("in YAML a communication is added, and comments stay", () => {
  const text = `name: x # the name
hardware: { gpus: 2 }
workload:
  batch: 4
stages:
  - name: a
    layers: [{ op: linear, in: 4, out: 4, parallel: { kind: column, gpus: [0, 1] } }] # split
  - name: b
    layers: [{ op: linear, in: 4, out: 4, parallel: { kind: replicated, gpus: [0] } }]
`;
  const repair = repairPlan(parsePlan(text, "p.yaml").document);
  expect(repair?.text).toContain("# the name");
  expect(repair?.text).toContain("# split");
  expect(codesLeft(repair?.text ?? "", "p.yaml")).toEqual([]);
  expect(repair?.plan.communications).toMatchObject([{ op: "all-gather", from: [0, 1], to: [0] }]);
});

const anyPlan = fc.record({
  gpus: fc.integer({ min: 1, max: 6 }),
  batch: fc.integer({ min: 1, max: 12 }),
  microBatches: fc.integer({ min: 1, max: 5 }),
  layers: fc.integer({ min: 1, max: 5 }),
  hidden: fc.integer({ min: 4, max: 40 }),
  heads: fc.integer({ min: 1, max: 9 }),
  experts: fc.integer({ min: 1, max: 7 }),
  topK: fc.integer({ min: 1, max: 3 }),
  tensor: fc.integer({ min: 1, max: 4 }),
  pipeline: fc.integer({ min: 1, max: 3 }),
  data: fc.integer({ min: 1, max: 2 }),
  expert: fc.integer({ min: 1, max: 3 }),
  group: fc.option(fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 })),
  vocabulary: fc.option(fc.integer({ min: 1, max: 99 })),
});

test("whatever is repaired passes the check, and so does every alternative", () => {
  let broken = 0;
  let mended = 0;
  fc.assert(
    fc.property(anyPlan, (p) => {
      const text = JSON.stringify({
        name: "p",
        hardware: { gpus: p.gpus },
        workload: { batch: p.batch, microBatches: p.microBatches },
        model: {
          layers: p.layers,
          hidden: p.hidden,
          heads: p.heads,
          moe: { experts: p.experts, topK: p.topK, dense: true },
          ...(p.vocabulary === null ? {} : { vocabulary: p.vocabulary }),
        },
        parallel: {
          tensor: p.tensor,
          pipeline: p.pipeline,
          data: p.data,
          expert: p.expert,
          ...(p.group === null ? {} : { tensorGroup: p.group }),
        },
      });
      const before = codesLeft(text).length;
      const repair = repairPlan(parsePlan(text, "p.json").document);
      broken += before > 0 ? 1 : 0;
      expect(before > 0 || repair === undefined).toBe(true);
      if (repair === undefined) return;
      mended += 1;
      expect(codesLeft(repair.text)).toEqual([]);
      expect(lower(repair.plan).ranks).toHaveLength(repair.plan.hardware.gpus);
      for (const { text: other } of repair.alternatives) {
        expect(codesLeft(other)).toEqual([]);
        const { plan } = parsePlan(other, "p.json");
        expect(plan && lower(plan).ranks).toHaveLength(plan?.hardware.gpus ?? 0);
      }
    }),
    { numRuns: 150, seed: 1 },
  );
  expect(broken).toBeGreaterThan(50);
  expect(mended / broken).toBeGreaterThan(0.9);
});

test("a degree far beyond the GPUs is lowered, and the model stays", () => {
  const written = withDegrees({
    hardware: { gpus: 2 },
    model: { heads: 4, ffn: 64, moe: { experts: 3, topK: 2, dense: true } },
    parallel: { tensor: 65_536, expert: 65_536 },
  });
  const { plan } = repaired(JSON.stringify(written));
  expect(plan).toMatchObject({ hardware: { gpus: 2 }, model: { heads: 4, ffn: 64 } });
});

test("the largest divisor is found without trying each number", () => {
  expect(divisorAtMost(2_147_483_646, 2_147_483_645)).toBe(1_073_741_823);
  expect(divisorAtMost(2_147_483_647, 2_147_483_646)).toBe(1);
  expect(divisorAtMost(60, 14)).toBe(12);
  expect(divisorAtMost(60, 60)).toBe(60);
});
