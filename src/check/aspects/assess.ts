// Every quality of a plan with its judgement: what rules confirm, and what plan, program and verdicts tell.

import { assumedAmong } from "../../plan/assumed.ts";
import type { Diagnostic } from "../../plan/diagnostic.ts";
import type { Plan } from "../../plan/plan.ts";
import { sectionOf, titleOf, type AnalysisPart } from "./finding_titles.ts";
import type { Aspect, Assess, Assessed } from "./aspect.ts";
import { metricsValidated, utilizationWithoutOverload } from "./claimed.ts";
import { communicationBandwidth, communicationLatency } from "./communication.ts";
import { loadBalance } from "./load_balance.ts";
import { conservativeMemory } from "./memory_use.ts";
import { pipelineEfficiency } from "./pipeline.ts";
import { hardwareMatch, tensorSplitDevices, tensorStrategy } from "./splits.ts";
import { techniques } from "./techniques.ts";

export interface Assessment {
  readonly hardware: readonly Aspect[];
  readonly model: readonly Aspect[];
  readonly performance: readonly Aspect[];
}

const assessors: Readonly<Record<keyof Assessment, readonly Assess[]>> = {
  hardware: [hardwareMatch, tensorSplitDevices],
  model: [tensorStrategy],
  performance: [
    pipelineEfficiency,
    loadBalance,
    communicationBandwidth,
    communicationLatency,
    conservativeMemory,
    utilizationWithoutOverload,
    techniques,
    metricsValidated,
  ],
};

const sections: Readonly<Record<keyof Assessment, readonly AnalysisPart[]>> = {
  hardware: ["hardware"],
  model: ["model"],
  performance: ["strengths", "claims"],
};

/**
 * @param plan absent where the file is none
 * @param assessed absent where the plan has no meaning that can be counted: then only rules speak
 */
export const assess = (
  diagnostics: readonly Diagnostic[],
  plan: Plan | undefined,
  assessed: Assessed | undefined,
): Assessment => {
  const of = (part: keyof Assessment): Aspect[] => {
    const own = assessed === undefined ? [] : assessors[part].flatMap((each) => each(assessed));
    const told = new Set(own.flatMap(({ codes }) => codes));
    const confirmed = diagnostics.filter(
      (each) =>
        each.severity === "info" &&
        sections[part].includes(sectionOf(each)) &&
        !told.has(each.code) &&
        !hasItsOwnPlace.has(each.code),
    );
    return [...confirmed.map((each) => confirmedBy(each, plan)), ...own];
  };
  return { hardware: of("hardware"), model: of("model"), performance: of("performance") };
};

/** The load has a table. */
const hasItsOwnPlace = new Set(["load-per-gpu"]);

/** What a rule's sentence leans on beside the value that it is about. */
const paths: Readonly<Record<string, readonly string[]>> = {
  "experts-balanced": ["model.moe.experts", "parallel"],
  "memory-headroom": ["model", "stages", "parallel", "workload", "hardware.memoryPerGpu"],
};

/** What it leaves open. */
const open: Readonly<Record<string, string>> = {
  "experts-balanced": "; how evenly tokens choose them, only a run tells",
};

const confirmedBy = (finding: Diagnostic, plan: Plan | undefined): Aspect => ({
  title: titleOf(finding),
  judgement: "held",
  why: `${finding.message}${open[finding.code] ?? ""}`,
  leansOn:
    plan === undefined ? [] : assumedAmong(plan, paths[finding.code] ?? [finding.path.join(".")]),
  codes: [finding.code],
});
