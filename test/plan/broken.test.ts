// Plans broken by hand, each in one way: the code and the place that a reader is sent to.

import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { checkPlan } from "../../src/check/check_plan.ts";
import { readPlan } from "../../src/plan/load.ts";
import { repairPlan } from "../../src/check/repair.ts";

const folder = "test/plan/broken";

const expected: readonly (readonly [file: string, code: string, at: string])[] = [
  ["trailing-comma.json", "not-json", "3:28"],
  ["cut-off.json", "not-json", "3:28"],
  ["single-quotes.json", "not-json", "1:3"],
  ["open-bracket.yaml", "not-yaml", "3:1"],
  ["tab-indent.yaml", "not-yaml", "3:1"],
  ["empty.yaml", "file-empty", "1:1"],
  ["two-plans.yaml", "several-documents", "2:1"],
  ["key-twice.json", "duplicate-key", "4:3"],
  ["list.json", "wrong-type", "1:1"],
  ["no-batch.yaml", "missing-key", "3:11"],
  ["gpus-in-words.json", "wrong-type", "3:25"],
  ["typing-error.yaml", "unknown-key", "3:23"],
  ["negative-batch.yaml", "out-of-range", "4:10"],
  ["per-cent.yaml", "out-of-range", "5:19"],
  ["not-a-number.yaml", "not-finite", "3:20"],
  ["fraction.yaml", "wrong-type", "2:19"],
  ["dtype-unknown.yaml", "invalid-value", "3:30"],
  ["op-unknown.yaml", "invalid-value", "7:15"],
  ["memory-without-unit.yaml", "invalid-value", "2:36"],
  ["no-layers.yaml", "plan-has-no-layers", "1:1"],
  ["tensor-degree.yaml", "group-does-not-divide-heads", "7:10"],
  ["tensor-over-three.yaml", "tensor-degree-does-not-match-group", "8:37"],
  ["too-few-gpus.yaml", "not-enough-gpus", "2:19"],
  ["heads-odd.yaml", "heads-do-not-divide-hidden", "7:10"],
  ["kv-heads.yaml", "kv-heads-do-not-divide-heads", "8:12"],
  ["batch-uneven.yaml", "micro-batches-do-not-divide-batch", "3:37"],
  ["replicas-uneven.yaml", "replicas-do-not-divide-micro-batch", "8:30"],
  ["pipeline-uneven.yaml", "pipeline-does-not-divide-layers", "8:23"],
  ["stages-do-not-sum.yaml", "layers-per-stage-do-not-sum", "8:42"],
  ["interleaved-alone.yaml", "interleaving-needs-pipeline", "8:39"],
  ["context-odd.yaml", "context-does-not-divide-sequence", "8:33"],
  ["sequence-parallel-alone.yaml", "sequence-parallel-needs-tensor", "8:32"],
  ["experts-uneven.yaml", "experts-not-divisible", "8:19"],
  ["top-k.yaml", "top-k-over-experts", "8:28"],
  ["experts-missing.yaml", "expert-degree-without-experts", "8:32"],
  ["recompute-bare.yaml", "full-recompute-needs-method", "3:50"],
  ["memory-small.yaml", "memory-exceeded", "2:36"],
  ["gpu-seven.yaml", "gpu-not-available", "7:75"],
  ["gpu-twice.yaml", "gpu-listed-twice", "7:78"],
  ["column-on-rows.yaml", "column-splits-wrong-dimension", "7:75"],
  ["row-on-columns.yaml", "row-splits-wrong-dimension", "10:72"],
  ["not-gathered.yaml", "column-result-not-gathered", "12:21"],
  ["not-reduced.yaml", "row-result-not-reduced", "8:5"],
  ["source-order.yaml", "communication-source-differs", "15:39"],
  ["misses-gpu.yaml", "communication-misses-gpu", "15:51"],
  ["stranger.yaml", "communication-member-not-in-stage", "15:43"],
  ["reversed.yaml", "communication-reversed", "12:5"],
  ["not-connected.yaml", "stages-not-connected", "5:5"],
  ["circle.yaml", "communication-cycle", "13:5"],
  ["payload.yaml", "communication-payload-differs", "15:68"],
  ["widths.yaml", "dimensions-disagree", "8:27"],
  ["same-name.yaml", "name-used-twice", "8:11"],
  ["after-nothing.yaml", "communication-after-no-stage", "15:66"],
  ["degree-and-list.yaml", "degree-does-not-match-gpus", "7:82"],
  ["kind.yaml", "parallel-kind-does-not-fit-layer", "7:58"],
  ["activation.yaml", "activation-of-partial-sum", "7:50"],
  ["residual-ahead.yaml", "residual-from-no-earlier-layer", "8:42"],
  ["empty-replica.yaml", "replica-without-samples", "7:48"],
  ["broadcast-from-two.yaml", "broadcast-needs-one-source", "12:38"],
];

function errorsOf(text: Awaited<ReturnType<typeof readPlan>>) {
  return [
    ...text.diagnostics,
    ...(text.plan === undefined ? [] : checkPlan(text.plan, text.document)),
  ].filter(({ severity }) => severity === "error");
}

test.each(expected)("%s: %s at %s", async (file, code, at) => {
  const path = `${folder}/${file}`;
  const places = errorsOf(await readPlan(path))
    .filter((each) => each.code === code)
    .map(({ position }) => `${position?.file}:${position?.line}:${position?.column}`);
  expect(places).toContain(`${path}:${at}`);
});

test("every broken plan stands in the table", async () => {
  expect((await readdir(folder)).toSorted()).toEqual(expected.map(([file]) => file).toSorted());
});

/** What no repair can know. */
const hopeless = [
  "list.json",
  "no-batch.yaml",
  "gpus-in-words.json",
  "negative-batch.yaml",
  // It has no layers either.
  "per-cent.yaml",
  "not-a-number.yaml",
  "fraction.yaml",
  "dtype-unknown.yaml",
  "op-unknown.yaml",
  "memory-without-unit.yaml",
  "no-layers.yaml",
];

test("those that load and can be mended are mended", async () => {
  const left: string[] = [];
  for (const [file] of expected) {
    const { document } = await readPlan(`${folder}/${file}`);
    if (document.value !== undefined && repairPlan(document) === undefined) left.push(file);
  }
  expect(left).toEqual(hopeless);
});
