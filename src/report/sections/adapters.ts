// Who ran, what that reaches at best, and what to know of the time in which it ran.

import { describeLink, runConditions } from "../../claims/obstacles.ts";
import { countOf } from "../../measure/format.ts";
import type { Plan } from "../../plan/plan.ts";
import type { RankAdapter, RunResult } from "../../result/result.ts";
import { left, note, paragraph, right, table, type Block, type Section } from "../section.ts";
import { circumstanceNotes } from "./circumstances.ts";
import { hostOf } from "./host.ts";
import { peaksSentence } from "./peaks.ts";
import { separationSentences } from "./separation.ts";

export function adaptersSection({ workload }: Plan, result: RunResult): Section {
  const { adapters, calibration, link, metrics, notes, separation, versions } = result;
  const said = [
    ...calibration.map((each) => peaksSentence(each, workload.dtype, metrics.kernels)),
    ...(separation === undefined ? [] : separationSentences(separation)),
  ];
  const doubts = [
    ...notes,
    ...(link === undefined ? [] : [describeLink(link)]),
    ...circumstanceNotes(result),
  ];
  return {
    title: "Adapters",
    blocks: [
      table(
        [...right("rank"), ...left("adapter", "device", "kind")],
        adapters.map((adapter) => ({
          cells: [String(adapter.rank), adapter.id, adapter.name, kindOf(adapter)],
        })),
      ),
      ...said.map((sentence) => note(sentence, "plain")),
      ...doubts.map((sentence) => note(sentence, "doubtful")),
      note(
        `shardbench ${versions.shardbench}, node ${versions.node}, webgpu ${versions.webgpu}, ${hostOf(versions)}`,
        "plain",
      ),
    ],
  };
}

/** When and on what the figures were taken, for reports that show no table of adapters. */
export function conditionsOfRun(result: RunResult): Block[] {
  const { date, adapters, link, runs, versions } = result;
  const what = runs.length < 2 ? "run" : countOf(runs.length, "run");
  return [
    paragraph(
      `${what} of ${date} on ${runConditions(adapters, link).join("; ")}; ${hostOf(versions)}`,
      "faint",
    ),
    ...circumstanceNotes(result).map((sentence) => paragraph(sentence, "doubtful")),
  ];
}

function kindOf({ software, sharedWith, core, keptAwake }: RankAdapter): string {
  const kind = software ? "software" : "hardware";
  if (software && core !== undefined) {
    return keptAwake === true
      ? `${kind}, on core ${core}, awake`
      : `${kind}, on core ${core} alone`;
  }
  return sharedWith.length === 0 ? kind : `${kind}, shared with ${sharedWith.join(", ")}`;
}
