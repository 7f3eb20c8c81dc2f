// The gate, tried: a product that is wrong in one place must not pass, however it is wrong. All ways in both types and
// by both methods with `npm run tamper`; here, SwiftShader tries a fourth of the ways and lavapipe a
// twelfth, others, each in one of the four; of those in training a third as many.

import { afterAll, expect, test } from "vitest";
import { adapterUnderTest, describeOnAdapter } from "../support/gpu.ts";
import { isReplicated, mutations } from "./mutations.ts";
import { planIn, specialIn } from "./plan.ts";
import { type Run, runTampered } from "./tampered.ts";

/** `all`, or words that are in what is wrong. */
const asked = process.env["SHARDBENCH_TAMPER"];
const adapter = adapterUnderTest();
const methods = ["oracle", "unsharded"] as const;
const dtypes = ["f32", "f16"] as const;

function runsIn(dtype: "f32" | "f16", timed: boolean, plan = planIn(dtype)): Run[] {
  return methods.map((check) => ({ plan, check, timed }));
}

const tried = mutations.flatMap((mutation, at) => {
  const own = dtypes
    .filter((dtype) => (mutation.dtype ?? dtype) === dtype)
    .flatMap((dtype) => {
      const { plan: which } = mutation;
      const plan = which === undefined ? planIn(dtype) : specialIn(dtype, which);
      return runsIn(dtype, mutation.timed === true, plan);
    });
  if (asked !== undefined) {
    return asked === "all" || mutation.what.includes(asked) ? [{ mutation, runs: own }] : [];
  }
  // Of steps of training, whose kernels are many, fewer.
  const { plan: which = "" } = mutation;
  const isMany = which === "training" || isReplicated(which);
  const every = (isMany ? 12 : 4) * (adapter === "lavapipe" ? 3 : 1);
  return at % every === (adapter === "lavapipe" ? every / 2 : 0)
    ? [{ mutation, runs: own.filter((_, i) => i === Math.floor(at / every) % own.length) }]
    : [];
});

describeOnAdapter("a product that was tampered with", () => {
  const table: string[] = [];
  afterAll(() => {
    const caught = table.filter((line) => line.startsWith("caught")).length;
    console.log([...table, `caught ${caught} of ${table.length} tried`].join("\n"));
  });

  test("control: as it is, it passes in both types by both methods", async () => {
    const outcomes = await runTampered(
      undefined,
      adapter,
      dtypes.flatMap((dtype) => runsIn(dtype, true)),
    );
    expect(outcomes.filter(({ caught }) => caught)).toEqual([]);
  }, 300_000);

  test.each(tried.map((one) => [one.mutation.what, one] as const))(
    "%s: caught",
    async (what, { mutation, runs }) => {
      const outcomes = await runTampered(mutation, adapter, runs);
      const lines = outcomes.map(
        ({ caught, by }, i) =>
          `${caught ? "caught" : "MISSED"} | ${runs[i]?.plan.workload.dtype} | ${runs[i]?.check} | ${what} | ${by}`,
      );
      table.push(...lines);
      expect(lines.filter((line) => line.startsWith("MISSED"))).toEqual([]);
      // What does not even compile is no trial.
      expect(lines.filter((line) => line.includes("does not compile"))).toEqual([]);
    },
    300_000,
  );
});
