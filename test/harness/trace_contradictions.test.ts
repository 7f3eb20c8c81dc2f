// The step that a result keeps moment by moment is held against its sample, and against the program.

import { expect, test } from "vitest";
import { parseResult } from "../../src/harness/earlier_result.ts";
import type { KeptTrace, RunResult } from "../../src/result/result.ts";
import { textOfResult } from "../../src/result/result_text.ts";
import { planOf } from "../support/given.ts";
import { runOf } from "../support/made_up_run.ts";

const plan = await planOf("three-stage-pipeline.json");
const result = runOf(plan);

function refusalOf(change: (trace: KeptTrace) => KeptTrace): string {
  const { trace } = result;
  if (trace === undefined) throw new Error("the run keeps a step");
  const changed: RunResult = { ...result, trace: change(trace) };
  try {
    parseResult(textOfResult(changed), "result.json", plan);
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
}

function withSpans(change: (spans: KeptTrace["ranks"][number]["spans"]) => unknown) {
  return (trace: KeptTrace): KeptTrace => ({
    ...trace,
    ranks: trace.ranks.map((rank, i) =>
      i === 1 ? { ...rank, spans: change(rank.spans) as typeof rank.spans } : rank,
    ),
  });
}

test("control: as it was taken it is read again, to the last digit", () => {
  expect(refusalOf((trace) => trace)).toBe("");
  expect(parseResult(textOfResult(result), "result.json", plan).trace).toEqual(result.trace);
});

test.each<[string, (trace: KeptTrace) => KeptTrace, string]>([
  ["another step", (trace) => ({ ...trace, step: 3 }), "another wallMs than the sample"],
  ["a step that no sample is of", (trace) => ({ ...trace, step: 99 }), "another sample than"],
  ["a rank less", (trace) => ({ ...trace, ranks: trace.ranks.slice(1) }), "the program's ranks"],
  [
    "a kernel that took longer",
    withSpans((spans) =>
      spans.map((span) => (span.kind === "compute" ? { ...span, endMs: span.endMs + 0.5 } : span)),
    ),
    "trace gives another ranks.1",
  ],
  [
    "an instruction that the program has not",
    withSpans((spans) => spans.map((span) => ({ ...span, instruction: 999 }))),
    "the program's ranks and instructions",
  ],
  [
    "a span that ends before it begins",
    withSpans((spans) => spans.map((span) => ({ ...span, endMs: span.startMs - 1 }))),
    "the program's ranks and instructions",
  ],
  ["spans of another kind", withSpans(() => [{ kind: "sleep", startMs: 0, endMs: 1 }]), "kind"],
])("refused is %s", (_, change, reason) => {
  expect(refusalOf(change)).toContain(reason);
});
