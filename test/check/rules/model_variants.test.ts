import { expect, test } from "vitest";
import { degreesPlan, errorsOf, found, withDegrees } from "../../plan/checked.ts";

const { moe } = degreesPlan.model as { moe: object };

function limited(groupLimit: object, topK = 1) {
  return withDegrees({ model: { moe: { ...moe, experts: 6, topK, groupLimit } } });
}

test("control: groups that divide the experts, with enough of them", () => {
  expect(errorsOf(limited({ groups: 3, topGroups: 2, scoredBy: "two-best" }, 4))).toEqual([]);
});

test.each([
  ["groups of unequal size", { groups: 4, topGroups: 2, scoredBy: "best" }, 1],
  ["more groups than there are", { groups: 3, topGroups: 4, scoredBy: "best" }, 1],
  ["more experts than the groups have", { groups: 3, topGroups: 2, scoredBy: "best" }, 5],
  ["two of one", { groups: 6, topGroups: 3, scoredBy: "two-best" }, 1],
] as const)("%s is refused", (_, groupLimit, topK) => {
  expect(found(limited(groupLimit, topK), "groups-of-experts-do-not-fit")).toMatchObject({
    severity: "error",
    path: ["model", "moe", "groupLimit"],
  });
});

test.each([
  [8, 0, []],
  [10, 2, []],
  [7, 0, ["sequence-exceeds-positions"]],
  [9, 2, ["sequence-exceeds-positions"]],
])("a table of %i rows from %i on for samples of 8 tokens", (count, offset, codes) => {
  const model = { vocabulary: 12, positions: { kind: "learned", count, offset } };
  const plan = withDegrees({ workload: { sequence: 8 }, model });
  expect(errorsOf(plan)).toEqual(codes);
});

test("shared experts are split as an MLP is", () => {
  const split = (sharedFfn: number) =>
    errorsOf(withDegrees({ model: { moe: { ...moe, sharedFfn } } }));
  expect(split(64)).toEqual([]);
  expect(split(63)).toEqual(["group-does-not-divide-ffn"]);
});
