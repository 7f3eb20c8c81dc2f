// What each technique of a plan is worth here, alone and beside each other one.

import {
  type AblationVerdict,
  betweenOpenings,
  type TechniqueEffect,
} from "../measure/ablation.ts";
import {
  countOf,
  formatBytes,
  formatFigure,
  formatInterval,
  formatNumber,
  formatPercent,
} from "../measure/format.ts";
import { median } from "../measure/statistics.ts";
import type { Plan } from "../plan/plan.ts";
import type {
  AblatedPair,
  AblatedTechnique,
  AblatedVariant,
  Ablation,
} from "../result/ablation.ts";
import {
  drawing,
  left,
  note,
  paragraph,
  right,
  table,
  type Block,
  type Drawing,
  type Report,
  type Section,
  type TonedText,
} from "./section.ts";
import { measuredOn } from "./sections/measured_on.ts";
import { planLine } from "./sections/plan_line.ts";

export function ablateReport(plan: Plan, ablation: Ablation): Report {
  return {
    title: [planLine(plan)],
    intro: [measuredOn(ablation)],
    sections: [
      techniquesSection(ablation),
      { title: "Samples", blocks: samplesBlocks(ablation) },
      changesSection(ablation),
      pairsSection(ablation),
      checkSection(ablation),
    ],
  };
}

/** Within a run's page. */
export function ablationSection(ablation: Ablation): Section {
  const { blocks } = techniquesSection(ablation);
  return {
    title: "Techniques",
    blocks: [...blocks, measuredOn(ablation)],
    parts: [changesSection(ablation), pairsSection(ablation)],
  };
}

const verdictTexts: Readonly<Record<AblationVerdict, TonedText>> = {
  pays: { text: "pays", tone: "good" },
  trades: { text: "trades", tone: "doubtful" },
  costs: { text: "costs", tone: "bad" },
  nothing: "does nothing here",
  open: { text: "not decided", tone: "doubtful" },
};

function techniquesSection({ techniques, variants }: Ablation): Section {
  const title = "What each technique is worth";
  if (techniques.length === 0) {
    return { title, blocks: [paragraph("The plan names no optimization.")] };
  }
  return {
    title,
    blocks: [
      table(
        [...left("technique"), ...right("step ratio", "95 % within"), ...left("verdict")],
        techniques.map((each) => ({ cells: techniqueCells(each), prose: [[whyOf(each)]] })),
        { columns: [{ title: "why" }], place: "under its row" },
      ),
      note(
        "step ratio: a step with the technique ÷ one without it and with all others, in turn on the same ranks; " +
          `median of ${countOf(roundsOf(variants), "round")}. Kernels take their usual variants`,
      ),
    ],
  };
}

/** Of pairs there would be too many to be told apart. */
function samplesBlocks({ variants }: Ablation): Drawing[] {
  const shown = variants.filter(({ off }) => off.length < 2);
  if (shown.length < 2) return [];
  return [
    drawing("Every timed step, with all techniques and without one of them", {
      form: "samples",
      runs: shown.map(({ stepMs }) => stepMs),
      names: shown.map(({ off: [technique] }) =>
        technique === undefined ? "all" : `without ${technique}`,
      ),
    }),
  ];
}

function techniqueCells(each: AblatedTechnique): TonedText[] {
  const { technique } = each;
  if (each.state === "not switched") return [technique, "", "", "not switched"];
  if (each.state === "same program") return [technique, "", "", "does nothing here"];
  return [
    technique,
    formatFigure(each.stepRatio),
    formatInterval(each.stepRatio),
    verdictTexts[each.verdict],
  ];
}

function whyOf(each: AblatedTechnique): string {
  if (each.state === "not switched") return each.why;
  if (each.state === "same program") return "the program is the same without it";
  const texts = [
    each.better.length === 0 ? "" : `better: ${changesOf(each, each.better)}`,
    each.worse.length === 0 ? "" : `worse: ${changesOf(each, each.worse)}`,
    each.verdict === "open" ? whyOpen(each) : "",
  ].filter((text) => text !== "");
  return texts.length > 0
    ? texts.join("; ")
    : "step, memory and bytes sent are the same within 2 %";
}

function whyOpen({ stepRatio: { interval } }: TechniqueEffect): string {
  const isBesideOne = interval !== undefined && (interval[1] < 1 || interval[0] > 1);
  return isBesideOne
    ? `ranks opened anew may differ by ${formatPercent(betweenOpenings)}, which no rounds tell`
    : "more rounds would tell whether it changes the step";
}

