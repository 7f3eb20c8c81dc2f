// Examples beside the rules: for each code a plan that has it and one that has not, written as a change to
// one of two small sound plans.

import { Document, stringify, visit } from "yaml";
import type { AdapterLimits } from "../rules/adapter_limits.ts";

export interface Example {
  /** Shown to readers: the change, or the whole text. Empty for a base plan as it is. */
  readonly shown: string;
  readonly text: string;
  /** The plan that was changed; absent where the text is the whole file. */
  readonly base?: "degrees" | "stages";
  readonly file: string;
}

export interface Explained {
  readonly code: string;
  /** What must hold, in a sentence; of an info, what it confirms. */
  readonly requires: string;
  /** Has the code. */
  readonly bad: Example;
  /** Has it not. */
  readonly good: Example;
  /** Only asked for with an adapter. */
  readonly adapter?: AdapterLimits;
}

type Value = Readonly<Record<string, unknown>>;

/** Two GPUs in a tensor group, MLPs and experts. */
export const degreesBase: Value = {
  name: "degrees",
  hardware: { gpus: 2 },
  workload: { batch: 4 },
  model: { layers: 2, hidden: 32, heads: 4, ffn: 64, moe: { experts: 6, topK: 2, dense: true } },
  parallel: { tensor: 2, expert: 2 },
};

export const column = {
  op: "linear",
  in: 8,
  out: 12,
  parallel: { kind: "column", splitDim: 1, gpus: [0, 1] },
};
export const row = {
  op: "linear",
  in: 12,
  out: 8,
  parallel: { kind: "row", splitDim: 0, gpus: [1, 2] },
};
export const mean = { op: "aggregate", over: "batch", parallel: { kind: "replicated", gpus: [2] } };
export const gather = { name: "ab", op: "all-gather", from: [0, 1], to: [1, 2] };
export const reduce = { name: "bc", op: "all-reduce", from: [1, 2], to: [2] };

/** Column-parallel on GPUs 0 and 1, row-parallel on 1 and 2, the mean on 2. */
export const stagesBase: Value = {
  name: "stages",
  hardware: { gpus: 3 },
  workload: { batch: 12, microBatches: 4 },
  stages: [
    { name: "a", layers: [column] },
    { name: "b", layers: [row] },
    { name: "c", layers: [mean] },
  ],
  communications: [gather, reduce],
};

/** What fits on a line is on one. */
export const compactYaml = (value: unknown): string => {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Collection: (_key, node) => {
      const fits = JSON.stringify(node.toJS(document)).length <= 76;
      if (node !== document.contents && fits) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false }).trimEnd();
};

const isRecord = (value: unknown): value is Value =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const changed = (base: Value, change: Value): Value => {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(change)) {
    const before = result[key];
    if (value === undefined) delete result[key];
    else result[key] = isRecord(before) && isRecord(value) ? changed(before, value) : value;
  }
  return result;
};

const example =
  (base: "degrees" | "stages", value: Value) =>
  (change: Value = {}): Example => ({
    base,
    shown: Object.keys(change).length === 0 ? "" : compactYaml(change),
    text: stringify(changed(value, change), { aliasDuplicateObjects: false }),
    file: "plan.yaml",
  });

/** The plan of degrees with this change; an undefined value leaves a key out. */
export const degrees = example("degrees", degreesBase);
export const stages = example("stages", stagesBase);

/** The layers of some stages of the plan of stages, exchanged. */
export const layers = (
  of: { a?: unknown[]; b?: unknown[]; c?: unknown[] },
  more: Value = {},
): Example =>
  stages({
    stages: [
      { name: "a", layers: of.a ?? [column] },
      { name: "b", layers: of.b ?? [row] },
      { name: "c", layers: of.c ?? [mean] },
    ],
    ...more,
  });

/** One stage on GPU 0, or with `more` elsewhere. */
export const single = (list: readonly unknown[], more: Value = {}): Example =>
  stages({ stages: [{ name: "a", layers: list }], communications: undefined, ...more });

/** A whole file. */
export const file = (text: string, name = "plan.yaml"): Example => ({
  text,
  shown: text,
  file: name,
});
