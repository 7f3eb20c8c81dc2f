// How to run a plan again as a result was made.

import type { RunResult } from "../../result/result.ts";
import { note, paragraph, verbatim, type Section } from "../section.ts";

export function repeatSection(result: RunResult): Section {
  const { date, scaled, notes } = result;
  const { ran: written = result.written } = scaled ?? {};
  return {
    title: "To repeat it",
    blocks: [
      paragraph(`Run on ${date}. With the plan below as plan.json:`),
      verbatim([commandOf(result)]),
      // Weights and tokens that were given, which the command does not name.
      ...notes.map((each) => note(each)),
      ...(written === undefined
        ? [note("the result does not hold its plan")]
        : [verbatim(JSON.stringify(written, null, 2).split("\n"), "json")]),
    ],
  };
}

/** What a result tells of the options; budgets of time became numbers of samples. */
function commandOf({ adapters, runs, samples, seed, link }: RunResult): string {
  const placement = adapters.map(({ rank, id }) => `${rank}=${id}`).join(",");
  const pinned = adapters.some(({ core }) => core !== undefined);
  const awake = adapters.some(({ keptAwake }) => keptAwake === true);
  return [
    `shardbench run plan.json --placement ${placement} --seed ${seed}`,
    ...(runs.length > 1 ? [`--runs ${runs.length}`] : []),
    ...(runs.length === 0 ? [] : [`--samples ${Math.ceil(samples.length / runs.length)}`]),
    ...(awake ? ["--keep-awake"] : pinned ? ["--pin"] : []),
    ...(link?.bandwidth === undefined ? [] : [`--link-bandwidth ${link.bandwidth / 1e9}GB/s`]),
    ...(link === undefined || link.latencyMs === 0 ? [] : [`--link-latency ${link.latencyMs}ms`]),
  ].join(" ");
}
