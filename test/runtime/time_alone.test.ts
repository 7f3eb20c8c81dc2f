import { expect, test } from "vitest";
import { lower } from "../../src/program/lower.ts";
import type { Answer, Asked, Kind } from "../../src/runtime/protocol.ts";
import { timeAlone } from "../../src/runtime/time_alone.ts";
import { rankTrace, span } from "../measure/synthetic.ts";
import { linear, plan } from "../support/plans.ts";

const program = lower(
  plan("two", 2, [[linear(4, 4, "replicated", [[0]])], [linear(4, 4, "replicated", [[1]])]]),
);

/** Steps of that length, whose k-th alone has a kernel of k ms. */
function groupOf(stepMs: number, isTimed = true) {
  const asked: string[] = [];
  const counts = new Map<number, number>();
  const ask = async <Of extends Kind>(rank: number, what: Of, more: Asked<Of>) => {
    const isLast = "isLast" in more && more.isLast;
    asked.push(`${rank} ${what}${isLast ? " last" : ""}`);
    if (what === "record") {
      const recorded: Answer<"record"> = {
        stepMs,
        signals: { posted: new Map(), received: new Map() },
      };
      return recorded as Answer<Of>;
    }
    const count = (counts.get(rank) ?? 0) + 1;
    counts.set(rank, count);
    const spans = [isTimed ? span("compute", 0, count, 0) : span("compute", 0, 1)];
    const alone: Answer<"exclusive"> = { trace: rankTrace(rank, spans), pauses: [] };
    return alone as Answer<Of>;
  };
  const askAll = async <Of extends Kind>(what: Of, more: Asked<Of>) =>
    Promise.all(program.ranks.map(async ({ rank }) => ask(rank, what, more)));
  return { asked, ask, askAll };
}

test("all ranks record a step, then each runs it alone, and forgets it after the last time", async () => {
  const { asked, ...group } = groupOf(1000);
  const measured = await timeAlone(group, program, 2, 5);
  expect(asked).toEqual([
    "0 record",
    "1 record",
    "0 exclusive",
    "0 exclusive",
    "0 exclusive last",
    "1 exclusive",
    "1 exclusive",
    "1 exclusive last",
  ]);
  // The first is for warming up.
  expect(
    measured?.repeats.map((ranks) => ranks.map(({ instructions }) => instructions[0]?.compute)),
  ).toEqual([
    [2, 2],
    [3, 3],
  ]);
});

test.each([
  [1000, 2],
  [10, 10],
  [1, 30],
])("steps of %i ms are timed %i times", async (stepMs, repeats) => {
  const measured = await timeAlone(groupOf(stepMs), program, 2, 30);
  expect(measured?.repeats).toHaveLength(repeats);
});

test("kernels that are not timed one by one give nothing, and every rank forgets its step", async () => {
  const untimed = groupOf(1000, false);
  expect(await timeAlone(untimed, program, 1, 1)).toBeUndefined();
  expect(untimed.asked.filter((line) => line.endsWith("last"))).toHaveLength(2);
});
