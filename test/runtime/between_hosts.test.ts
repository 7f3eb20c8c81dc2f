import { expect, test } from "vitest";
import { normalise } from "../../src/plan/normalise.ts";
import type { PlanFile } from "../../src/plan/schema.ts";
import { lower } from "../../src/program/lower.ts";
import { groupsBetweenHosts } from "../../src/runtime/between_hosts.ts";

function noteOf(parallel: PlanFile["parallel"], hosts: readonly string[]): string | undefined {
  const { plan } = normalise({
    name: "hosts",
    hardware: { gpus: 4 },
    workload: { batch: 4, sequence: 8 },
    model: { layers: 2, hidden: 16, heads: 4, ffn: 32 },
    ...(parallel === undefined ? {} : { parallel }),
  });
  if (plan === undefined) throw new Error("no plan");
  return groupsBetweenHosts(lower(plan), hosts);
}

test("tensor groups on one host each, with a pipeline between them, are as they should be", () => {
  expect(noteOf({ tensor: 2, pipeline: 2 }, ["a", "a", "b", "b"])).toBeUndefined();
  expect(noteOf({ tensor: 4 }, ["a", "a", "a", "a"])).toBeUndefined();
  expect(noteOf({ pipeline: 4 }, ["a", "b", "c", "d"])).toBeUndefined();
});

test("a tensor group over hosts is named, with what it exchanges there", () => {
  expect(noteOf({ tensor: 2, pipeline: 2 }, ["a", "b", "a", "b"])).toMatch(
    /all-reduce between hosts in 4 layers: it is faster/,
  );
});
