// A plan's degrees on other numbers of GPUs.

import { expect, test } from "vitest";
import { redegreed } from "../../src/plan/redegree.ts";
import type { PlanFile } from "../../src/plan/schema.ts";

function file(gpus: number, parallel: NonNullable<PlanFile["parallel"]>): PlanFile {
  return {
    name: "scaled",
    hardware: { gpus },
    workload: { batch: 8 },
    model: { layers: 4, hidden: 16, heads: 4 },
    parallel,
  };
}

function degreesOn(gpus: number, own: PlanFile): string | undefined {
  const [first] = redegreed(own, gpus);
  const { tensor = 1, pipeline = 1, data = 1, expert = 1 } = first?.parallel ?? {};
  return first && `${tensor}·${pipeline}·${data} e${expert}`;
}

test("on its own GPUs a plan stays what it is", () => {
  const own = file(4, { tensor: 4, tensorGroup: [0, 1, 2, 3] });
  expect(redegreed(own, 4)).toEqual([own]);
});

test.each([
  // Data replicas come and go first.
  [8, { tensor: 2, data: 4 }, 4, "2·1·2 e1"],
  [8, { tensor: 2, data: 4 }, 16, "2·1·8 e1"],
  // Then what is left is the largest part of tensor and pipeline that divides.
  [8, { tensor: 4, pipeline: 2 }, 4, "4·1·1 e1"],
  [8, { tensor: 4, pipeline: 2 }, 2, "2·1·1 e1"],
  [6, { tensor: 2, pipeline: 3 }, 3, "1·3·1 e1"],
  [4, { tensor: 4 }, 3, "1·1·3 e1"],
  [4, { tensor: 4 }, 1, "1·1·1 e1"],
  // Experts over as many ranks as before, or the next fewer that divide them.
  [4, { tensor: 2, data: 2, expert: 4 }, 8, "2·1·4 e4"],
  [4, { tensor: 2, data: 2, expert: 4 }, 2, "2·1·1 e2"],
])("%s GPUs with %o on %s: %s", (gpus, parallel, on, degrees) => {
  expect(degreesOn(on, file(gpus, parallel))).toBe(degrees);
});

test("what names the plan's own GPUs goes, what follows degrees stays where they do", () => {
  const own = file(4, { tensor: 2, data: 2, sequence: true, zero: 1, expertGroup: [0, 1, 2, 3] });
  expect(redegreed(own, 2)[0]?.parallel).toEqual({
    tensor: 2,
    pipeline: 1,
    data: 1,
    expert: 1,
    sequence: true,
  });
  expect(redegreed(own, 3)[0]?.parallel).toMatchObject({ tensor: 1, data: 3, zero: 1 });
});
