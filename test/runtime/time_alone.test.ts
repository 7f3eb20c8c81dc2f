import { expect, test } from "vitest";
import { lower } from "../../src/program/lower.ts";
import type { Reply, Request } from "../../src/runtime/messages.ts";
import { timeAlone } from "../../src/runtime/time_alone.ts";
import { rankTrace, span } from "../measure/synthetic.ts";
import { linear, plan } from "../support/plans.ts";

const program = lower(
  plan("two", 2, [[linear(4, 4, "replicated", [[0]])], [linear(4, 4, "replicated", [[1]])]]),
);

/** Steps of that length, whose k-th alone has a kernel of k ms. */
const groupOf = (stepMs: number) => {
  const asked: string[] = [];
  const counts = new Map<number, number>();
  const answer = (rank: number, request: Request): Reply => {
    asked.push(
      `${rank} ${request.kind}${request.kind === "exclusive" && request.isLast ? " last" : ""}`,
    );
    if (request.kind === "record") {
      return { kind: "recorded", stepMs, signals: { posted: new Map(), received: new Map() } };
    }
    const count = (counts.get(rank) ?? 0) + 1;
    counts.set(rank, count);
    const trace = rankTrace(rank, [span("compute", 0, count, 0)]);
    return { kind: "timed-alone", trace, pauses: [] };
  };
  const ask = async <Kind extends Reply["kind"]>(rank: number, request: Request, kind: Kind) => {
    const reply = answer(rank, request);
    if (reply.kind !== kind) throw new Error(`${reply.kind} instead of ${kind}`);
    return reply as Extract<Reply, { kind: Kind }>;
  };
  return { asked, ask };
};

test("all ranks record a step, then each runs it alone, and forgets it after the last time", async () => {
  const { asked, ask } = groupOf(1000);
  const measured = await timeAlone({ ask }, program, 2, 5);
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
  const untimed = groupOf(1000);
  const blind = async <Kind extends Reply["kind"]>(rank: number, request: Request, kind: Kind) => {
    const reply = await untimed.ask(rank, request, kind);
    return reply.kind === "timed-alone"
      ? { ...reply, trace: rankTrace(rank, [span("compute", 0, 1)]) }
      : reply;
  };
  expect(await timeAlone({ ask: blind }, program, 1, 1)).toBeUndefined();
  expect(untimed.asked.filter((line) => line.endsWith("last"))).toHaveLength(2);
});
