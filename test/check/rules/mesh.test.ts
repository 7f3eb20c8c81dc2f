import { expect, test } from "vitest";
import { parsePlan } from "../../../src/plan/load.ts";
import {
  errorsOf,
  found,
  infosOf,
  linear,
  stages,
  warningsOf,
  withDegrees,
} from "../../plan/checked.ts";

function parallel(more: object, workload: object = {}) {
  return withDegrees({
    parallel: { tensor: 2, expert: 2, ...more },
    workload: { batch: 4, ...workload },
  });
}

test.each([
  [8, []],
  [10, ["context-does-not-divide-sequence"]],
  [12, []],
])("a sequence of %i over context 2", (sequence, codes) => {
  const plan = withDegrees({
    hardware: { gpus: 4 },
    workload: { sequence },
    parallel: { context: 2 },
  });
  expect(errorsOf(plan)).toEqual(codes);
  expect(warningsOf(plan)).not.toContain("checked-but-not-run");
});

test("experts with a capacity need whole sequences on a rank", () => {
  const plan = withDegrees({
    hardware: { gpus: 4 },
    workload: { sequence: 8 },
    model: { moe: { experts: 6, topK: 2, capacityFactor: 1 } },
    parallel: { context: 2 },
  });
  expect(warningsOf(plan)).toContain("checked-but-not-run");
});

test("sequence parallelism needs a tensor group, and shares a sequence evenly", () => {
  expect(errorsOf(parallel({ sequence: true }, { sequence: 6 }))).toEqual([]);
  expect(errorsOf(parallel({ sequence: true }, { sequence: 7 }))).toEqual([
    "tensor-does-not-divide-sequence",
  ]);
  const alone = withDegrees({
    hardware: { gpus: 1 },
    parallel: { tensor: 1, expert: 1, sequence: true },
  });
  expect(errorsOf(alone)).toEqual(["sequence-parallel-needs-tensor"]);
});

test("sequence parallelism is run, but not beside communication overlap", () => {
  const overlapping = (more: object) => ({
    ...(parallel(more, { sequence: 6 }) as object),
    optimizations: ["fused-attention", "communication-overlap"],
  });
  expect(warningsOf(parallel({ sequence: true }, { sequence: 6 }))).not.toContain(
    "checked-but-not-run",
  );
  expect(warningsOf(overlapping({}))).not.toContain("checked-but-not-run");
  expect(found(overlapping({ sequence: true }), "checked-but-not-run")?.path).toEqual([
    "optimizations",
    1,
  ]);
});

function piped(more: object, microBatches = 4, layers = 8) {
  return withDegrees({
    hardware: { gpus: 4 },
    model: { layers },
    workload: { batch: 8, microBatches },
    parallel: { tensor: 2, pipeline: 2, expert: 2, ...more },
  });
}

test("layersPerStage names every stage and sums to the layers", () => {
  expect(errorsOf(piped({ layersPerStage: [3, 5] }))).toEqual([]);
  expect(errorsOf(piped({ layersPerStage: [3, 4] }))).toEqual(["layers-per-stage-do-not-sum"]);
  expect(errorsOf(piped({ layersPerStage: [3, 6] }))).toEqual(["layers-per-stage-do-not-sum"]);
  expect(errorsOf(piped({ layersPerStage: [8] }))).toEqual([
    "layers-per-stage-differs-from-pipeline",
  ]);
  expect(errorsOf(piped({ layersPerStage: [3, 4] }, 4, 7))).toEqual([]);
  const { plan } = parsePlan(JSON.stringify(piped({ layersPerStage: [3, 5] })), "p.json");
  const attention = plan?.stages.map(
    (stage) => stage.layers.filter(({ op }) => op === "attention").length,
  );
  expect(attention).toEqual([3, 5]);
});

