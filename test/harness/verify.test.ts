import { expect, test } from "vitest";
import { EnvironmentError } from "../../src/environment_error.ts";
import { verify, type Observe } from "../../src/harness/verify.ts";
import { NumericsError } from "../../src/numerics_error.ts";
import { lower } from "../../src/program/lower.ts";
import type { Program } from "../../src/program/program.ts";
import { interpret } from "../support/interpret.ts";
import { plans } from "../support/plans.ts";
import { shownBuffers } from "../support/shown_buffers.ts";

async function pause(): Promise<void> {
  return undefined;
}

const honest: Observe = async (program) => ({
  observed: shownBuffers(interpret(program)),
  checks: program.ranks.map(() => ({ kinds: [], transfers: [], unchecked: [] })),
});

/** The same, with every float of one observation of `program` changed. */
function spoiled(program: Program, value: number): Observe {
  return async (wanted, options) => {
    const { observed, ...rest } = await honest(wanted, options);
    if (wanted !== program) return { observed, ...rest };
    const at = observed.findLastIndex(({ observation }) => observation.kind === "output");
    return {
      ...rest,
      observed: observed.with(at, {
        ...observed[at]!,
        bytes: new Uint8Array(new Float32Array(observed[at]!.bytes.length / 4).fill(value).buffer),
      }),
    };
  };
}

const withExperts = plans.find(({ name }) => name.startsWith("experts on three"))!;

test.each(["oracle", "unsharded"] as const)(
  "control: an honest run passes by %s",
  async (method) => {
    const { outcome } = await verify(withExperts, lower(withExperts), method, honest, pause);
    expect(outcome.error).toBeLessThan(1e-6);
    expect(outcome.routing).toEqual({ agreeing: 12, total: 12 });
  },
);

test.each([
  ["oracle", Number.NaN],
  ["oracle", 3],
  ["unsharded", Number.NaN],
  ["unsharded", 3],
] as const)("by %s, a result of %d on one rank alone is refused", async (method, value) => {
  const program = lower(withExperts);
  await expect(
    verify(withExperts, program, method, spoiled(program, value), pause),
  ).rejects.toThrow(NumericsError);
});

test("a run that shows nothing is refused", async () => {
  const observe: Observe = async () => ({ observed: [], checks: [] });
  await expect(verify(withExperts, lower(withExperts), "oracle", observe, pause)).rejects.toThrow(
    NumericsError,
  );
});

test("a run is refused of which a rank did not check its part", async () => {
  const observe: Observe = async (program, options) => {
    const { observed, checks } = await honest(program, options);
    return { observed, checks: checks.slice(1) };
  };
  await expect(verify(withExperts, lower(withExperts), "oracle", observe, pause)).rejects.toThrow(
    "2 of 3 ranks checked their step",
  );
});

test("the reference can be ended while it computes", async () => {
  const stop = async (): Promise<void> => {
    throw new EnvironmentError("interrupted", "enough", "again");
  };
  await expect(verify(withExperts, lower(withExperts), "oracle", honest, stop)).rejects.toThrow(
    "enough",
  );
});

test("the second run is told the expert choices of the first", async () => {
  const program = lower(withExperts);
  const told: number[] = [];
  const observe: Observe = async (wanted, options) => {
    if (wanted !== program) told.push(...(options?.routes ?? []).map(({ ids }) => ids.length));
    return honest(wanted, options);
  };
  await verify(withExperts, program, "unsharded", observe, pause);
  // Two micro-batches of two samples of three tokens, one choice each.
  expect(told).toEqual([6, 6]);
});