function changesOf(
  { stepRatio, memoryRatio, wireRatio }: TechniqueEffect,
  which: TechniqueEffect["better"],
): string {
  const ratios = { step: stepRatio.value, memory: memoryRatio, messages: wireRatio };
  const texts = which.map((effect) => {
    const ratio = ratios[effect];
    const word = effect === "messages" ? "bytes sent" : effect;
    return ratio === undefined ? word : `${word} × ${formatNumber(ratio)}`;
  });
  return texts.join(", ");
}

function changesSection({ variants }: Ablation): Section {
  const isTraining = variants.some(({ training }) => training !== undefined);
  return {
    title: "Steps, memory and errors, as it is and without each",
    blocks: [
      table(
        [
          ...left("without"),
          ...right("step", "memory", "sent", "error"),
          ...(isTraining ? right("of loss", "of gradients") : []),
        ],
        variants
          .filter(({ off }) => off.length < 2)
          .map((variant) => ({ cells: changeCells(variant, isTraining) })),
      ),
      note(
        "memory: of the rank that allocates most; sent: over all ranks, per step; errors: relative, largest of the result, " +
          "against what the check of that plan holds it against",
      ),
      ...memoryByKind(variants),
    ],
  };
}

function changeCells(variant: AblatedVariant, isTraining: boolean): string[] {
  const { off, stepMs, memory, wireBytes, error, training } = variant;
  const bytes = Object.values(memory).reduce((sum, each) => sum + each, 0);
  return [
    off[0] ?? "nothing",
    `${formatNumber(median(stepMs))} ms`,
    formatBytes(bytes),
    formatBytes(wireBytes),
    error.toExponential(1),
    ...(isTraining
      ? [training?.lossError.toExponential(1) ?? "", training?.gradientError.toExponential(1) ?? ""]
      : []),
  ];
}

/** Where switching a technique off changes the memory. */
function memoryByKind([asItIs, ...others]: readonly AblatedVariant[]): Block[] {
  if (asItIs === undefined) return [];
  return others.flatMap(({ off, memory }) => {
    if (off.length !== 1) return [];
    const [before, after] = [asItIs.memory, memory].map(
      (each) => new Map<string, number>(Object.entries(each)),
    );
    const kinds = new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])]);
    const changed = [...kinds].flatMap((kind) => {
      const [had, has] = [before?.get(kind) ?? 0, after?.get(kind) ?? 0];
      return had === has ? [] : [`${kind} ${formatBytes(has)} instead of ${formatBytes(had)}`];
    });
    return changed.length === 0 ? [] : [note(`without ${off[0]}: ${changed.join(", ")}`, "plain")];
  });
}

function pairsSection({ pairs }: Ablation): Section {
  const title = "Pairs";
  if (pairs.length === 0) return { title, blocks: [] };
  return {
    title,
    blocks: [
      table(
        [...left("pair"), ...right("interaction", "95 % within"), ...left("they")],
        pairs.map((each) => ({ cells: pairCells(each) })),
      ),
      note(
        "interaction: what both are worth together ÷ the product of what each is worth alone; below 1 they gain more " +
          "together. Each pair is an interval of its own: of twenty, one may decide by chance",
      ),
    ],
  };
}

function pairCells(each: AblatedPair): TonedText[] {
  const pair = each.pair.map((name) => short[name] ?? name).join(" + ");
  if (each.state === "not switched") return [pair, "", "", each.why];
  const { interaction, verdict } = each;
  const said = { independent: "do not interact", open: "not decided" };
  const text = verdict === "independent" || verdict === "open" ? said[verdict] : verdict;
  return [pair, formatFigure(interaction), formatInterval(interaction), text];
}

/** So that two fit in a line. */
const short: Readonly<Record<string, string>> = {
  "fused-attention": "attention",
  "communication-overlap": "overlap",
  "activation-checkpointing": "checkpointing",
  "mixed-precision": "precision",
  "async-data-pipeline": "data",
  "gradient-accumulation": "accumulation",
};

function checkSection({ variants }: Ablation): Section {
  return {
    title: "Numbers",
    blocks: [
      note(
        `${countOf(variants.length, "variant")}, each checked before anything was timed, each instruction against what it read; ` +
          "every timed step left the checked one's bits",
        "plain",
      ),
    ],
  };
}

function roundsOf([first]: readonly AblatedVariant[]): number {
  return first?.stepMs.length ?? 0;
}
