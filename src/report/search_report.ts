// What a search found: how many candidates there were and what removed them, the best, the front, and in what the winner
// differs from the plan as it was.

import { countOf, formatBytes, formatNumber, formatValue } from "../measure/format.ts";
import type { PairedRatio } from "../measure/paired_ratio.ts";
import type { Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import { degreesOf } from "../plan/stages_from_degrees.ts";
import type { Peaks } from "../program/bound.ts";
import {
  fits,
  objectives,
  type FoundPlan,
  type Objective,
  type Prediction,
} from "../search/candidate.ts";
import { changesBetween } from "../search/explain.ts";
import type { Removed, Searched } from "../search/search.ts";
import { left, line, note, paragraph, type Report, right, type Section, table } from "./section.ts";
import { planLine } from "./sections/plan_line.ts";

export interface ShownSearch {
  readonly plan: Plan;
  readonly written: PlanFile;
  readonly found: Searched;
  readonly objective: Objective;
  readonly seconds: number;
  readonly peaks: { readonly peaks: Peaks; readonly peaksFrom: string };
  readonly runs: ShownRuns | undefined;
  /** Absent where nothing is better, or what ran is not. */
  readonly winner: FoundPlan | undefined;
  readonly output: string | undefined;
}

interface ShownRuns {
  readonly runs: readonly {
    readonly givenMs: number;
    readonly foundMs: number;
    readonly speedUp: PairedRatio;
  }[];
}

export function searchReport(shown: ShownSearch): Report {
  const { plan, written, found, runs, output, winner } = shown;
  return {
    title: [planLine(plan)],
    sections: [
      candidatesSection(shown),
      bestSection(shown),
      frontSection(found),
      ...(winner === undefined ? [] : [changesSection(written, winner, found.given)]),
      ...(runs === undefined ? [] : [runsSection(runs, shown)]),
      ...(output === undefined || winner === undefined
        ? []
        : [{ blocks: [line([`Plan file: ${output}`])] }]),
    ],
  };
}

type Counted = Exclude<keyof Removed, "refusedBy">;

const removals: readonly (readonly [Counted, string])[] = [
  ["memory", "weights and state alone do not fit (bound)"],
  ["balance", "arithmetic, its balance and the pipeline's fill allow nothing better (bound)"],
  ["wire", "so with what must be on the wire (bound)"],
  ["refused", "refused by rules of the check"],
  ["tooLarge", "do not fit, as counted or by far as predicted"],
  ["notLookedAt", "not looked at or not counted, for want of time (--time)"],
];

function candidatesSection({ plan, found, seconds, peaks }: ShownSearch): Section {
  const rows = removals
    .filter(([key]) => found.removed[key] > 0)
    .map(([key, why]) => ({ cells: [formatNumber(found.removed[key]), why] }));
  const refusals = found.removed.refusedBy.map(({ code, count }) => `${code} ${count}`);
  return {
    title: "Candidates",
    blocks: [
      paragraph(
        `${countOf(found.candidates, "candidate")}, ${formatNumber(found.predicted)} of them predicted, in ${formatNumber(seconds)} s`,
      ),
      ...(rows.length === 0 ? [] : [table([...right("removed"), ...left("because")], rows)]),
      ...(refusals.length === 0 ? [] : [note(`refused by ${refusals.join(", ")}`, "plain")]),
      ...(plan.workload.mode === "training" && plan.workload.schedule === undefined
        ? [
            note(
              "a step is the forward pass alone: name workload.schedule and workload.optimizer for whole steps of training",
              "doubtful",
            ),
          ]
        : []),
      note(
        `projected from ${peaks.peaksFrom}: kernels at the roofline and their launch, ` +
          (found.isSimulated
            ? "every instruction of the plans below simulated"
            : "slots of the schedule simulated, from the cost of a stage's blocks"),
      ),
    ],
  };
}

const figureColumns = right("step ms", "samples/s", "latency ms", "memory");

function figureCells({ plan, prediction }: FoundPlan): string[] {
  const { stepMs, latencyMs, memoryBytes } = prediction;
  return [
    formatNumber(stepMs),
    formatNumber((1000 * plan.workload.batch) / stepMs),
    formatNumber(latencyMs),
    formatBytes(memoryBytes),
  ];
}

function waitingOf({ stepMs, kernelMs, wireMs }: Prediction): number {
  return Math.max(0, stepMs - kernelMs - wireMs);
}

function bestSection({ found, objective, runs, winner }: ShownSearch): Section {
  const { given, best } = found;
  const rows = [
    ...(given === undefined
      ? []
      : [{ cells: ["as given", splitOf(given.file), ...figureCells(given)] }]),
    ...best.map((each, i) => ({
      cells: [String(i + 1), splitOf(each.file), ...figureCells(each)],
    })),
  ];
  return {
    title: `Best for ${objective}, projected`,
    blocks: [
      table([...left("plan", "split"), ...figureColumns], rows),
      note(
        "latency: one micro-batch through the whole plan alone; memory: of the fullest GPU, as counted",
      ),
      ...(given === undefined
        ? [
            note(
              "the plan as given is not projected: it is refused, or divided unevenly",
              "doubtful",
            ),
          ]
        : fits(given)
          ? []
          : [note("the plan as given does not fit in the memory of its GPUs", "doubtful")]),
      ...(best.length === 0
        ? [note(`no candidate ${triedOf(found.removed)} fits and passes the check`, "doubtful")]
        : winner === undefined && runs === undefined
          ? [note("none is better than the plan as given, and no plan is written", "doubtful")]
          : []),
    ],
  };
}

function triedOf({ notLookedAt }: Removed): string {
  return notLookedAt > 0 ? "looked at in this time" : "of them";
}

function frontSection({ front }: Searched): Section {
  return {
    title: `Front: nothing found is better in ${objectives.join(", ")} at once`,
    blocks: [
      table(
        [...left("split"), ...figureColumns],
        front.map((each) => ({ cells: [splitOf(each.file), ...figureCells(each)] })),
      ),
    ],
  };
}

function changesSection(
  written: PlanFile,
  winner: FoundPlan,
  given: FoundPlan | undefined,
): Section {
  const changes = changesBetween(written, winner.file);
  return {
    title: "The best beside the plan as given",
    blocks: [
      ...(changes.length === 0
        ? []
        : [
            table(
              left("field", "given", "best"),
              changes.map(({ path, before = "–", after = "–" }) => ({
                cells: [path, before, after],
              })),
            ),
          ]),
      ...(given === undefined
        ? []
        : reasonsFor(given.prediction, winner.prediction).map((reason) => note(reason, "plain"))),
    ],
  };
}

/** What of the step became shorter or longer, the largest change first. */
function reasonsFor(given: Prediction, best: Prediction): string[] {
  const parts = [
    { what: "arithmetic of the busiest GPU", before: given.kernelMs, after: best.kernelMs },
    { what: "its transfers that nothing hides", before: given.wireMs, after: best.wireMs },
    {
      what: "its waiting for others, the pipeline's fill among it",
      before: waitingOf(given),
      after: waitingOf(best),
    },
  ];
  const changed = parts
    .filter(({ before, after }) => Math.abs(after - before) > 0.005 * given.stepMs)
    .toSorted((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before))
    .map(
      ({ what, before, after }) =>
        `${what}: ${formatValue(before, "ms")} → ${formatValue(after, "ms")}`,
    );
  const ratio = given.stepMs / best.stepMs;
  return [
    `step ${formatValue(given.stepMs, "ms")} → ${formatValue(best.stepMs, "ms")}: ${formatNumber(ratio)}× as fast, projected`,
    ...changed,
  ];
}

function nothingBetter(objective: Objective): string {
  return objective === "throughput"
    ? "none of them is faster here"
    : `none of them is better for ${objective} than the plan as given`;
}

function runsSection({ runs }: ShownRuns, { winner, objective }: ShownSearch): Section {
  return {
    title: "Run here, in turns with the plan as given",
    blocks: [
      table(
        right("plan", "given ms", "found ms", "given ÷ found", "95 % within", "pairs"),
        runs.map(({ givenMs, foundMs, speedUp }, i) => ({
          cells: [
            String(i + 1),
            formatNumber(givenMs),
            formatNumber(foundMs),
            `${formatNumber(speedUp.ratio)}×`,
            speedUp.interval === undefined
              ? "–"
              : speedUp.interval.map((end) => formatNumber(end)).join(" … "),
            String(speedUp.pairs),
          ],
        })),
      ),
      note(
        "measured; numbers of both plans were checked before, and every timed step held against them",
      ),
      ...(objective === "throughput"
        ? []
        : [
            note(
              `a run times whole steps: the best for ${objective} is chosen as projected`,
              "plain",
            ),
          ]),
      ...(winner === undefined && runs.length > 0
        ? [note(`${nothingBetter(objective)}, and no plan is written`, "doubtful")]
        : []),
    ],
  };
}

/** `TP 2 PP 4 DP 8, 16 micro-batches, 1F1B, overlap`. */
export function splitOf(file: PlanFile): string {
  const { workload, optimizations = [] } = file;
  const { microBatches = 1, schedule, recompute } = workload;
  return [
    file.stages === undefined ? degreesText(file) : stagesText(file),
    countOf(microBatches, "micro-batch"),
    ...(schedule === undefined ? [] : [schedule === "gpipe" ? "GPipe" : "1F1B"]),
    ...(recompute === undefined ? [] : ["recomputed"]),
    ...(optimizations.includes("communication-overlap") ? ["overlap"] : []),
  ].join(", ");
}

function degreesText(file: PlanFile): string {
  const { tensor, pipeline, data, expert, virtualStages = 1, layersPerStage } = degreesOf(file);
  const split = Object.entries({ TP: tensor, PP: pipeline, DP: data, EP: expert })
    .filter(([, degree]) => degree > 1)
    .map(([name, degree]) => `${name} ${degree}`)
    .join(" ");
  return [
    split === "" ? "one GPU" : split,
    ...(virtualStages > 1 ? [`${virtualStages} virtual stages`] : []),
    ...(layersPerStage === undefined ? [] : [`layers ${layersPerStage.join("+")}`]),
  ].join(", ");
}

function stagesText({ stages = [] }: PlanFile): string {
  const groups = stages.flatMap(({ layers }) =>
    layers.flatMap(({ parallel }) => (parallel === undefined ? [] : [parallel.gpus.join("+")])),
  );
  return `GPUs ${groups.join(" → ")}`;
}
