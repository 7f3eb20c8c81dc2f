// Charts as SVG, drawn when the report is made. Colors are those of the page's style, light or dark.

import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { formatNumber, formatPercent, formatValue } from "../../measure/format.ts";
import type { Bars, Chart, RooflineChart, Shares } from "../chart.ts";
import { colorAt } from "./chart_color.ts";
import { inert } from "./inert.ts";
import { areasOptions, namesOf, samplesOptions } from "./series_svg.ts";

/** A chart that needs no script; the timeline is drawn in the page. */
export type StillChart = Exclude<Chart, { readonly form: "timeline" }>;

export type Width = "wide" | "narrow";

const pixels: Readonly<Record<Width, number>> = { wide: 880, narrow: 340 };

/** @param label what a reader who does not see it is told */
export function chartSvg(chart: StillChart, label: string, width: Width): string {
  const { document } = parseHTML("<html><body></body></html>");
  const svg = Plot.plot({
    ...optionsOf(chart, width),
    document,
    width: pixels[width],
    ariaLabel: inert(label),
    className: "plot",
  });
  svg.setAttribute("role", "img");
  // The label of the whole says what it is; parts of an image have none.
  for (const part of svg.querySelectorAll("g[aria-label]")) part.removeAttribute("aria-label");
  return svg.outerHTML;
}

/** Names and the colors that stand for them, for a legend; none where one color says nothing. */
export function legendOf(chart: StillChart): readonly string[] {
  if (chart.form === "bars" || chart.form === "areas") return chart.names;
  return chart.form === "samples" && chart.runs.length > 1 ? namesOf(chart) : [];
}

function optionsOf(chart: StillChart, width: Width): Plot.PlotOptions {
  switch (chart.form) {
    case "bars":
      return barsOptions(chart, width);
    case "areas":
      return areasOptions(chart);
    case "shares":
      return sharesOptions(chart, width);
    case "roofline":
      return rooflineOptions(chart);
    case "samples":
      return samplesOptions(chart);
  }
}

/** Room for labels beside the rows, of about 7 pixels a character. */
function marginFor(labels: readonly string[], width: Width): number {
  const longest = Math.max(0, ...labels.map((label) => label.length));
  return Math.min(width === "wide" ? 240 : 120, 20 + 7 * longest);
}

function shortLabel(label: string, width: Width): string {
  const most = width === "wide" ? 30 : 13;
  const shown = inert(label);
  return shown.length <= most ? shown : `${shown.slice(0, most - 1)}…`;
}

function barsOptions({ unit, names, rows, limit }: Bars, width: Width): Plot.PlotOptions {
  const parts = rows.flatMap(({ label, parts: own }, row) =>
    own
      .filter(({ value }) => value > 0)
      .map(({ name, value }) => ({
        row: `${row}`,
        name,
        value,
        title: inert(`${label}, ${name}: ${formatValue(value, unit)}`),
      })),
  );
  const labels = rows.map(({ label }) => shortLabel(label, width));
  return {
    height: 50 + 26 * rows.length,
    marginLeft: marginFor(labels, width),
    x: {
      label: null,
      grid: true,
      ticks: 5,
      tickFormat: (value: number) => formatValue(value, unit),
    },
    y: {
      label: null,
      domain: rows.map((_, row) => `${row}`),
      tickFormat: (row: string) => labels[Number(row)] ?? "",
    },
    color: { domain: [...names], range: names.map((_, index) => colorAt(index)) },
    marks: [
      Plot.barX(
        parts,
        Plot.stackX({ x: "value", y: "row", fill: "name", title: "title", order: [...names] }),
      ),
      ...(limit === undefined
        ? []
        : [
            Plot.ruleX([limit.value], {
              stroke: "var(--bad)",
              strokeWidth: 2,
              strokeDasharray: "4 3",
            }),
          ]),
    ],
  };
}

function sharesOptions({ rows }: Shares, width: Width): Plot.PlotOptions {
  const data = rows.map(({ label, value, interval: [low, high] = [value, value] }) => ({
    label,
    value,
    low,
    high,
    title: inert(`${label}: ${formatPercent(value)}`),
  }));
  return {
    height: 50 + 34 * rows.length,
    marginLeft: marginFor(
      rows.map(({ label }) => label),
      width,
    ),
    x: {
      label: null,
      domain: [0, 1],
      grid: true,
      ticks: width === "wide" ? 5 : 3,
      tickFormat: formatPercent,
    },
    y: { label: null, domain: rows.map(({ label }) => label) },
    marks: [
      Plot.barX(data, {
        x: "value",
        y: "label",
        fill: colorAt(0),
        title: "title",
        insetTop: 6,
        insetBottom: 6,
      }),
      Plot.ruleY(data, {
        x1: "low",
        x2: "high",
        y: "label",
        stroke: "currentColor",
        strokeWidth: 2,
      }),
      Plot.ruleX([0]),
    ],
  };
}

function rooflineOptions({ adapters, kernels }: RooflineChart): Plot.PlotOptions {
  const at = kernels.map(({ intensity }) => intensity);
  const ridges = adapters.map(({ peak, bandwidth }) => peak / bandwidth);
  const domain = [Math.min(...at, ...ridges) / 3, Math.max(...at, ...ridges) * 3] as const;
  const rates = kernels.map(({ rate }) => rate);
  const peaks = adapters.map(({ peak }) => peak);
  const roofs = adapters.flatMap(({ name, peak, bandwidth }) =>
    [domain[0], peak / bandwidth, domain[1]].map((intensity) => ({
      name,
      intensity,
      rate: Math.min(peak, intensity * bandwidth),
    })),
  );
  const points = kernels.map((kernel) => ({
    ...kernel,
    title: inert(
      `${kernel.label}: ${formatValue(kernel.rate, "FLOP/s")} at ${formatNumber(kernel.intensity)} FLOP/B, ` +
        `${formatPercent(kernel.share)} of the kernels' time`,
    ),
  }));
  return {
    height: 340,
    marginLeft: 90,
    marginBottom: 40,
    x: {
      type: "log",
      domain: [...domain],
      label: "FLOP per byte",
      tickFormat: formatNumber,
      ticks: 5,
    },
    y: {
      type: "log",
      label: null,
      domain: [Math.min(...rates, ...peaks) / 2, Math.max(...rates, ...peaks) * 2],
      clamp: true,
      grid: true,
      ticks: 5,
      tickFormat: (rate: number) => formatValue(rate, "FLOP/s"),
    },
    r: { domain: [0, 1], range: [4, 18] },
    marks: [
      Plot.line(roofs, {
        x: "intensity",
        y: "rate",
        z: "name",
        stroke: "currentColor",
        strokeWidth: 1.5,
      }),
      Plot.dot(points, {
        x: "intensity",
        y: "rate",
        r: "share",
        fill: colorAt(0),
        fillOpacity: 0.6,
        stroke: colorAt(0),
        title: "title",
      }),
    ],
  };
}
