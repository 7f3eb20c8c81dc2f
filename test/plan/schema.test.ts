import { expect, test } from "vitest";
import { parsePlan } from "../../src/plan/load.ts";

const base = `name: x
hardware: { gpus: 2 }
workload: { batch: 4 }
model: { layers: 1, hidden: 8, heads: 2 }
`;
function first(text: string) {
  return parsePlan(text, "p.yaml").diagnostics[0];
}

test("control: the base of these tests raises nothing", () => {
  expect(parsePlan(base, "p.yaml").diagnostics).toEqual([]);
});

test.each([
  ["hardwear: 1", "unknown-key", 'did you mean "hardware"?'],
  ["claim: {}", "unknown-key", 'did you mean "claims"?'],
  ["parallel: { Tensor: 2 }", "unknown-key", 'did you mean "tensor"?'],
  ["parallel: { tensor: -2 }", "out-of-range", undefined],
  ["parallel: { tensor: 0 }", "out-of-range", undefined],
  ["parallel: { tensor: 1.5 }", "wrong-type", undefined],
  ["parallel: { tensor: two }", "wrong-type", undefined],
  ["parallel: { tensor: .nan }", "not-finite", undefined],
  ["parallel: { tensor: .inf }", "not-finite", undefined],
  ["parallel: [2]", "wrong-type", undefined],
  [
    "claims: { gpuUtilization: 95 }",
    "out-of-range",
    "shares are written from 0 to 1: 95 % is 0.95",
  ],
  ["claims: { latencyPerLayerMs: .nan }", "not-finite", undefined],
  ["claims: { memoryAvailable: lots }", "invalid-value", undefined],
])("%s is refused as %s", (line, code, hint) => {
  const diagnostic = first(`${base}${line}\n`);
  expect(diagnostic).toMatchObject({
    code,
    severity: "error",
    position: { file: "p.yaml", line: 5 },
  });
  expect(diagnostic?.hint).toBe(hint);
});

test("an unknown key far from all known ones lists those", () => {
  expect(first(`${base}zzzzzz: 1\n`)?.hint).toContain("hardware, workload, model");
});

test("unknown keys of a layer are compared with those of its op", () => {
  const text = `name: x
hardware: { gpus: 1 }
workload: { batch: 1 }
stages:
  - name: a
    layers:
      - { op: attention, hidden: 8, heads: 2, kvheads: 1, parallel: { kind: tensor, gpus: [0] } }
`;
  expect(first(text)).toMatchObject({
    code: "unknown-key",
    hint: 'did you mean "kvHeads"?',
    path: ["stages", 0, "layers", 0, "kvheads"],
    position: { line: 7, column: 47 },
  });
});

test("an unknown op is compared with the known ones", () => {
  const text = base.replace(/model.*/, "stages: [{ name: a, layers: [{ op: atention }] }]");
  expect(first(text)).toMatchObject({ code: "invalid-value", hint: 'did you mean "attention"?' });
});

test("a missing key is named, at the object that lacks it", () => {
  expect(first(base.replace("heads: 2", ""))).toMatchObject({
    code: "missing-key",
    message: "model.heads is missing",
    position: { line: 4, column: 8 },
  });
});

test("every fault is reported at once, in the order of the file", () => {
  const text = `name: 3
hardware: { gpus: 0, memory: 1 }
workload: { batch: -1, dtype: f64 }
model: { layers: 1, hidden: 8, heads: 2 }
`;
  const found = parsePlan(text, "p.yaml").diagnostics;
  expect(found.map(({ code, position }) => [code, position?.line, position?.column])).toEqual([
    ["wrong-type", 1, 7],
    ["out-of-range", 2, 19],
    ["unknown-key", 2, 22],
    ["out-of-range", 3, 20],
    ["invalid-value", 3, 31],
  ]);
});

test("a plan gives stages or a model, not both and not neither", () => {
  expect(first(base.replace(/model.*/, ""))?.code).toBe("plan-has-no-layers");
  const stages = "stages: [{ name: a, layers: [{ op: norm, hidden: 8 }] }]\n";
  expect(first(`${base}${stages}`)?.code).toBe("plan-has-two-forms");
});

test("a key named like a property of every object is a key like any other", () => {
  expect(first(`${base}__proto__: { a: 1 }\n`)?.code).toBe("unknown-key");
  expect(first(`${base}constructor: 1\n`)?.code).toBe("unknown-key");
});
