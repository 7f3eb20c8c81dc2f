import { describe, expect, test } from "vitest";
import { countParameters } from "../../src/plan/parameters.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { lower } from "../../src/program/lower.ts";
import type { BufferDeclaration } from "../../src/program/program.ts";
import { unshard } from "../../src/program/unshard.ts";
import { sequencePlan } from "../support/sequence_plans.ts";
import { tiedPlans } from "../support/tied_plans.ts";
import { worstError } from "../support/worst_error.ts";

const tied = { model: "tiedEmbeddings: true" };

/** Buffers of weights that embedding and head read, one list per rank. */
function readBy(given: Plan): string[][] {
  return lower(given).ranks.map(({ instructions }) => [
    ...new Set(
      instructions.flatMap((one) => {
        if (one.op !== "kernel" || one.origin.microBatch > 0) return [];
        if (one.kernel === "embedding") return [one.buffers[1] ?? ""];
        return one.kernel === "matmul" && one.origin.layer.endsWith("linear")
          ? [one.buffers[1] ?? ""]
          : [];
      }),
    ),
  ]);
}

/** The declarations of those buffers, one list per rank. */
function tablesOf(given: Plan): BufferDeclaration[][] {
  const read = readBy(given);
  return lower(given).ranks.map(({ buffers }, rank) =>
    buffers.filter(({ id }) => read[rank]?.includes(id)),
  );
}

describe("embedding and head on the same ranks read one buffer", () => {
  test.each([
    ["one rank", 1, "{}", 24],
    ["two that split the vocabulary", 2, "{ tensor: 2 }", 12],
    ["two replicas", 2, "{ data: 2 }", 24],
  ])("%s", (_, gpus, parallel, rows) => {
    const given = sequencePlan({ ...tied, gpus, parallel });
    expect(readBy(given)).toEqual(
      Array.from({ length: gpus }, () => ["blocks/0.embedding/weight"]),
    );
    expect(tablesOf(given).map((tables) => tables.map(({ shape }) => shape))).toEqual(
      Array.from({ length: gpus }, () => [[rows, 16]]),
    );
  });
});

test("without tying each has its own", () => {
  expect(readBy(sequencePlan({ gpus: 2, parallel: "{ tensor: 2 }" }))[0]).toHaveLength(2);
});

test("on different ranks each holds a copy with equal values", () => {
  const given = sequencePlan({
    gpus: 2,
    model: "tiedEmbeddings: true, layers: 2",
    parallel: "{ pipeline: 2 }",
  });
  expect(readBy(given)).toEqual([["blocks_0/0.embedding/weight"], ["blocks_1/7.linear/weight"]]);
  const [first, last] = tablesOf(given).map(([table]) => table);
  expect(first?.content).toEqual(last?.content);
});

test("parameters are counted once, and the head takes no memory of its own", () => {
  const own = sequencePlan({ gpus: 2, parallel: "{ tensor: 2 }" });
  const shared = sequencePlan({ ...tied, gpus: 2, parallel: "{ tensor: 2 }" });
  if (shared.model === undefined) throw new Error("it has a model");
  const { total } = countParameters(shared.model);
  expect(estimatePlan(shared).parameters).toMatchObject({ total, inProgram: total });
  const weights = (given: Plan) =>
    estimatePlan(given).ranks.map(({ memoryByRole }) => memoryByRole.weight ?? 0);
  const half = (24 * 16 * 4) / 2;
  expect(weights(own).map((bytes, rank) => bytes - (weights(shared)[rank] ?? 0))).toEqual([
    half,
    half,
  ]);
  expect(estimatePlan(shared).modelFlops).toBe(estimatePlan(own).modelFlops);
});

test.each(tiedPlans("f32").map((each) => [each.name, each] as const))(
  "%s: logits are those of the transposed table",
  async (_, given) => {
    expect(await worstError(given)).toBeLessThan(1e-6);
    expect(await worstError(unshard(given))).toBeLessThan(1e-6);
  },
);
