import { expect, test } from "vitest";
import { errorsOf, found, linear, stages, withDegrees } from "../../plan/checked.ts";

const gpus = [0, 1, 2];
const group = { kind: "tensor", gpus };
function one(layer: Record<string, unknown>) {
  return stages(3, [[layer]]);
}
function attention(sizes: Record<string, unknown>) {
  return one({ op: "attention", hidden: 24, heads: 6, headDim: 4, parallel: group, ...sizes });
}

test.each([
  [linear(8, 12, { kind: "column", gpus }), []],
  [linear(8, 13, { kind: "column", gpus }), ["group-does-not-divide-output"]],
  [linear(12, 8, { kind: "row", gpus }), []],
  [linear(11, 8, { kind: "row", gpus }), ["group-does-not-divide-input"]],
  [linear(11, 13, { kind: "replicated", gpus }), []],
  [{ op: "embedding", vocabulary: 7, hidden: 9, parallel: { kind: "column", gpus } }, []],
  [
    { op: "embedding", vocabulary: 7, hidden: 8, parallel: { kind: "column", gpus } },
    ["group-does-not-divide-hidden"],
  ],
  [{ op: "embedding", vocabulary: 7, hidden: 8, parallel: { kind: "row", gpus } }, []],
  [{ op: "mlp", hidden: 8, ffn: 9, parallel: group }, []],
  [{ op: "mlp", hidden: 8, ffn: 10, parallel: group }, ["group-does-not-divide-ffn"]],
])("three GPUs split %j: %j", (layer, codes) => {
  expect(errorsOf(one(layer))).toEqual(codes);
});

test.each([
  [6, 6, []],
  [6, 3, []],
  [6, 1, []],
  [6, 2, ["group-does-not-fit-kv-heads"]],
  [12, 6, []],
  [12, 4, ["group-does-not-fit-kv-heads"]],
  [6, 9, ["kv-heads-do-not-divide-heads"]],
  [7, 7, ["group-does-not-divide-heads"]],
  [8, 1, ["group-does-not-divide-heads"]],
])("%i heads with %i key and value heads over three GPUs", (heads, kvHeads, codes) => {
  expect(errorsOf(attention({ heads, kvHeads }))).toEqual(codes);
});

test.each([
  [4, undefined],
  [6, "warning"],
  [8, undefined],
])("a head dimension of %i is sound, and runs if it is a multiple of 4", (headDim, severity) => {
  expect(errorsOf(attention({ headDim }))).toEqual([]);
  expect(found(attention({ headDim }), "layer-not-runnable")?.severity).toBe(severity);
});

test("heads divide hidden, unless the head dimension is given", () => {
  const without = (hidden: number) => attention({ hidden, headDim: undefined });
  expect(errorsOf(without(24))).toEqual([]);
  expect(errorsOf(without(25))).toEqual(["heads-do-not-divide-hidden"]);
  expect(errorsOf(attention({ hidden: 25 }))).toEqual([]);
  const model = { layers: 1, hidden: 34, heads: 4 };
  expect(errorsOf(withDegrees({ model, parallel: { tensor: 2, expert: 1 } }))).toContain(
    "heads-do-not-divide-hidden",
  );
});

test("a model's faulty size is one fault, however many layers have it, at the model", () => {
  const plan = withDegrees({ model: { heads: 5, headDim: 8 } });
  expect(errorsOf(plan)).toEqual(["group-does-not-divide-heads"]);
  expect(found(plan, "group-does-not-divide-heads")).toMatchObject({
    path: ["model", "heads"],
    message: "heads 5 of every attention layer leaves 1 over when split across 2 GPUs",
  });
});

function withVocabulary(vocabulary: number) {
  return withDegrees({ model: { vocabulary } });
}

test("a vocabulary that a tensor group cannot share is no error", () => {
  expect(errorsOf(withVocabulary(10))).toEqual([]);
  expect(errorsOf(withVocabulary(11))).toEqual([]);
  expect(found(withVocabulary(11), "vocabulary-padded")?.path).toEqual(["model", "vocabulary"]);
});

const on0 = { kind: "replicated", gpus: [0] };
function chain(...layers: Record<string, unknown>[]) {
  return errorsOf(stages(1, [layers.map((layer) => Object.assign({ parallel: on0 }, layer))]));
}
function norm(hidden: number) {
  return { op: "norm", hidden };
}
function residual(from: number, hidden = 8) {
  return { op: "residual", hidden, from };
}

test("each layer takes what the one before it gives", () => {
  expect(chain(linear(6, 8, on0), norm(8), linear(8, 5, on0))).toEqual([]);
  expect(chain(linear(6, 8, on0), norm(7))).toEqual(["dimensions-disagree"]);
  expect(chain(linear(6, 8, on0), { op: "aggregate" }, linear(7, 5, on0))).toEqual([
    "dimensions-disagree",
  ]);
});

test("dimensions are compared across stages", () => {
  const plan = stages(1, [[linear(6, 8, on0)], [linear(9, 5, on0)]]);
  expect(errorsOf(plan)).toEqual(["dimensions-disagree"]);
  expect(found(plan, "dimensions-disagree")?.path).toEqual(["stages", 1, "layers", 0, "in"]);
});

test("an embedding comes first, an aggregate does not", () => {
  const embedding = { op: "embedding", vocabulary: 9, hidden: 8 };
  expect(chain(embedding, norm(8))).toEqual([]);
  expect(chain(norm(8), embedding)).toEqual(["embedding-not-first"]);
  expect(chain(norm(8), { op: "aggregate" })).toEqual([]);
  expect(chain({ op: "aggregate" }, norm(8))).toEqual(["aggregate-first"]);
});

test("a residual adds the input of an earlier layer of equal size", () => {
  expect(chain(norm(8), residual(0))).toEqual([]);
  expect(chain(norm(8), residual(1))).toEqual(["residual-from-no-earlier-layer"]);
  expect(chain(norm(8), residual(9))).toEqual(["residual-from-no-earlier-layer"]);
  expect(chain(linear(6, 8, on0), residual(0))).toEqual(["residual-differs-in-size"]);
  const embedding = { op: "embedding", vocabulary: 9, hidden: 8 };
  expect(chain(embedding, residual(0))).toEqual(["residual-of-token-ids"]);
});

function aggregateOver(over: string) {
  return { op: "aggregate", over };
}

test("after an aggregate no sequences are left", () => {
  const heads = { op: "attention", hidden: 8, heads: 2, parallel: { kind: "tensor", gpus: [0] } };
  expect(chain(heads, aggregateOver("sequence"), aggregateOver("batch"))).toEqual([]);
  expect(chain(norm(8), aggregateOver("sequence"), heads)).toEqual(["sequence-already-aggregated"]);
  expect(chain(norm(8), aggregateOver("batch"), aggregateOver("sequence"))).toEqual([
    "sequence-already-aggregated",
  ]);
});
