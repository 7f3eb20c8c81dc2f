// Rules on what happens to a stage's result before the next stage uses it: a column-parallel result is
// gathered or consumed as it is, a row-parallel sum is reduced, a whole one is at hand or is moved.

import type { Diagnostic } from "../diagnostic.ts";
import { communicationsAfter, groupSize, listed, resultSplit } from "../layers.ts";
import type { Communication, Groups, Layer, MoeLayer, Plan, Stage } from "../plan.ts";
import { error, info, type Rule, warning } from "./rule.ts";

/** How a value lies on GPUs; `rows` is a value divided among data replicas of one GPU each. */
type Layout = "whole" | "columns" | "partial sums" | "rows";

interface Value {
  readonly layout: Layout;
  readonly groups: Groups;
}

/** What each operation takes, and what it leaves at its destination. */
const effects: Record<Communication["op"], Partial<Record<Layout, Layout>>> = {
  "all-gather": { columns: "whole", rows: "whole" },
  "all-reduce": { "partial sums": "whole" },
  "reduce-scatter": { "partial sums": "rows" },
  "all-to-all": { columns: "rows" },
  broadcast: { whole: "whole" },
  send: { whole: "whole" },
};

/** Only explicit stages: with degrees, what stands between stages follows from the mesh. */
export const resultsReachTheNextStage: Rule = (plan) => {
  if (plan.degrees !== undefined) return [];
  return plan.stages.flatMap((stage, s) => {
    const next = plan.stages[s + 1];
    return next === undefined ? [] : boundary(plan, s, stage, next);
  });
};

const boundary = (plan: Plan, s: number, stage: Stage, next: Stage): Diagnostic[] => {
  const last = stage.layers.at(-1);
  const first = next.layers[0];
  if (last === undefined || first === undefined) return [];
  const indices = communicationsAfter(plan, s);
  const result = resultOf(last, indices.length > 0);
  let value = result;
  if (indices.length === 0) return undeclared(value, s, stage, next, first);
  const been = new Set([placeOf(value)]);
  const remarks: Diagnostic[] = [];
  for (const index of indices) {
    const communication = plan.communications[index];
    if (communication === undefined) continue;
    const faults = transferFaults(communication, index, value, stage);
    if (faults.length > 0) return faults;
    const taken = takenBy(communication.op, value) ?? value.layout;
    const layout = effects[communication.op][taken] ?? "whole";
    if (isAtHand(value, communication.to)) {
      remarks.push(useless(communication, index));
    }
    value = { layout, groups: [communication.to] };
    if (indices.length > 1 && been.has(placeOf(value))) return [cycle(communication, index)];
    been.add(placeOf(value));
  }
  const index = indices.at(-1) ?? 0;
  const faults = arrivalFaults(value, index, plan.communications[index]?.name ?? "", next, first);
  if (faults.length > 0) return faults;
  const ops = indices.map((i) => plan.communications[i]?.op ?? "");
  if (remarks.length > 0) return remarks;
  return [
    info(
      "communication-fits-split",
      ["communications", indices[0] ?? 0],
      `${ops.join(" then ")} is what the ${describe(result.layout)} of stage ${JSON.stringify(stage.name)} needs`,
    ),
  ];
};

const placeOf = ({ layout, groups }: Value): string => `${layout} on ${groups.flat().join()}`;

/** Whether all of it is already on every one of those GPUs. */
const isAtHand = ({ layout, groups }: Value, to: readonly number[]): boolean =>
  groups.length === 1 &&
  (layout === "whole" || groups[0]?.length === 1) &&
  to.every((gpu) => groups[0]?.includes(gpu));

const useless = ({ name, op, to }: Communication, index: number): Diagnostic =>
  warning(
    "communication-useless",
    ["communications", index],
    `${name} is a ${op} to GPUs ${listed(to)}, which hold all of the result already`,
    "leave it out",
  );

const cycle = ({ name, to }: Communication, index: number): Diagnostic =>
  error(
    "communication-cycle",
    ["communications", index],
    `${name} brings the result back to GPUs ${listed(to)}, where it was before`,
    "leave out the communications in between",
  );

/**
 * What a stage's last layer leaves. Layers that reduce their own result leave that to the declared
 * communication, if there is one, so that nothing is moved twice.
 */
const resultOf = (layer: Layer, isDeclared: boolean): Value => {
  const { groups, op } = layer;
  const isGroup = groupSize(layer) > 1;
  // Each replica's mean is a summand of the mean over the batch.
  if (op === "aggregate" && layer.over === "batch" && groups.length > 1) {
    return { layout: "partial sums", groups: [groups.map(([first = 0]) => first)] };
  }
  if (groups.length > 1 && !isGroup) return { layout: "rows", groups: [groups.flat()] };
  const split = resultSplit(layer);
  if (split !== "replicated") {
    return { layout: split === "column" ? "columns" : "partial sums", groups };
  }
  if (!isGroup || !isDeclared) return { layout: "whole", groups };
  if (op === "moe") return { layout: isSliced(layer) ? "partial sums" : "rows", groups };
  return { layout: op === "attention" || op === "mlp" ? "partial sums" : "whole", groups };
};

/** Slices of an expert give summands; whole experts give back the rows that they were sent. */
const isSliced = ({ expertGroups }: MoeLayer): boolean => (expertGroups[0]?.[0]?.length ?? 1) > 1;

const layouts: readonly Layout[] = ["whole", "columns", "partial sums", "rows"];

