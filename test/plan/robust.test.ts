import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkPlan, hasErrors } from "../../src/check/check_plan.ts";
import { parsePlan } from "../../src/plan/load.ts";
import { repairPlan } from "../../src/check/repair.ts";
import { lower } from "../../src/program/lower.ts";
import { degreesPlan, linear, stages, stagesPlan } from "./checked.ts";

type Path = (string | number)[];

function pathsOf(value: unknown, path: Path = []): Path[] {
  return typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, child]) => {
        const here = path.concat(Array.isArray(value) ? Number(key) : key);
        return [here].concat(pathsOf(child, here));
      })
    : [];
}

function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) {
    return value.map((item: unknown, i) => (i === key ? replaced(item, rest, by) : item));
  }
  const entries = Object.entries(value ?? {});
  return Object.fromEntries(
    entries.map(([name, item]) => [name, name === key ? replaced(item, rest, by) : item]),
  );
}

const bases = [
  degreesPlan,
  stagesPlan,
  {
    ...degreesPlan,
    tensor_parallel_distribution: { gpu_0: ["mlp_up_0"], gpu_1: ["mlp_up_1"] },
    claims: { gpuUtilization: 0.5, memoryUtilization: 0.5 },
    assumed: ["model.hidden"],
  },
];
const places = bases.flatMap((base) => pathsOf(base).map((path) => ({ base, path })));
const oddValue = fc.oneof(
  fc.constantFrom<unknown>(null, true, "", [], {}, -1, 0, 1, 3, 1e308, 0x7fffffff, "gpu_0", [[0]]),
  fc.integer({ min: 0, max: 12 }),
  fc.jsonValue({ maxDepth: 2 }),
);

test("whatever is written at one place, loading, checking and repairing only ever report", () => {
  fc.assert(
    fc.property(fc.constantFrom(...places), oddValue, ({ base, path }, by) => {
      const text = JSON.stringify(replaced(base, path, by));
      const { plan, document, diagnostics } = parsePlan(text, "plan.json");
      const all = plan === undefined ? diagnostics : checkPlan(plan, document);
      expect(plan !== undefined || hasErrors(diagnostics)).toBe(true);
      for (const each of all) expect(each.position?.line).toBe(1);
      repairPlan(document);
    }),
    { numRuns: 1500 },
  );
});

const group = fc.shuffledSubarray([0, 1, 2], { minLength: 1 });
const kind = fc.constantFrom("column", "row", "replicated", "data");
const anyLinear = fc
  .record({ kind, gpus: group, activation: fc.constantFrom("none", "relu") })
  .map(({ kind: chosen, gpus, activation }) =>
    Object.assign(linear(12, 12, { kind: chosen, gpus }), { activation }),
  );
const anyMlp = group.map((gpus) => ({
  op: "mlp",
  hidden: 12,
  ffn: 12,
  parallel: { kind: "tensor", gpus },
}));
const anyMoe = anyMlp.map((layer) => Object.assign(layer, { op: "moe", experts: 6 }));
const anyAggregate = fc
  .record({ over: fc.constantFrom("batch", "sequence"), gpus: group })
  .map(({ over, gpus }) => ({ op: "aggregate", over, parallel: { kind: "data", gpus } }));
const anyLayer = fc.oneof({ weight: 4, arbitrary: anyLinear }, anyMlp, anyMoe, anyAggregate);
const anyCommunication = fc.record({
  op: fc.constantFrom("all-gather", "all-reduce", "reduce-scatter", "all-to-all", "send"),
  from: group,
  to: group,
});

test("a plan without errors has a program", () => {
  let sound = 0;
  fc.assert(
    fc.property(
      fc.array(fc.array(anyLayer, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 3 }),
      fc.array(anyCommunication, { minLength: 2, maxLength: 2 }),
      (layers, communications) => {
        const named = communications
          .slice(0, layers.length - 1)
          .map((each, i) => Object.assign(each, { name: `c${i}` }));
        const written = stages(3, layers, named, { batch: 6, sequence: 2 });
        const { plan, document } = parsePlan(JSON.stringify(written), "plan.json");
        if (plan === undefined || hasErrors(checkPlan(plan, document))) return;
        sound += 1;
        expect(lower(plan).ranks).toHaveLength(3);
      },
    ),
    { numRuns: 3000, seed: 1 },
  );
  expect(sound).toBeGreaterThan(50);
});
