import { expect, test } from "vitest";
import {
  degreesPlan,
  errorsOf,
  found,
  infosOf,
  stages,
  stagesPlan,
  warningsOf,
  withDegrees,
  withStages,
} from "../../plan/checked.ts";

function mlp(gpus: unknown, more = {}) {
  return {
    op: "mlp",
    hidden: 8,
    ffn: 24,
    parallel: { kind: "tensor", gpus, ...more },
  };
}

test("control: both plans of these tests are sound", () => {
  expect(errorsOf(degreesPlan)).toEqual([]);
  expect(errorsOf(stagesPlan)).toEqual([]);
  expect(infosOf(stagesPlan)).toEqual(
    expect.arrayContaining([
      "gpu-count-fits",
      "gpu-ids-valid",
      "communication-members-valid",
      "column-split-correct",
      "row-split-correct",
      "communication-fits-split",
    ]),
  );
});

test("GPU 7 of 3 is refused where it is named; the last one, 2, is not", () => {
  expect(errorsOf(stages(3, [[mlp([0, 1, 2])]]))).toEqual([]);
  const bad = stages(3, [[mlp([0, 1, 7])]]);
  expect(errorsOf(bad)).toEqual(["gpu-not-available"]);
  expect(found(bad, "gpu-not-available")).toMatchObject({
    path: ["stages", 0, "layers", 0, "parallel", "gpus", 2],
    message: "GPU 7 is named, but there are 3 GPUs: 0 to 2",
    position: { file: "plan.json", line: 1 },
  });
});

test.each(["from", "to"])("a GPU that does not exist is refused in a communication, %s", (side) => {
  const [first, second] = stagesPlan.communications;
  const plan = withStages({ communications: [{ ...first, [side]: [1, 3] }, second] });
  expect(errorsOf(plan)).toContain("gpu-not-available");
});

test("a GPU that stands twice in a list is refused", () => {
  expect(errorsOf(stages(2, [[mlp([0, 1])]]))).toEqual([]);
  expect(errorsOf(stages(2, [[mlp([1, 1])]]))).toEqual(["gpu-listed-twice"]);
});

test("data replicas have GPUs of their own", () => {
  expect(
    errorsOf(
      stages(4, [
        [
          mlp([
            [0, 1],
            [2, 3],
          ]),
        ],
      ]),
    ),
  ).toEqual([]);
  expect(
    errorsOf(
      stages(4, [
        [
          mlp([
            [0, 1],
            [1, 2],
          ]),
        ],
      ]),
    ),
  ).toEqual(["replicas-share-gpu"]);
});

test("degrees that ask for more GPUs than there are, by one, are refused", () => {
  const parallel = { tensor: 2, data: 2, expert: 2 };
  expect(errorsOf(withDegrees({ hardware: { gpus: 4 }, parallel }))).toEqual([]);
  const tooFew = withDegrees({ hardware: { gpus: 3 }, parallel });
  expect(errorsOf(tooFew)).toEqual(["not-enough-gpus"]);
  expect(found(tooFew, "not-enough-gpus")?.message).toBe(
    "tensor 2 × pipeline 1 × data 2 needs 4 GPUs, there are 3",
  );
});

test("a GPU that nothing runs on is pointed out", () => {
  expect(warningsOf(degreesPlan)).toEqual([]);
  expect(warningsOf(withDegrees({ hardware: { gpus: 4 } }))).toEqual(["gpu-unused"]);
});

test("GPUs that no number of replicas could use are pointed out", () => {
  const odd = withDegrees({ hardware: { gpus: 3 } });
  expect(warningsOf(odd)).toEqual(["gpu-unused", "mesh-does-not-divide-gpus"]);
  const named = withDegrees({ hardware: { gpus: 3 }, parallel: { expertGroup: [0, 2] } });
  expect(warningsOf(named)).not.toContain("mesh-does-not-divide-gpus");
});
