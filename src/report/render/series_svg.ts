// Charts of what goes on one after the other: steps, and the memory of one.

import * as Plot from "@observablehq/plot";
import { formatNumber, formatValue } from "../../measure/format.ts";
import type { Areas, SamplesChart } from "../chart.ts";
import { colorAt } from "./chart_color.ts";
import { inert } from "./inert.ts";

/** Of the runs. */
export function namesOf({ runs, names }: SamplesChart): readonly string[] {
  return names ?? runs.map((_, run) => `run ${run + 1}`);
}

export function areasOptions({ unit, timeLabel, names, points, limit }: Areas): Plot.PlotOptions {
  const parts = points.flatMap(({ at, values }) =>
    names.map((name, i) => ({ at, name, value: values[i] ?? 0 })),
  );
  return {
    height: 260,
    marginLeft: 80,
    x: { label: timeLabel, ticks: 5, tickFormat: formatNumber },
    y: {
      label: null,
      grid: true,
      ticks: 5,
      tickFormat: (value: number) => formatValue(value, unit),
    },
    color: { domain: [...names], range: names.map((_, index) => colorAt(index)) },
    marks: [
      Plot.areaY(
        parts,
        Plot.stackY({ x: "at", y: "value", fill: "name", order: [...names], curve: "step-after" }),
      ),
      ...(limit === undefined
        ? []
        : [
            Plot.ruleY([limit], {
              stroke: "var(--bad)",
              strokeWidth: 2,
              strokeDasharray: "4 3",
            }),
          ]),
    ],
  };
}

export function samplesOptions(chart: SamplesChart): Plot.PlotOptions {
  const { runs, median, interval } = chart;
  const names = namesOf(chart);
  let step = 0;
  const points = runs.flatMap((own, run) =>
    own.map((ms) => {
      step += 1;
      const name = names[run] ?? "";
      return { run: name, step, ms, title: inert(`${name}, step ${step}: ${formatNumber(ms)} ms`) };
    }),
  );
  const top = Math.max(...points.map(({ ms }) => ms));
  const [low, high] = interval ?? [];
  return {
    height: 260,
    marginLeft: 90,
    x: { label: "timed step", ticks: 5 },
    y: {
      label: null,
      grid: true,
      domain: [0, top * 1.05],
      tickFormat: (ms: number) => `${formatNumber(ms)} ms`,
      ticks: 5,
    },
    color: { domain: [...names], range: names.map((_, run) => colorAt(run)) },
    marks: [
      ...(low === undefined || high === undefined
        ? []
        : [
            Plot.rect([{ low: Math.max(0, low), high: Math.min(high, top * 1.05) }], {
              x1: 0,
              x2: step + 1,
              y1: "low",
              y2: "high",
              fill: "currentColor",
              fillOpacity: 0.08,
            }),
          ]),
      ...(median === undefined
        ? []
        : [Plot.ruleY([median], { stroke: "currentColor", strokeDasharray: "4 3" })]),
      Plot.dot(points, {
        x: "step",
        y: "ms",
        fill: "run",
        r: points.length > 300 ? 1.5 : 3,
        title: "title",
      }),
    ],
  };
}
