// Which variant every kernel of a run took and why, and which variants are wrong on an adapter.

import { countOf, formatNumber, formatValue } from "../../measure/format.ts";
import type { KernelChoice, RunResult, VariantTrial } from "../../result/result.ts";
import { rangesOf } from "../../program/runs_of_ranks.ts";
import {
  gap,
  left,
  note,
  paragraph,
  right,
  table,
  type Block,
  type Section,
  type Table,
} from "../section.ts";

type Kernels = Pick<RunResult, "kernels">;

type Excluded = Extract<VariantTrial, { excluded: string }>;
function isExcluded(tried: VariantTrial): tried is Excluded {
  return "excluded" in tried;
}

/** How the variants came about, in a sentence, and every variant that was found wrong. */
export function kernelNotices({ kernels }: Kernels): Section {
  const title = "Kernels";
  if (kernels.length === 0) return { title, blocks: [] };
  const count = (reason: KernelChoice["reason"]): number =>
    kernels.filter((kernel) => kernel.reason === reason).length;
  const parts = [
    [count("tuned"), "tuned in this run"],
    [count("cached"), "tuned in earlier runs"],
    [count("similar"), "in the variant that won at a shape of like sizes"],
    [count("untuned"), "untuned, in the variant expected to be fastest"],
    [count("only"), "with one variant only"],
  ] as const;
  const text = parts
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${number} ${what}`)
    .join("; ");
  return {
    title,
    blocks: [
      paragraph(`${countOf(kernels.length, "kernel shape")}: ${text}`),
      ...kernels.flatMap(excludedVariants),
    ],
  };
}

function excludedVariants({ adapter, call, tried }: KernelChoice): Block[] {
  return tried
    .filter(isExcluded)
    .map(({ variant, excluded }) =>
      paragraph(`excluded on ${adapter}: ${variant} at ${call}: ${firstLine(excluded)}`, "bad"),
    );
}

/** For each kernel at each shape: what it took, why, and what every variant that was tried reached. */
export function kernelChoices({ kernels }: Kernels): Section {
  const only = withoutChoice(kernels);
  return {
    title: "Variants of kernels",
    blocks: [
      ...kernels
        .filter(({ reason }) => reason !== "only")
        .flatMap((kernel) => [
          paragraph(`${kernel.call}, ${placeOf(kernel)}`, "strong"),
          note(`takes ${kernel.variant}: ${reasonText(kernel)}`, "plain"),
          ...(kernel.tried.length === 0 ? [] : [triedTable(kernel)]),
          gap,
        ]),
      ...(only === "" ? [] : [paragraph(only)]),
    ],
  };
}

function withoutChoice(kernels: Kernels["kernels"]): string {
  const only = kernels.filter(({ reason }) => reason === "only");
  const names = [...new Set(only.map(({ adapter, kernel }) => `${kernel} on ${adapter}`))];
  return names.length === 0 ? "" : `no other variant than its own: ${names.join(", ")}`;
}

function placeOf({ adapter, ranks, uses }: KernelChoice): string {
  return `${countOf(uses, "use")} in a step on ${adapter}, rank${ranks.length === 1 ? "" : "s"} ${rangesOf(ranks)}`;
}

function reasonText({ reason, variant, expected, variants, tried }: KernelChoice): string {
  if (reason === "untuned") return `expected to be fastest, none of ${variants} variants tried`;
  if (reason === "similar") {
    return `expected to be fastest, and it was at a shape of like sizes; none of ${variants} variants tried`;
  }
  const when = reason === "tuned" ? "in this run" : "in earlier runs";
  const what = `${tried.length} of ${variants} variants tried ${when}`;
  if (variant === expected) return `expected to be fastest, and nothing beat it clearly; ${what}`;
  const own = tried.find((one) => one.variant === variant);
  if (own === undefined || isExcluded(own)) return `the kernel's own shader; ${what}`;
  return `${formatNumber(own.speedup)}× as fast as ${expected}; ${what}`;
}

function triedTable({ variant, flops, tried }: KernelChoice): Table {
  const timed = tried.flatMap((one) => (isExcluded(one) ? [] : [one]));
  const rows = timed
    .toSorted((a, b) => b.speedup - a.speedup)
    .map((one) => ({
      cells: [
        `${one.variant === variant ? "*" : " "} ${one.variant}`,
        formatNumber(one.ms),
        flops === 0 ? "" : formatValue((flops * 1000) / one.ms, "FLOP/s"),
        `${one.speedup.toFixed(2)}×`,
      ],
    }));
  const wrong = tried.filter(isExcluded).map(({ variant: name, excluded }) => ({
    cells: [`  ${name}`, "", "", "excluded"],
    prose: [[firstLine(excluded)]],
  }));
  return table([...left("  variant"), ...right("ms", "rate", "speed")], [...rows, ...wrong], {
    columns: [{ title: "why" }],
    place: "under its row",
  });
}

/** What a compiler says may be long; the result file has it all. */
function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
