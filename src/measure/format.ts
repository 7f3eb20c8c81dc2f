// Numbers as people read them: a unit always, digits only as far as they mean something.

import { thousands } from "./thousands.ts";
import type { Figure, Unit } from "./figure.ts";

/** Thousands are set apart; three significant digits below 1000. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1000) return thousands(value);
  if (Number.isInteger(value)) return String(value);
  if (size < 0.001) return value.toExponential(1);
  return trimmed(value);
}

function scaled(value: number, unit: string): string {
  const prefixes = ["", "k", "M", "G", "T", "P"];
  let size = Math.abs(value);
  let step = 0;
  // 999.95 would be printed as 1000.
  while (size >= 999.5 && step < prefixes.length - 1) {
    size /= 1000;
    step++;
  }
  return `${value < 0 ? "-" : ""}${trimmed(size)} ${prefixes[step]}${unit}`;
}

function trimmed(size: number): string {
  return String(Number(size.toPrecision(3)));
}

/** Decimal prefixes: 1 MB = 1,000,000 B. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, "B");
}

export function formatFlops(flops: number): string {
  return scaled(flops, "FLOP");
}

/** As model cards say it: `8.03 B` is 8.03 billion. */
export function formatParameters(count: number): string {
  const [size, letter] =
    count >= 999.5e6 ? [count / 1e9, "B"] : count >= 999.5e3 ? [count / 1e6, "M"] : [count, ""];
  return letter === "" ? formatNumber(size) : `${trimmed(size)} ${letter}`;
}

export function formatPercent(share: number): string {
  const percent = share * 100;
  // What rounds to 0.0 is shown with the digits it has.
  if (percent !== 0 && Math.abs(percent) < 0.05) return `${Number(percent.toPrecision(2))} %`;
  return `${percent.toFixed(1)} %`;
}

/** To so many significant digits, for sentences. */
export function formatShare(share: number, digits: number): string {
  return `${Number((100 * share).toPrecision(digits))} %`;
}

export function formatValue(value: number, unit: Unit): string {
  if (unit === "share") return formatPercent(value);
  if (unit === "ratio") return formatNumber(value);
  if (unit === "B" || unit === "B/s" || unit === "FLOP/s") return scaled(value, unit);
  return `${formatNumber(value)} ${unit}`;
}

export function formatFigure({ value, unit }: Figure): string {
  return formatValue(value, unit);
}

/** `1.2 … 1.4 ms`; empty without an interval. The unit stands once where both ends share it. */
export function formatInterval({ interval, unit }: Figure): string {
  if (interval === undefined) return "";
  const [low = "", high = ""] = interval.map((end) => formatValue(end, unit));
  const suffix = high.includes(" ") ? high.slice(high.indexOf(" ")) : "";
  return `${low.endsWith(suffix) ? low.slice(0, low.length - suffix.length) : low} … ${high}`;
}

/** `measured, 40 samples, 95 % within 1.2 … 1.4 ms`. */
export function formatEvidence(figure: Figure): string {
  return [
    figure.provenance,
    figure.samples === 0 ? "" : samplesOf(figure),
    figure.interval === undefined ? "" : `95 % within ${formatInterval(figure)}`,
  ]
    .filter((part) => part !== "")
    .join(", ");
}

/** `40 samples`, or `120 samples in 3 runs`. */
export function samplesOf({ samples, runs }: Pick<Figure, "samples" | "runs">): string {
  return runs === undefined
    ? countOf(samples, "sample")
    : `${countOf(samples, "sample")} in ${countOf(runs, "run")}`;
}

/** `1 rank`, `3 ranks`, `4 micro-batches`. */
export function countOf(count: number, noun: string): string {
  return `${formatNumber(count)} ${count === 1 ? noun : pluralOf(noun)}`;
}

function pluralOf(noun: string): string {
  return noun.endsWith("ch") ? `${noun}es` : `${noun}s`;
}