test("interleaving divides a stage's layers, needs a pipeline and enough micro-batches", () => {
  expect(errorsOf(piped({ virtualStages: 2 }))).toEqual([]);
  expect(errorsOf(piped({ virtualStages: 3 }))).toEqual(["virtual-stages-do-not-divide-layers"]);
  expect(errorsOf(piped({ virtualStages: 4 }))).toEqual([]);
  expect(errorsOf(piped({ virtualStages: 2 }, 2))).toEqual([]);
  expect(errorsOf(piped({ virtualStages: 2 }, 1))).toEqual(["interleaving-needs-micro-batches"]);
  expect(errorsOf(parallel({ virtualStages: 2 }))).toEqual(["interleaving-needs-pipeline"]);
  expect(errorsOf(parallel({ virtualStages: 1 }))).toEqual([]);
});

function recompute(written: object, mode = "training") {
  return withDegrees({ workload: { mode, recompute: written } });
}

test("full recomputation names method and layers, selective neither", () => {
  expect(errorsOf(recompute({ granularity: "full", method: "uniform", layers: 1 }))).toEqual([]);
  expect(errorsOf(recompute({ granularity: "full", method: "uniform" }))).toEqual([
    "full-recompute-needs-method",
  ]);
  expect(errorsOf(recompute({ granularity: "full", layers: 1 }))).toEqual([
    "full-recompute-needs-method",
  ]);
  expect(errorsOf(recompute({ granularity: "selective" }))).toEqual([]);
  expect(errorsOf(recompute({ granularity: "selective", layers: 1 }))).toEqual([
    "selective-recompute-takes-no-method",
  ]);
});

test("recomputation is of layers that are there, in training", () => {
  const of = (layers: number) => recompute({ granularity: "full", method: "block", layers });
  expect(errorsOf(of(2))).toEqual([]);
  expect(errorsOf(of(3))).toEqual(["recompute-exceeds-layers"]);
  expect(warningsOf(of(2))).not.toContain("recompute-without-training");
  expect(warningsOf(recompute({ granularity: "selective" }, "inference"))).toContain(
    "recompute-without-training",
  );
});

test.each([
  [254, []],
  [256, []],
  [258, ["vocabulary-not-padded"]],
  [512, []],
  // A third of what is computed is padding.
  [171, ["vocabulary-padded"]],
])("a vocabulary of %i over 2 tensor ranks", (vocabulary, codes) => {
  const warnings = warningsOf(withDegrees({ model: { vocabulary } }));
  expect(warnings.filter((code) => code.startsWith("vocabulary"))).toEqual(codes);
});

const column = linear(8, 12, { kind: "column", gpus: [0, 1] });
const after = linear(12, 8, { kind: "replicated", gpus: [1] });
function joined(...communications: object[]) {
  return stages(
    2,
    [[column], [after]],
    communications.map((each, i) => ({ name: `c${i}`, after: "s0", ...each })),
  );
}
const gather = { op: "all-gather", from: [0, 1], to: [1] };

test("a stated payload is rows × columns × bytes", () => {
  expect(infosOf(joined({ ...gather, payload: 4 * 12 * 4 }))).toContain(
    "communication-payload-fits",
  );
  expect(errorsOf(joined({ ...gather, payload: 4 * 12 * 4 - 1 }))).toEqual([
    "communication-payload-differs",
  ]);
  expect(errorsOf(joined({ ...gather, payload: 4 * 12 * 4 + 1 }))).toEqual([
    "communication-payload-differs",
  ]);
});

test("what is at hand is not sent, and not sent in a circle", () => {
  expect(warningsOf(joined(gather))).not.toContain("communication-useless");
  const again = { op: "send", from: [1], to: [1] };
  expect(errorsOf(joined(gather, again))).toEqual(["communication-cycle"]);
  const both = { op: "all-gather", from: [0, 1], to: [0, 1] };
  expect(warningsOf(joined(both, { op: "send", from: [0, 1], to: [1] }))).toEqual(
    expect.arrayContaining(["communication-useless"]),
  );
});

test("a communication goes with the order of the stages", () => {
  const send = (from: number, to: number) =>
    stages(
      2,
      [
        [linear(8, 8, { kind: "replicated", gpus: [0] })],
        [linear(8, 8, { kind: "replicated", gpus: [1] })],
      ],
      [{ name: "c", op: "send", from: [from], to: [to] }],
    );
  expect(errorsOf(send(0, 1))).toEqual([]);
  expect(errorsOf(send(1, 0))).toContain("communication-reversed");
});
