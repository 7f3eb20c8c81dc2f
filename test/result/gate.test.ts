// Gates: what can be counted must be the same; time fails only where its interval excludes the threshold.

import { describe, expect, test } from "vitest";
import { pairedRatio } from "../../src/measure/paired_ratio.ts";
import { seededRandom } from "../../src/seeded_random.ts";
import { lower } from "../../src/program/lower.ts";
import {
  type Counted,
  countedGates,
  countedIn,
  diagnosticsGate,
  timeGate,
} from "../../src/result/gate.ts";
import { programHash } from "../../src/result/program_hash.ts";
import { parseStored } from "../../src/result/result_file.ts";
import { textOfResult } from "../../src/result/result_text.ts";
import { planOf } from "../support/given.ts";
import { runOf } from "../support/made_up_run.ts";

const plan = await planOf("three-stage-pipeline.json");
const baseline = countedIn(parseStored(textOfResult(runOf(plan)), "baseline.json"));
const { numbers } = baseline;
if (numbers === undefined) throw new Error("the baseline must be checked");

function failedOf(own: Counted): string[] {
  return countedGates(baseline, own).flatMap(({ name, state, message }) =>
    state === "failed" ? [`${name}: ${message}`] : [],
  );
}

describe("what can be counted", () => {
  test("control: passes where it is the baseline's", () => {
    const states = countedGates(baseline, baseline).map(({ state }) => state);
    expect(states).toEqual(["passed", "passed", "passed", "passed"]);
  });

  test.each<[string, Partial<Counted>, string]>([
    ["a wrong number", { numbers: { ...numbers, error: 0.1 } }, "numbers: largest relative"],
    [
      "a check that accepts more",
      { numbers: { ...numbers, tolerance: 1.01 * numbers.tolerance } },
      "in the baseline",
    ],
    [
      "a check that compares less",
      { numbers: { ...numbers, values: numbers.values - 1 } },
      "were compared in the baseline",
    ],
    [
      "one byte more on the wire",
      {
        wireBytes: baseline.wireBytes.map((each, i) =>
          i === 1 ? { ...each, received: each.received + 1 } : each,
        ),
      },
      "wire bytes: rank 1, received: ",
    ],
    ["a rank less", { wireBytes: baseline.wireBytes.slice(1) }, "wire bytes: rank 0, "],
    ["more memory", { memory: baseline.memory.map((bytes) => bytes + 4) }, "memory: rank 0: "],
    ["another schedule", { schedule: "x" }, "schedule: "],
  ])("fails by %s, and by nothing else", (_, change, message) => {
    const failed = failedOf({ ...baseline, ...change });
    expect(failed).toHaveLength(1);
    expect(failed[0]).toContain(message);
  });

  test("fails where numbers were not checked", () => {
    const { numbers: _, ...unchecked } = baseline;
    expect(failedOf(unchecked)).toEqual(["numbers: they were not checked"]);
  });

  test("says nothing of a schedule that the baseline does not tell", () => {
    const { schedule: _, ...older } = baseline;
    expect(countedGates(older, baseline).at(-1)?.state).toBe("open");
  });
});

test("two instructions in another order are another schedule", () => {
  const program = lower(plan);
  const swapped = program.ranks.map((rank, i) =>
    i === 0 ? { ...rank, instructions: rank.instructions.toReversed() } : rank,
  );
  expect(programHash({ ...program, ranks: swapped })).not.toBe(programHash(program));
});

test("diagnostics fail where there are new ones, not where some are gone", () => {
  expect(diagnosticsGate(["a", "b"], ["a", "a"]).state).toBe("passed");
  expect(diagnosticsGate(["a"], ["a", "b"])).toMatchObject({ state: "failed" });
});

describe("time", () => {
  test.each([
    ["passed", [1, 1.01, 0.99, 1, 1.02]],
    ["failed", [1.21, 1.2, 1.19, 1.22, 1.2]],
    // Slower on the whole, and it may as well be noise.
    ["open", [1.2, 0.9, 1.5, 1.1, 1.4]],
    ["open", [1.3, 1.3]],
  ])("%s by ratios %j", (state, ratios) => {
    const pairs = ratios.map((own) => ({ reference: 1, own }));
    expect(timeGate(pairedRatio(pairs), 0.1).state).toBe(state);
  });

  test("is open without a reference", () => {
    expect(timeGate(undefined, 0.1).state).toBe("open");
  });

  /** Runs of a machine that slows down for some pairs, with a spread of their own. */
  function drawn(
    slowdown: number,
    spread: number,
    random: () => number,
  ): "passed" | "failed" | "open" {
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const pairs = Array.from({ length: 5 }, () => {
      const machine = Math.exp(0.3 * normal());
      return {
        reference: machine * Math.exp(spread * normal()),
        own: slowdown * machine * Math.exp(spread * normal()),
      };
    });
    return timeGate(pairedRatio(pairs), 0.1).state;
  }

  function failures(slowdown: number, spread: number): number {
    const random = seededRandom(5);
    const states = Array.from({ length: 1000 }, () => drawn(slowdown, spread, random));
    return states.filter((state) => state === "failed").length;
  }

  test("raises no false alarm in equal builds, however noisy, and finds a fifth on a quiet machine", () => {
    expect(failures(1, 0.02)).toBe(0);
    expect(failures(1, 0.2)).toBeLessThan(25);
    // At the threshold itself at most one in forty.
    expect(failures(1.1, 0.05)).toBeLessThan(45);
    expect(failures(1.2, 0.02)).toBeGreaterThan(900);
  });
});
