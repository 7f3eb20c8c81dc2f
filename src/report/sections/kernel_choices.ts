// Which form every kernel of a run took and why, and which forms are wrong on an adapter.

import { countOf, formatNumber, formatValue } from "../../measure/format.ts";
import type { KernelChoice, RunResult, TriedForm } from "../../result/result.ts";
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

type Excluded = Extract<TriedForm, { excluded: string }>;
const isExcluded = (tried: TriedForm): tried is Excluded => "excluded" in tried;

/** How the forms came about, in a sentence, and every form that was found wrong. */
export function kernelNotices({ kernels }: Kernels): Section {
  const title = "Kernels";
  if (kernels.length === 0) return { title, blocks: [] };
  const count = (reason: KernelChoice["reason"]): number =>
    kernels.filter((kernel) => kernel.reason === reason).length;
  const parts = [
    [count("tuned"), "tuned in this run"],
    [count("cached"), "tuned in earlier runs"],
    [count("similar"), "in the form that won at a shape of like sizes"],
    [count("untuned"), "untuned, in the form expected to be fastest"],
    [count("only"), "with one form only"],
  ] as const;
  const text = parts
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${number} ${what}`)
    .join("; ");
  return {
    title,
    blocks: [
      paragraph(`${countOf(kernels.length, "kernel shape")}: ${text}`),
      ...kernels.flatMap(excludedForms),
    ],
  };
}

function excludedForms({ adapter, call, tried }: KernelChoice): Block[] {
  return tried
    .filter(isExcluded)
    .map(({ form, excluded }) =>
      paragraph(`excluded on ${adapter}: ${form} at ${call}: ${firstLine(excluded)}`, "bad"),
    );
}

/** For each kernel at each shape: what it took, why, and what every form that was tried reached. */
export function kernelChoices({ kernels }: Kernels): Section {
  const only = withoutChoice(kernels);
  return {
    title: "Forms of kernels",
    blocks: [
      ...kernels
        .filter(({ reason }) => reason !== "only")
        .flatMap((kernel) => [
          paragraph(`${kernel.call}, ${placeOf(kernel)}`, "strong"),
          note(`takes ${kernel.form}: ${reasonText(kernel)}`, "plain"),
          ...(kernel.tried.length === 0 ? [] : [triedTable(kernel)]),
          gap,
        ]),
      ...(only === "" ? [] : [paragraph(only)]),
    ],
  };
}

const withoutChoice = (kernels: Kernels["kernels"]): string => {
  const only = kernels.filter(({ reason }) => reason === "only");
  const names = [...new Set(only.map(({ adapter, kernel }) => `${kernel} on ${adapter}`))];
  return names.length === 0 ? "" : `no other form than its own: ${names.join(", ")}`;
};

const placeOf = ({ adapter, ranks, uses }: KernelChoice): string =>
  `${countOf(uses, "use")} in a step on ${adapter}, rank${ranks.length === 1 ? "" : "s"} ${rangesOf(ranks)}`;

const reasonText = ({ reason, form, expected, forms, tried }: KernelChoice): string => {
  if (reason === "untuned") return `expected to be fastest, none of ${forms} forms tried`;
  if (reason === "similar") {
    return `expected to be fastest, and it was at a shape of like sizes; none of ${forms} forms tried`;
  }
  const when = reason === "tuned" ? "in this run" : "in earlier runs";
  const what = `${tried.length} of ${forms} forms tried ${when}`;
  if (form === expected) return `expected to be fastest, and nothing beat it clearly; ${what}`;
  const own = tried.find((one) => one.form === form);
  if (own === undefined || isExcluded(own)) return `the kernel's own shader; ${what}`;
  return `${formatNumber(own.speedup)}× as fast as ${expected}; ${what}`;
};

function triedTable({ form, flops, tried }: KernelChoice): Table {
  const timed = tried.flatMap((one) => (isExcluded(one) ? [] : [one]));
  const rows = timed
    .toSorted((a, b) => b.speedup - a.speedup)
    .map((one) => ({
      cells: [
        `${one.form === form ? "*" : " "} ${one.form}`,
        formatNumber(one.ms),
        flops === 0 ? "" : formatValue((flops * 1000) / one.ms, "FLOP/s"),
        `${one.speedup.toFixed(2)}×`,
      ],
    }));
  const wrong = tried.filter(isExcluded).map(({ form: name, excluded }) => ({
    cells: [`  ${name}`, "", "", "excluded"],
    prose: [[firstLine(excluded)]],
  }));
  return table([...left("  form"), ...right("ms", "rate", "speed")], [...rows, ...wrong], {
    columns: [{ title: "why" }],
    place: "under its row",
  });
}

/** What a compiler says may be long; the result file has it all. */
const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
