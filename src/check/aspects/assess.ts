// Every quality of a plan with its judgement: what rules confirm, and what plan, program and verdicts tell.

import { assumedAmong } from "../../plan/assumed.ts";
import type { Diagnostic } from "../../plan/diagnostic.ts";
import type { Plan } from "../../plan/plan.ts";
import { sectionOf, titleOf } from "./finding_titles.ts";
import { definitionOf } from "../definitions.ts";
import type { AnalysisPart } from "../rule.ts";
import { loadOfGpus } from "../rules/splits/load_per_gpu.ts";
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
export function assess(
  diagnostics: readonly Diagnostic[],
  plan: Plan | undefined,
  assessed: Assessed | undefined,
): Assessment {
  const of = (part: keyof Assessment): Aspect[] => {
    const own = assessed === undefined ? [] : assessors[part].flatMap((each) => each(assessed));
    const told = new Set(own.flatMap(({ codes }) => codes));
    const confirmed = diagnostics.filter(
      (each) =>
        each.severity === "info" &&
        sections[part].includes(sectionOf(each)) &&
        !told.has(each.code) &&
        // The load has a table.
        each.code !== loadOfGpus.code,
    );
    return [...confirmed.map((each) => confirmedBy(each, plan)), ...own];
  };
  return { hardware: of("hardware"), model: of("model"), performance: of("performance") };
}

function confirmedBy(finding: Diagnostic, plan: Plan | undefined): Aspect {
  const { leansOn = [finding.path.join(".")], leavesOpen = "" } = definitionOf(finding) ?? {};
  return {
    title: titleOf(finding),
    judgement: "held",
    why: `${finding.message}${leavesOpen}`,
    leansOn: plan === undefined ? [] : assumedAmong(plan, leansOn),
    codes: [finding.code],
  };
}
