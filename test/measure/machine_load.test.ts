import { expect, test } from "vitest";
import { heaviestLoad, loadBetween, loadMargin } from "../../src/measure/machine_load.ts";

const from = { total: 1000, busy: 400, stolen: 10, own: 100 };

test("others have what is busy and not ours; stolen time is apart", () => {
  const to = { total: 2000, busy: 1100, stolen: 60, own: 600 };
  expect(loadBetween(from, to)).toEqual({ othersShare: 0.2, stolenShare: 0.05 });
});

test("clocks that do not tick together leave nothing below 0", () => {
  const to = { total: 2000, busy: 1000, stolen: 10, own: 705 };
  expect(loadBetween(from, to)).toEqual({ othersShare: 0, stolenShare: 0 });
});

test("without time there is no share", () => {
  expect(loadBetween(from, from)).toBeUndefined();
});

function runWith(othersShare: number, stolenShare: number) {
  return {
    before: { othersShare: 0.9, stolenShare: 0.9 },
    during: { othersShare, stolenShare },
  };
}

test("the heaviest load counts that met the steps of any run", () => {
  const runs = [runWith(0.1, 0), runWith(0.2, 0.1), runWith(0.25, 0)];
  expect(heaviestLoad(runs)).toEqual({ othersShare: 0.2, stolenShare: 0.1 });
});

test("a quiet machine has no load, and one whose load is not known neither", () => {
  expect(heaviestLoad([runWith(0.02, 0.01)])).toBeUndefined();
  expect(heaviestLoad([])).toBeUndefined();
});

test("a fifth that others took makes a step longer by a quarter", () => {
  expect(loadMargin({ othersShare: 0.15, stolenShare: 0.05 })).toBeCloseTo(0.25, 12);
  expect(loadMargin({ othersShare: 1, stolenShare: 0 })).toBeCloseTo(99, 6);
});
