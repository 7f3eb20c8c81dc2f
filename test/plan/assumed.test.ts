import { expect, test } from "vitest";
import { assumedAmong, assumedPath, assumedPaths } from "../../src/plan/assumed.ts";
import { parsePlan } from "../../src/plan/load.ts";
import { degreesPlan, errorsOf, stagesPlan, withDegrees, withStages } from "./checked.ts";

test.each([
  "stages.0.layers.1.in",
  "stages[0].layers[1].in",
  "/stages/0/layers/1/in",
  "$.stages[0]['layers'][1].in",
  ' stages["0"].layers[ 1 ].in ',
])("%j is a spelling of one path", (written) => {
  expect(assumedPath(written)).toEqual(["stages", "0", "layers", "1", "in"]);
});

test("a plan's assumed paths have one spelling and stand once", () => {
  expect(assumedPaths(["stages[0].layers", "model", "/stages/0/layers", ""])).toEqual([
    "stages.0.layers",
    "model",
  ]);
  const written = withDegrees({ assumed: ["/model/hidden", "hardware[gpus]"] });
  expect(parsePlan(JSON.stringify(written), "plan.json").plan?.assumed).toEqual([
    "model.hidden",
    "hardware.gpus",
  ]);
});

const assumedValues = ["model.moe.experts", "hardware", "parallel.expert"];
test.each([
  [["model.moe.experts"], ["model.moe.experts"]],
  [["model"], ["model.moe.experts"]],
  [["model.moe"], ["model.moe.experts"]],
  [["model.moe.topK", "model.hidden"], []],
  [["hardware.memoryPerGpu"], ["hardware"]],
  [
    ["parallel", "hardware.gpus", "hardware.peakFlops"],
    ["hardware", "parallel.expert"],
  ],
  [["model.moe.expertsPerGroup"], []],
  [["parallel.expertTensor"], []],
  [[], []],
])("what %j lean on", (paths, expected) => {
  expect(assumedAmong({ assumed: assumedValues, hardware: { gpus: 2 } }, paths)).toEqual(expected);
});

test("any value of a plan can be assumed, given or filled in", () => {
  const missing = (plan: unknown) =>
    errorsOf(plan).filter((code) => code === "assumed-value-missing");
  const degrees = {
    hardware: { gpus: 2, memoryPerGpu: "64GB" },
    assumed: [
      "hardware.memoryPerGpu",
      "parallel.expert",
      "parallel.data",
      "workload.sequence",
      "model.moe.topK",
      "model.kvHeads",
      "workload",
      "hardware",
    ],
  };
  expect(missing(withDegrees(degrees))).toEqual([]);
  const communications = stagesPlan.communications.map((each) => ({ ...each, payload: 192 }));
  const explicit = {
    communications,
    assumed: ["communications.0.payload", "stages[0].layers[0].in", "stages.0.layers.0.parallel"],
  };
  expect(missing(withStages(explicit))).toEqual([]);
  const absent = ["hardware.linkBandwidth", "parallel.context", "communications.9.payload"];
  expect(missing({ ...degreesPlan, assumed: absent })).toHaveLength(3);
});

test.each([
  ["$", ["model.hidden", "parallel.expert"]],
  ["Model", ["model.hidden"]],
  ["model.*", ["model.hidden"]],
  ["plan.model", ["model.hidden"]],
  ["#/parallel", ["parallel.expert"]],
  ["moe.experts", ["model.moe.experts"]],
  ["model->moe", ["model.moe.experts"]],
])("%s means the values of %j", (written, paths) => {
  const values = assumedPaths([written]);
  for (const path of paths) {
    expect(assumedAmong({ assumed: values, hardware: { gpus: 2 } }, [path]).length).toBeGreaterThan(
      0,
    );
  }
  expect(assumedAmong({ assumed: values, hardware: { gpus: 2 } }, ["claims"])).toEqual([]);
});
