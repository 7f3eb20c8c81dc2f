// The one page that a run of all parts leaves: what was aimed at, what became of each part, and its figures.

import { formatNumber } from "../../src/measure/format.ts";
import { bestOf } from "./kernels_report.ts";
import { markdownTable } from "./markdown.ts";
import type { Outcome, Part } from "./part.ts";
import { vendorRate } from "./vendor_report.ts";

export interface ReportHead {
  readonly adapter: string;
  /** ISO 8601. */
  readonly date: string;
  readonly minutes: number;
  readonly machine: string;
}

/** @param printed by name of the part; of those that began */
export function reportLines(
  { adapter, date, minutes, machine }: ReportHead,
  parts: readonly Pick<Part, "name" | "sections">[],
  outcomes: readonly Outcome[],
  printed: ReadonlyMap<string, string>,
): string[] {
  const sections = (name: string): readonly string[] => {
    const text = printed.get(name);
    const part = parts.find((one) => one.name === name);
    if (text === undefined || part === undefined) return [];
    try {
      return part.sections(text);
    } catch (thrown) {
      // One part's output must not cost the others theirs.
      return [`What it printed cannot be shown: ${String(thrown)}`];
    }
  };
  return [
    `# All figures of ${adapter}`,
    "",
    `${date}; ${machine}; ${minutes} minutes at most.`,
    "",
    ...markdownTable(
      ["part", "outcome", "s", "of s", "why"],
      outcomes.map(({ title, state, seconds, limitSeconds, reason }) => [
        title,
        state,
        seconds.toFixed(1),
        limitSeconds.toFixed(0),
        reason ?? "",
      ]),
    ),
    "",
    ...goalLines(printed.get("kernels") ?? "", printed.get("vendor") ?? ""),
    ...outcomes.flatMap(({ name, title }) => ["", `## ${title}`, "", ...sections(name)]),
  ];
}

/** What the kernels are meant to reach on a GPU. */
export function goalLines(kernels: string, vendor: string): string[] {
  const name = "matmul 4096×4096×4096";
  const plain = bestOf(kernels, name)?.share;
  const half = bestOf(kernels, `${name} f16`)?.flopsPerSecond;
  const library = vendorRate(vendor, 4096);
  return [
    `- 4096³ in f32: ${
      plain === undefined
        ? "not measured"
        : `${(100 * plain).toFixed(1)} % of the f32 multiply-add ceiling (goal 60 %)`
    }`,
    `- 4096³ in f16: ${
      half === undefined
        ? "not measured"
        : `${formatNumber(half / 1e12)} TFLOP/s, ${
            library === undefined
              ? "the vendor's library not measured"
              : `${((100 * half) / library).toFixed(1)} % of the vendor's library (goal 50 %)`
          }`
    }`,
  ];
}