/** The layout that the operation finds, if it is one that it takes. */
const takenBy = (op: Communication["op"], value: Value): Layout | undefined => {
  // What one GPU holds alone is a whole, a block and a summand at once.
  const isAlone = value.groups.length === 1 && value.groups[0]?.length === 1;
  const present = isAlone ? layouts : [value.layout];
  return present.find((layout) => effects[op][layout] !== undefined);
};

/** Blocks are joined in the order of their GPUs; summands have no order. */
const isOrdered = (layout: Layout): boolean => layout === "columns" || layout === "rows";

/** All of the blocks in their order, all of the summands, or any of the copies. */
const startsWhereItLies = (
  from: readonly number[],
  layout: Layout,
  holders: readonly number[],
): boolean => {
  if (isOrdered(layout)) return sameList(from, holders);
  const isEachOnce = new Set(from).size === from.length;
  const isEnough = layout === "whole" || from.length === holders.length;
  return isEachOnce && isEnough && from.every((gpu) => holders.includes(gpu));
};

const describe = (layout: Layout): string =>
  layout === "whole"
    ? "result"
    : layout === "columns"
      ? "column-parallel result"
      : layout === "rows"
        ? "result, its rows divided among replicas,"
        : "row-parallel partial sum";

const sameList = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((gpu, i) => gpu === b[i]);

const sameGroups = (a: Groups, b: Groups): boolean =>
  a.length === b.length && a.every((group, i) => sameList(group, b[i] ?? []));

const undeclared = (
  value: Value,
  s: number,
  stage: Stage,
  next: Stage,
  first: Layer,
): Diagnostic[] => {
  const path = ["stages", s];
  const between = `between stages ${JSON.stringify(stage.name)} and ${JSON.stringify(next.name)}`;
  const needed = [...new Set(first.groups.flat())];
  const to = listed(needed);
  const from = listed(value.groups.flat());
  if (value.layout === "columns") {
    const isConsumedSharded =
      resultSplit(first) === "row" && sameGroups(first.groups, value.groups);
    return isConsumedSharded
      ? []
      : [
          error(
            "column-result-not-gathered",
            path,
            `no communication ${between} gathers the column-parallel result on GPUs ${from}`,
            `declare an all-gather from [${from}] to [${to}], or follow with a row-parallel layer on the same GPUs`,
          ),
        ];
  }
  if (value.layout === "partial sums") {
    return [
      error(
        "row-result-not-reduced",
        path,
        `no communication ${between} reduces the partial sums on GPUs ${from}`,
        `declare an all-reduce from [${from}] to [${to}]`,
      ),
    ];
  }
  const isThere =
    value.layout === "rows"
      ? groupSize(first) === 1 && sameList(first.groups.flat(), value.groups.flat())
      : sameGroups(first.groups, value.groups) ||
        (value.groups.length === 1 && needed.every((gpu) => value.groups[0]?.includes(gpu)));
  return isThere
    ? []
    : [
        error(
          "stages-not-connected",
          path,
          `no communication ${between} brings the result from GPUs ${from} to GPUs ${to}`,
          value.layout === "rows"
            ? `declare an all-gather from [${from}] to [${to}]`
            : `declare a send from [${from}] to [${to}]`,
        ),
      ];
};

const transferFaults = (
  communication: Communication,
  index: number,
  value: Value,
  stage: Stage,
): Diagnostic[] => {
  const { name, op, from } = communication;
  const path = ["communications", index];
  if (value.groups.length > 1) {
    return [
      error(
        "communication-of-several-groups",
        path,
        `the result of stage ${JSON.stringify(stage.name)} lies on ${value.groups.length} tensor groups; a communication starts from one`,
        "use data replicas of one GPU each, or leave out data replicas",
      ),
    ];
  }
  const holders = value.groups[0] ?? [];
  if (takenBy(op, value) === undefined) {
    const code =
      value.layout === "columns"
        ? "column-result-not-gathered"
        : value.layout === "partial sums"
          ? "row-result-not-reduced"
          : "communication-does-not-fit-result";
    const fitting = Object.entries(effects).flatMap(([other, effect]) =>
      effect[value.layout] === undefined ? [] : [other],
    );
    return [
      error(
        code,
        [...path, "op"],
        `${name} is a ${op} of a ${describe(value.layout)} on GPUs ${listed(holders)}`,
        `use ${fitting.join(" or ")}`,
      ),
    ];
  }
  return startsWhereItLies(from, value.layout, holders)
    ? []
    : [
        error(
          "communication-source-differs",
          [...path, "from"],
          `${name} starts from GPUs ${listed(from)}, but the ${describe(value.layout)} lies on GPUs ${listed(holders)}${isOrdered(value.layout) ? ", in that order" : ""}`,
          `set from to [${listed(holders)}]`,
        ),
      ];
};

const arrivalFaults = (
  value: Value,
  index: number,
  name: string,
  next: Stage,
  first: Layer,
): Diagnostic[] => {
  const arrived = value.groups.flat();
  const path = ["communications", index];
  const missed = [...new Set(first.groups.flat())].filter((gpu) => !arrived.includes(gpu));
  if (missed.length > 0) {
    return [
      error(
        "communication-misses-gpu",
        [...path, "to"],
        `stage ${JSON.stringify(next.name)} also needs its input on GPU ${listed(missed)}, where ${name} does not go`,
        "add it to the list",
      ),
    ];
  }
  const staysDivided = groupSize(first) === 1 && first.groups.length === arrived.length;
  return value.layout !== "rows" || staysDivided
    ? []
    : [
        error(
          "rows-not-gathered",
          [...path, "op"],
          `${name} leaves each GPU some of the rows, but the first layer of stage ${JSON.stringify(next.name)} needs all of them`,
          "follow with an all-gather, or make that layer data-parallel over these GPUs",
        ),
      ];
};
