// What the page says once it has run the plan.

import { type Ceilings, memoryCeiling } from "../measure/ceiling.ts";
import { formatFigure, formatNumber, formatPercent, formatValue } from "../measure/format.ts";
import { median } from "../measure/statistics.ts";
import type { BrowserTimes, TimedCall } from "../result/browser_times.ts";
import { code, left, note, paragraph, right, table, type Section } from "../report/section.ts";
import { checkSection } from "../report/sections/check.ts";
import type { CheckedNumbers } from "./check_numbers.ts";

export function resultSections(
  checked: CheckedNumbers,
  times: BrowserTimes,
  ceilings: Ceilings,
): Section[] {
  return [
    {
      title: "On this device",
      blocks: [
        paragraph([{ text: "The numbers are right", tone: "good" }, ` on ${times.adapter.name}.`]),
        ...(times.adapter.software
          ? [note("It is a software adapter: its speed says nothing of a GPU's.", "doubtful")]
          : []),
        ...sampleNote(checked),
      ],
    },
    checkSection({ check: checked.outcome }),
    kernelSection(times, ceilings),
    peakSection(ceilings),
  ];
}

function sampleNote({ sample }: CheckedNumbers) {
  return sample === undefined
    ? []
    : [
        note(
          `${formatNumber(sample.values)} values also agree with the f64 reference as it was when the page was made: ` +
            `largest relative error ${sample.error.toExponential(1)}.`,
        ),
      ];
}

/** The most expensive first. */
function kernelSection({ calls }: BrowserTimes, ceilings: Ceilings): Section {
  const stepMs = (call: TimedCall): number => call.uses * median(call.ms);
  const all = calls.reduce((sum, call) => sum + stepMs(call), 0);
  return {
    title: "Kernels",
    blocks: [
      table(
        [
          ...left("kernel"),
          ...right("ms", "calls", "of all", "FLOP/s", "B/s", "of its bound"),
          ...left("shape"),
        ],
        calls
          .toSorted((a, b) => stepMs(b) - stepMs(a))
          .map((call) => ({ cells: cellsOf(call, stepMs(call) / all, ceilings) })),
      ),
      note(
        "ms: of one dispatch among others, median of 5, by the page's clock; calls: in a step, over all ranks; of its bound: " +
          "the time that this device's peaks allow, as a share of the time it took",
      ),
    ],
  };
}

function cellsOf(call: TimedCall, share: number, ceilings: Ceilings) {
  const ms = median(call.ms);
  const bound = boundMs(call, ceilings);
  const [, ...shape] = call.call.split(" ");
  return [
    code(call.variant),
    formatNumber(ms),
    formatNumber(call.uses),
    formatPercent(share),
    call.flops === 0 ? "" : formatValue((1000 * call.flops) / ms, "FLOP/s"),
    formatValue((1000 * call.bytes) / ms, "B/s"),
    bound === undefined ? "" : formatPercent(bound / ms),
    shape.join(" "),
  ];
}

/** Arithmetic counts as f32, in which all kernels compute. */
function boundMs({ flops, bytes }: TimedCall, ceilings: Ceilings): number | undefined {
  const memory = memoryCeiling(ceilings);
  if (ceilings.f32 === undefined || memory === undefined) return undefined;
  return 1000 * Math.max(flops / ceilings.f32.figure.value, bytes / memory.figure.value);
}

const peakNames = [
  ["f32", "multiply-adds in f32"],
  ["f16", "multiply-adds in f16"],
  ["read", "reading memory"],
  ["write", "writing memory"],
  ["copy", "copying memory"],
] as const;

function peakSection(ceilings: Ceilings): Section {
  const rows = peakNames.flatMap(([name, what]) => {
    const ceiling = ceilings[name];
    if (ceiling === undefined) return [];
    return [{ cells: [what, formatFigure(ceiling.figure), code(ceiling.variant)] }];
  });
  return {
    title: "What the device reaches at best",
    blocks:
      rows.length === 0 ? [] : [table([...left("of"), ...right("peak"), ...left("by")], rows)],
  };
}
