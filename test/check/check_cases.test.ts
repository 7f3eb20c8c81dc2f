// Plans on which a check is easily wrong, in one direction or the other.

import { expect, test } from "vitest";
import { checkPlan } from "../../src/check/check_plan.ts";
import { parsePlan } from "../../src/plan/load.ts";

function said(text: string) {
  const { plan, document, diagnostics } = parsePlan(text, "plan.yaml");
  const all = plan === undefined ? diagnostics : [...diagnostics, ...checkPlan(plan, document)];
  const codes = (severity: string) =>
    all.flatMap((each) => (each.severity === severity ? [each.code] : []));
  return { errors: codes("error"), warnings: codes("warning"), infos: codes("info"), all };
}

function degrees(gpus: number, workload: string, model: string, parallel: string): string {
  return (
    `name: x\nhardware: { gpus: ${gpus} }\nworkload: { ${workload} }\n` +
    `model: { ${model} }\nparallel: { ${parallel} }\n`
  );
}

function explicit(
  gpus: number,
  stages: readonly string[],
  communication?: string,
  workload = "batch: 4, sequence: 1",
): string {
  return (
    `name: x\nhardware: { gpus: ${gpus} }\nworkload: { ${workload} }\nstages:\n` +
    stages.map((layer, i) => `  - { name: s${i}, layers: [{ ${layer} }] }\n`).join("") +
    (communication === undefined ? "" : `communications: [{ name: c, ${communication} }]\n`)
  );
}

function linear(kind: string, gpus: string, out = 8): string {
  return `op: linear, in: 8, out: ${out}, parallel: { kind: ${kind}, gpus: [${gpus}] }`;
}

const mean = "op: aggregate, over: batch, parallel: { kind: replicated, gpus: [1] }";
const sumOfTwo = "op: all-reduce, from: [0, 2], to: [1], after: s1";

test.each([
  [
    "uneven pipeline stages that sum to the layers",
    degrees(
      3,
      "batch: 4, microBatches: 4, sequence: 16",
      "layers: 7, hidden: 64, heads: 8, ffn: 64",
      "pipeline: 3, layersPerStage: [2, 3, 2]",
    ),
  ],
  [
    "more tensor ranks than key heads, which share them",
    degrees(
      8,
      "batch: 1, sequence: 16",
      "layers: 2, hidden: 64, heads: 8, kvHeads: 2, ffn: 64",
      "tensor: 8",
    ),
  ],
  [
    "expert ranks from tensor and data ranks together",
    degrees(
      8,
      "batch: 8, sequence: 16",
      "layers: 2, hidden: 64, heads: 4, moe: { experts: 8, topK: 2, ffn: 32 }",
      "tensor: 2, data: 4, expert: 8",
    ),
  ],
  [
    "sequence parallelism within a tensor group",
    degrees(
      2,
      "batch: 2, sequence: 16",
      "layers: 2, hidden: 64, heads: 4, ffn: 64",
      "tensor: 2, sequence: true",
    ),
  ],
  [
    "a vocabulary that must be padded",
    degrees(
      2,
      "batch: 1, sequence: 16, dtype: f16",
      "layers: 1, hidden: 64, heads: 4, ffn: 64, vocabulary: 50257",
      "tensor: 2",
    ),
  ],
  ["GPUs by name", explicit(2, [linear("column", '"gpu_0", "gpu_1"')])],
  [
    "a sum from GPUs in another order",
    explicit(
      3,
      [linear("row", "0, 1"), linear("replicated", "2")],
      "op: all-reduce, from: [1, 0], to: [2], after: s0",
    ),
  ],
  [
    "a tensor group whose GPUs are not in order, used alike by both layers",
    explicit(3, [linear("column", "2, 0"), linear("row", "2, 0"), mean], sumOfTwo),
  ],
  [
    "rows scattered to the data replicas of the next layer",
    explicit(
      2,
      [linear("row", "0, 1"), linear("data", "0, 1")],
      "op: reduce-scatter, from: [0, 1], to: [0, 1], after: s0",
    ),
  ],
])("%s: no error", (_name, text) => {
  expect(said(text).errors).toEqual([]);
});

test.each([
  [
    "blocks of columns joined in another order",
    explicit(
      3,
      [linear("column", "0, 1"), linear("replicated", "2")],
      "op: all-gather, from: [1, 0], to: [2], after: s0",
    ),
    ["communication-source-differs"],
  ],
  [
    "a gather that goes also to a GPU without a part in the next stage",
    explicit(
      3,
      [linear("column", "0, 1"), linear("column", "0, 1")],
      "op: all-gather, from: [0, 1], to: [0, 1, 2], after: s0",
    ),
    ["communication-member-not-in-stage"],
  ],
  [
    "a broadcast that goes also to GPUs without a part in the next stage",
    explicit(
      3,
      [linear("replicated", "0"), linear("replicated", "1")],
      "op: broadcast, from: [0], to: [0, 1, 2]",
    ),
    ["communication-member-not-in-stage", "communication-member-not-in-stage"],
  ],
  [
    "widths that disagree",
    explicit(1, [linear("replicated", "0", 16), linear("replicated", "0")]),
    ["dimensions-disagree"],
  ],
  [
    "a batch of one for two replicas",
    degrees(2, "batch: 1, sequence: 16", "layers: 2, hidden: 64, heads: 8, ffn: 64", "data: 2"),
    ["replicas-do-not-divide-micro-batch"],
  ],
  [
    "a schedule for stages that share a GPU, and a result that does not reach the second",
    explicit(
      2,
      [linear("replicated", "0"), linear("column", "0, 1")],
      undefined,
      "batch: 4, microBatches: 2, schedule: 1f1b",
    ),
    ["schedule-needs-pipeline", "stages-not-connected"],
  ],
])("%s: refused", (_name, text, errors) => {
  expect(said(text).errors).toEqual(errors);
});

test("GPUs that degrees leave over are warned of, as servers leave them idle", () => {
  const { errors, warnings } = said(
    degrees(6, "batch: 2, sequence: 16", "layers: 2, hidden: 64, heads: 4, ffn: 64", "tensor: 4"),
  );
  expect(errors).toEqual([]);
  expect(warnings).toEqual(["gpu-unused", "mesh-does-not-divide-gpus"]);
});
