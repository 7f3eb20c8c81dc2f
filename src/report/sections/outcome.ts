// How a run ended that did not complete, and what it kept.

import { countOf } from "../../measure/format.ts";
import type { Outcome, RunResult } from "../../result/result.ts";
import { note, paragraph, type Section } from "../section.ts";

export function runOutcomeSection({
  outcome,
  samples,
}: Pick<RunResult, "outcome" | "samples">): Section {
  return outcomeSection(outcome, `${countOf(samples.length, "sample")} kept`);
}

/** @param kept in a phrase */
export function outcomeSection(outcome: Outcome, kept: string): Section {
  if (outcome.state === "complete") return { blocks: [] };
  if (outcome.state === "interrupted") {
    return { blocks: [paragraph(`Interrupted: ${kept}.`, "doubtful")] };
  }
  const what = `Stopped by ${outcome.code}: ${outcome.message.replace(/\.+$/, "")}. ${kept}.`;
  return { blocks: [paragraph(what, "bad"), note(`→ ${outcome.hint}`, "plain")] };
}
