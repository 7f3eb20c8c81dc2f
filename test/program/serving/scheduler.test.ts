// Whatever requests come and whatever the budget: all are served, in their order, within what there is.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createScheduler,
  type SchedulerOptions,
  tokensGivenBy,
} from "../../../src/program/serving/scheduler.ts";
import type { ServedStep } from "../../../src/program/serving/served.ts";

const base: SchedulerOptions = {
  kind: "continuous",
  inputTokens: 4,
  outputTokens: 3,
  prefillChunk: 4,
  maxBatchedTokens: 8,
  pageTokens: 2,
  arrivals: [0, 0, 0],
  decodeSlots: [0, 0],
  prefillSlots: [0, 0],
};

/** Every step takes a millisecond. */
function played(options: SchedulerOptions): { steps: ServedStep[]; pages: number[] } {
  const scheduler = createScheduler(options);
  const steps: ServedStep[] = [];
  const pages: number[] = [];
  for (let now = 0; steps.length < 10_000;) {
    const next = scheduler.next(now);
    if (next === undefined) return { steps, pages };
    if ("idleUntilMs" in next) {
      if (next.idleUntilMs <= now) throw new Error("it waits for what has come");
      now = next.idleUntilMs;
      continue;
    }
    steps.push(next.step);
    pages.push(scheduler.pagesInUse());
    now += 1;
  }
  throw new Error("it does not end");
}

const options = fc
  .record({
    kind: fc.constantFrom("static" as const, "continuous" as const),
    inputTokens: fc.integer({ min: 1, max: 9 }),
    outputTokens: fc.integer({ min: 2, max: 6 }),
    prefillChunk: fc.integer({ min: 1, max: 9 }),
    budget: fc.integer({ min: 1, max: 12 }),
    pageTokens: fc.integer({ min: 1, max: 5 }),
    gaps: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 9 }),
    replicas: fc.integer({ min: 1, max: 3 }),
    slots: fc.integer({ min: 1, max: 3 }),
    prefills: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ gaps, replicas, slots, prefills, budget, ...rest }): SchedulerOptions => {
    const each = (count: number): number[] =>
      Array.from({ length: replicas * count }, (_, i) => Math.floor(i / count));
    let now = 0;
    const arrivals = gaps.map((gap, i) => (i === 0 ? 0 : (now += gap)));
    const prefillChunk = Math.min(rest.prefillChunk, rest.inputTokens);
    return {
      ...rest,
      arrivals,
      prefillChunk,
      maxBatchedTokens: prefillChunk < rest.inputTokens ? budget : rest.inputTokens + budget,
      decodeSlots: each(slots),
      prefillSlots: each(prefills),
    };
  });

test("every request gets all of its tokens, each once and in order", () => {
  fc.assert(
    fc.property(options, (own) => {
      const { steps } = played(own);
      const cached = own.arrivals.map(() => 0);
      const given = own.arrivals.map(() => 0);
      for (const step of steps) {
        for (const served of step.slots) {
          if (served === undefined) continue;
          expect(served.first).toBe(cached[served.request]);
          expect(served.tokens).toBeGreaterThan(0);
          cached[served.request]! += served.tokens;
        }
        for (const request of tokensGivenBy(step, own)) given[request]! += 1;
      }
      expect(cached).toEqual(own.arrivals.map(() => own.inputTokens + own.outputTokens - 1));
      expect(given).toEqual(own.arrivals.map(() => own.outputTokens));
    }),
    { numRuns: 300 },
  );
});

test("no step takes more prompt tokens than the budget, and none before its request has come", () => {
  fc.assert(
    fc.property(options, (own) => {
      const scheduler = createScheduler(own);
      for (let now = 0; ; now += 1) {
        const next = scheduler.next(now);
        if (next === undefined) return;
        if ("idleUntilMs" in next) continue;
        const served = next.step.slots.flatMap((each) => each ?? []);
        for (const { request } of served) expect(own.arrivals[request]).toBeLessThanOrEqual(now);
        if (next.step.phase === "decode") continue;
        const tokens = served.reduce((sum, each) => sum + each.tokens, 0);
        expect(tokens).toBeLessThanOrEqual(own.maxBatchedTokens);
      }
    }),
    { numRuns: 300 },
  );
});

test("requests of a replica start in the order in which they came", () => {
  fc.assert(
    fc.property(options, (own) => {
      const { steps } = played(own);
      const started = new Set<number>();
      for (const { phase, slots } of steps) {
        for (const served of slots) {
          if (served !== undefined && phase === "prefill") started.add(served.request);
        }
      }
      const order = [...started];
      // Two of different replicas may start in one step in the order of the slots.
      const isOne = new Set(own.decodeSlots).size === 1;
      expect(order).toEqual(isOne ? order.toSorted((a, b) => a - b) : order);
      expect(order).toHaveLength(own.arrivals.length);
    }),
    { numRuns: 300 },
  );
});

test("no two requests have the same page at a time", () => {
  fc.assert(
    fc.property(options, (own) => {
      const pageOwners = new Map<string, number>();
      const left = own.arrivals.map(() => own.inputTokens + own.outputTokens - 1);
      for (const { phase, slots } of played(own).steps) {
        for (const [slot, served] of slots.entries()) {
          if (served === undefined) continue;
          const { request, tokens, pages } = served;
          const replica = (phase === "decode" ? own.decodeSlots : own.prefillSlots)[slot];
          for (const page of pages) {
            const key = `${replica} ${page}`;
            expect(pageOwners.get(key) ?? request).toBe(request);
            pageOwners.set(key, request);
          }
          left[request]! -= tokens;
        }
        for (const [key, request] of pageOwners) if (left[request] === 0) pageOwners.delete(key);
      }
    }),
    { numRuns: 300 },
  );
});

describe("policies", () => {
  const phasesOf = (own: Partial<SchedulerOptions>): string =>
    played({ ...base, ...own })
      .steps.map(({ phase, slots }) => {
        const requests = slots.flatMap((served) => served?.request ?? []);
        return `${phase[0]}${requests.join("")}`;
      })
      .join(" ");

  test("continuous: a request starts where another has ended", () => {
    expect(phasesOf({})).toBe("p01 d01 d01 p2 d2 d2");
  });

  test("static: the second wave waits for the first, and a request that comes meanwhile, too", () => {
    expect(phasesOf({ kind: "static", arrivals: [0, 1, 1] })).toBe("p0 d0 d0 p12 d12 d12");
    expect(phasesOf({ arrivals: [0, 1, 1] })).toBe("p0 p1 d01 d01 p2 d2 d2");
  });

  test("chunks: running requests go first, prompts take what is left of the budget", () => {
    expect(phasesOf({ prefillChunk: 2, maxBatchedTokens: 3, arrivals: [0, 1] })).toBe(
      "p0 p01 d0 p1 d0 p1 d1 d1",
    );
  });
});
