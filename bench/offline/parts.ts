// The parts in the order in which they run: right before fast, and what matters most while there is time.

import { fileURLToPath } from "node:url";
import { plain } from "../../src/report/render/color.ts";
import { terminalLines } from "../../src/report/render/terminal.ts";
import type { Report } from "../../src/report/section.ts";
import { adaptersReport, type ListedAdapter } from "../../src/report/adapters_report.ts";
import { calibrationReport } from "../../src/report/calibration_report.ts";
import type { CalibratedAdapter } from "../../src/result/calibrated_adapter.ts";
import type { CollectiveBench } from "../../src/result/collective_bench.ts";
import { collectivesReport } from "../../src/report/collectives_report.ts";
import { argumentsOf } from "./arguments.ts";
import { commandLine } from "./command_line.ts";
import { kernelSections } from "./kernels_report.ts";
import { codeBlock, markdownTable } from "./markdown.ts";
import { numericsSections } from "./numerics_report.ts";
import type { Context, Part } from "./part.ts";
import { planSections } from "./plans_report.ts";
import { parsed, parsedList } from "./records.ts";
import { vendorSections } from "./vendor_report.ts";

/** A file beside this one as built. */
function script(name: string) {
  return (context: Context): string[] => [
    fileURLToPath(new URL(`${name}.js`, import.meta.url)),
    ...argumentsOf(context),
  ];
}

function shown(report: Report): string[] {
  return terminalLines(report, plain);
}

export const parts: readonly Part[] = [
  {
    name: "adapters",
    title: "Adapters",
    ending: "json",
    weight: 15,
    command: () => commandLine("adapters", "--json"),
    sections: (printed) => {
      const found = parsed(printed) as { readonly adapters?: readonly ListedAdapter[] } | undefined;
      return codeBlock(shown(adaptersReport(found?.adapters ?? [])));
    },
  },
  {
    name: "numerics",
    title: "Numerics",
    ending: "jsonl",
    weight: 80,
    command: script("numerics"),
    sections: numericsSections,
  },
  {
    name: "calibration",
    title: "Calibration",
    ending: "json",
    weight: 45,
    command: ({ adapter }) => commandLine("calibrate", "--adapter", adapter, "--json"),
    sections: (printed) => {
      const found = parsedList(printed) as readonly CalibratedAdapter[];
      return found.flatMap((one) => codeBlock(shown(calibrationReport(one))));
    },
  },
  {
    name: "kernels",
    title: "Kernels",
    ending: "jsonl",
    weight: 170,
    command: script("kernels"),
    sections: kernelSections,
  },
  {
    name: "vendor",
    title: "The vendor's library",
    ending: "jsonl",
    weight: 30,
    command: script("vendor"),
    sections: vendorSections,
  },
  {
    name: "plans",
    title: "Plans, untuned and tuned",
    ending: "jsonl",
    weight: 95,
    command: script("plans"),
    sections: planSections,
  },
  {
    name: "collectives",
    title: "Collectives",
    ending: "json",
    weight: 40,
    command: ({ adapter }) => [
      ...commandLine("collectives", "all-reduce", "all-gather", "--max-bytes", "64M"),
      "--factor",
      "2",
      "--time",
      "50ms",
      "--adapter",
      adapter,
      "--json",
    ],
    sections: (printed) => {
      const found = parsedList(printed) as readonly CollectiveBench[];
      return found.flatMap((one) => codeBlock(shown(collectivesReport(one))));
    },
  },
  {
    name: "smoke",
    title: "Smoke",
    ending: "json",
    weight: 35,
    command: ({ adapter }) => commandLine("smoke", "--adapter", adapter, "--json"),
    sections: (printed) =>
      markdownTable(
        ["plan", "exit code", "error", "accepted", "s"],
        (
          (parsed(printed) as { readonly plans: readonly SmokeOutcome[] } | undefined)?.plans ?? []
        ).map(({ plan, code, error, tolerance, seconds, reason }) => [
          plan,
          reason === undefined ? String(code) : `${code}: ${reason}`,
          error?.toExponential(1) ?? "",
          tolerance?.toExponential(1) ?? "",
          seconds.toFixed(1),
        ]),
      ),
  },
];

interface SmokeOutcome {
  readonly plan: string;
  readonly code: number;
  readonly error?: number;
  readonly tolerance?: number;
  readonly seconds: number;
  readonly reason?: string;
}
