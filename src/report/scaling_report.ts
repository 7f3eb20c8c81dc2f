// How efficient more GPUs are, and where the rest went.

import {
  countOf,
  formatFigure,
  formatInterval,
  formatNumber,
  formatPercent,
} from "../measure/format.ts";
import type { Plan } from "../plan/plan.ts";
import type { ScaledSize, Scaling } from "../result/scaling.ts";
import {
  drawing,
  left,
  note,
  right,
  table,
  type Drawing,
  type Report,
  type Section,
} from "./section.ts";
import { measuredOn } from "./sections/measured_on.ts";
import { planLine } from "./sections/plan_line.ts";
import { verdictsSection } from "./sections/verdicts.ts";

export function scalingReport(plan: Plan, scaling: Scaling): Report {
  const { sizes, verdicts } = scaling;
  return {
    title: [planLine(plan)],
    intro: [measuredOn(scaling)],
    sections: [
      ...sizesSections(sizes),
      ...(verdicts.length === 0 ? [] : [verdictsSection(verdicts)]),
    ],
  };
}

/** Within a run's page. */
export function scalingSection(scaling: Scaling): Section {
  return {
    title: "Scaling",
    blocks: [measuredOn(scaling)],
    parts: sizesSections(scaling.sizes),
  };
}

function sizesSections(sizes: readonly ScaledSize[]): Section[] {
  return [
    efficiencySection("Strong scaling: the same batch", "T₁ ÷ (N · T_N)", of(sizes, "strong")),
    efficiencySection("Weak scaling: the same batch per GPU", "T₁ ÷ T_N", of(sizes, "weak")),
    lossSection(sizes),
  ];
}

function of(sizes: readonly ScaledSize[], kind: ScaledSize["kind"]): ScaledSize[] {
  return sizes.filter((size) => size.kind === kind);
}

function efficiencySection(title: string, formula: string, sizes: readonly ScaledSize[]): Section {
  const timed = sizes.flatMap((size) => (size.state === "timed" ? size : []));
  const refused = sizes.flatMap((size) => (size.state === "refused" ? size : []));
  const rows = timed.map(({ gpus, split, batch, aloneMs, stepMs, efficiency }) => ({
    cells: [
      formatNumber(gpus),
      split,
      formatNumber(batch),
      formatFigure(aloneMs),
      formatFigure(stepMs),
      formatFigure(efficiency),
      formatInterval(efficiency),
    ],
  }));
  return {
    title,
    blocks: [
      ...(timed.length === 0
        ? []
        : [
            efficiencyChart(timed),
            table(
              [
                ...right("GPUs"),
                ...left("split"),
                ...right("batch", "T₁", "T_N", "efficiency", "95 % within"),
              ],
              rows,
            ),
            note(
              `${formula}; ${provenanceText(timed)}, at least ${countOf(Math.min(...timed.map(({ turns }) => turns)), "turn")} with one GPU` +
                (timed.some(isProjected)
                  ? "; ranks that share an adapter ran one by one, and their step is played from that: no measurement of N GPUs"
                  : ""),
            ),
          ]),
      ...refused.map(({ gpus, why }) =>
        note(`${countOf(gpus, "GPU")}: not run, ${why}`, "doubtful"),
      ),
    ],
  };
}

/** Above 1 a bar ends at it; the table has the figure. */
function efficiencyChart(timed: readonly TimedSize[]): Drawing {
  return drawing("Efficiency; the lines are 95 % intervals", {
    form: "shares",
    rows: timed.map(({ gpus, efficiency: { value, interval } }) => ({
      label: countOf(gpus, "GPU"),
      value: Math.min(1, value),
      ...(interval === undefined
        ? {}
        : { interval: [Math.max(0, interval[0]), Math.min(1, interval[1])] as const }),
    })),
  });
}

type TimedSize = Extract<ScaledSize, { readonly state: "timed" }>;

function isProjected({ efficiency }: TimedSize): boolean {
  return efficiency.provenance === "projected";
}

/** Fewer ranks may have a device each where more share one. */
function provenanceText(timed: readonly TimedSize[]): string {
  const projected = timed.filter(isProjected);
  const measured = timed.filter((size) => !isProjected(size));
  if (projected.length === 0) return "measured";
  return measured.length === 0
    ? "projected"
    : `measured on ${gpusOf(measured)} GPUs, projected on ${gpusOf(projected)}`;
}

function gpusOf(sizes: readonly TimedSize[]): string {
  return sizes.map(({ gpus }) => formatNumber(gpus)).join(", ");
}

function lossSection(sizes: readonly ScaledSize[]): Section {
  const timed = sizes.flatMap((size) => (size.state === "timed" ? size : []));
  const title = "Where the rest went, shares of N · T_N";
  if (timed.length === 0) return { title, blocks: [] };
  return {
    title,
    blocks: [
      table(
        [
          ...left("scaling"),
          ...right("GPUs", "compute", "communication", "imbalance", "waiting", "host"),
        ],
        timed.map(({ kind, gpus, loss }) => ({
          cells: [
            kind,
            formatNumber(gpus),
            ...[loss.compute, loss.communication, loss.imbalance, loss.waiting, loss.host].map(
              formatPercent,
            ),
          ],
        })),
      ),
      note(
        "beyond what one GPU spends on the same work, of the turn with the median efficiency; negative where N spend less. compute: kernels that " +
          "repeat work or got slower; imbalance: ranks that wait for the one that computes most; waiting: filling a " +
          "pipeline, messages, other hosts",
      ),
    ],
  };
}
