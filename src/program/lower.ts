// Plan to program: every layer of every stage, for each micro-batch in turn; then in the order of the schedule.

import { blocksOf } from "../plan/blocks.ts";
import { contextOf } from "../plan/mesh.ts";
import type { Layer, Plan, Stage } from "../plan/plan.ts";
import { createBuilder, type Builder } from "./builder.ts";
import { executedPart } from "./executed.ts";
import { fuseNeighbours } from "./fuse.ts";
import { lowerAttention } from "./layers/attention.ts";
import { idsOf, type LayerContext } from "./layers/context.ts";
import { lowerEmbedding } from "./layers/embedding.ts";
import { lowerLinear } from "./layers/linear.ts";
import { lowerMlp } from "./layers/mlp.ts";
import { lowerMoe } from "./layers/moe.ts";
import { lowerAggregate, lowerNorm, lowerResidual } from "./layers/pointwise.ts";
import type { Origin, Program } from "./program.ts";
import { communicate, gatherForNext, redistribute } from "./redistribute.ts";
import {
  scheduleBuilder,
  schedulingOf,
  type ScheduledBuilder,
} from "./schedule/scheduled_builder.ts";
import { sequenced } from "./schedule/sequence.ts";
import { readByResiduals, skippedBy } from "./skipped.ts";
import {
  membersOf,
  replicaRows,
  sameRanks,
  settled,
  splitEvenly,
  type Layout,
  type Share,
  type Value,
} from "./value.ts";

/**
 * The instructions of every rank for one step of the plan.
 *
 * @param asWritten without errors from `checkPlan`; else this throws an `Error` that names the layer
 */
export const lower = (asWritten: Plan): Program => {
  const plan = executedPart(asWritten);
  const { workload } = plan;
  const builder = createBuilder(plan.hardware.gpus, workload.dtype);
  const scheduling = schedulingOf(plan);
  const scheduled = scheduleBuilder(builder, plan, scheduling);
  let output: Value | undefined;
  for (let microBatch = 0; microBatch < workload.microBatches; microBatch++) {
    output = lowerMicroBatch(plan, scheduled, microBatch);
  }
  if (output === undefined) throw new Error("a plan needs at least one layer and one micro-batch");
  const blocks = blocksOf(plan);
  return {
    name: plan.name,
    dtype: workload.dtype,
    seed: workload.seed,
    ranks: builder.ranks().map((rank) => sequenced(rank, scheduling)),
    batch: workload.batch,
    tokens: workload.batch * workload.sequence,
    microBatches: workload.microBatches,
    layers: layerNames(plan),
    ...(blocks.length === 0 ? {} : { blocks }),
    ...(scheduling === undefined ? {} : { schedule: scheduling.schedule }),
    output: { rows: output.rows, columns: output.columns },
  };
};

/** A layer's name in programs, traces and reports. */
export const layerName = (stage: Stage, layer: Layer): string => `${stage.name}/${layer.name}`;

/** The layer that token ids go into, and its name in programs. */
export const embeddingOf = (plan: Plan): LayerContext["embedding"] => {
  for (const stage of plan.stages) {
    for (const layer of stage.layers) {
      if (layer.op === "embedding") return { name: layerName(stage, layer), layer };
    }
  }
  return undefined;
};

/** In order of execution. */
export const layerNames = (plan: Plan): string[] =>
  plan.stages.flatMap((stage) => stage.layers.map((layer) => layerName(stage, layer)));

/**
 * One micro-batch on all ranks. All are alike but for the rows they take from the input.
 *
 * @param onLayer is told of each layer before it is lowered
 */
export const lowerMicroBatch = (
  plan: Plan,
  scheduled: ScheduledBuilder,
  microBatch: number,
  onLayer?: (layer: string) => void,
): Value => {
  const builder = fuseNeighbours(scheduled);
  const embedding = embeddingOf(plan);
  const contextRanks = plan.degrees === undefined ? 1 : contextOf(plan.degrees);
  let value: Value | undefined;
  for (const [s, stage] of plan.stages.entries()) {
    const inputs: Value[] = [];
    const read = readByResiduals(stage);
    let isAdded = false;
    for (const [index, layer] of stage.layers.entries()) {
      const origin: Origin = {
        stage: stage.name,
        layer: layerName(stage, layer),
        microBatch,
        phase: "forward",
      };
      onLayer?.(origin.layer);
      const overlap = plan.optimizations.includes("communication-overlap");
      const context: LayerContext = {
        builder,
        workload: plan.workload,
        origin,
        idOf: idsOf(origin),
        overlap,
        ...(embedding && { embedding }),
        contextRanks,
      };
      if (layer.op === "embedding") {
        value = lowerEmbedding(context, layer);
        inputs.push(value);
        continue;
      }
      const source = value ?? inputVectors(context, layer);
      const { input, kept } = inputOf(context, stage.layers[index - 1], layer, source);
      inputs.push(kept);
      if (isAdded) {
        isAdded = false;
        value = { ...input, origin };
        continue;
      }
      const skipped = skippedBy(stage, index, inputs, read);
      isAdded = skipped !== undefined;
      value = lowerLayer({ ...context, ...(skipped && { skipped }) }, layer, input, inputs);
    }
    for (const communication of plan.communications) {
      if (communication.after === s && value !== undefined) {
        value = communicate(builder, value, communication);
      }
    }
  }
  if (value === undefined) throw new Error("a plan needs at least one layer");
  observeOutput(builder, value);
  builder.release();
  scheduled.endMicroBatch();
  return value;
};

const lowerLayer = (
  context: LayerContext,
  layer: Exclude<Layer, { op: "embedding" }>,
  input: Value,
  inputs: readonly Value[],
): Value => {
  switch (layer.op) {
    case "linear":
      return lowerLinear(context, layer, input);
    case "attention":
      return lowerAttention(context, layer, input);
    case "mlp":
      return lowerMlp(context, layer, input);
    case "moe":
      return lowerMoe(context, layer, input);
    case "norm":
      return lowerNorm(context, layer, input);
    case "aggregate":
      return lowerAggregate(context, layer, input);
    case "residual": {
      const skipped = inputs[layer.from];
      if (skipped === undefined) throw new Error(`${context.origin.layer}: no layer ${layer.from}`);
      const name = `${context.origin.layer}/skip`;
      const onGroups = bringTo(context.builder, layer, skipped, name);
      return lowerResidual(context, layer, input, onGroups);
    }
  }
};

/** What a layer reads, and what a residual around it can add later. */
const inputOf = (
  { builder, origin }: LayerContext,
  before: Layer | undefined,
  layer: Layer,
  source: Value,
): { readonly input: Value; readonly kept: Value } => {
  const name = `${source.origin.layer}/to ${origin.layer}`;
  if (isConsumedSharded(layer, source)) {
    const input = settled(source);
    return { input, kept: input };
  }
  if (gathersTokens(before, layer)) {
    return { input: gatherForNext(builder, source, name), kept: source };
  }
  const input = bringTo(builder, layer, source, name);
  return { input, kept: input };
};

/** The value on the layer's groups, as the layer takes it. */
const bringTo = (builder: Builder, layer: Layer, value: Value, name: string): Value =>
  redistribute(builder, value, layer.groups, name, splitsTokens(layer) ? "rows" : "replicated");

const splitsTokens = (layer: Layer): boolean => "split" in layer && layer.split === "tokens";

/** Whether a layer reads all of the tokens of which one before it has left each member of a group a part. */
const gathersTokens = (before: Layer | undefined, layer: Layer): boolean =>
  before !== undefined &&
  splitsTokens(before) &&
  !splitsTokens(layer) &&
  before.groups.length === layer.groups.length &&
  before.groups.every((group, i) => sameRanks(group, layer.groups[i] ?? []));

/**
 * A row-parallel matrix multiplies the column blocks of a column-parallel one where they are; a mixture of
 * experts routes tokens from where they are.
 */
const isConsumedSharded = (layer: Layer, value: Value): boolean => {
  const isIn = (layout: Layout): boolean =>
    value.shares.length === layer.groups.length &&
    value.shares.every(
      (share, i) => share.layout === layout && sameRanks(share.group, layer.groups[i] ?? []),
    );
  if (layer.op === "moe") return isIn("rows");
  const takesColumns =
    (layer.op === "linear" && layer.split === "row") || aggregatesColumns(layer, value);
  return takesColumns && isIn("column");
};

/** A tensor group that aggregates divides the columns anyway. */
const aggregatesColumns = (layer: Layer, value: Value): boolean =>
  layer.op === "aggregate" && !(layer.over === "batch" && value.shares.length > 1);

/**
 * A plan that does not start with token ids starts with vectors, which every rank of the layer gets: all of
 * its group's, or those of its tokens.
 */
const inputVectors = (context: LayerContext, layer: Layer): Value => {
  const { builder, workload, origin, contextRanks } = context;
  const columns = inputColumns(layer);
  // A rank has so many tokens of each sample.
  const sampleRows = workload.sequence / contextRanks;
  const allRows = workload.batch * workload.sequence;
  const rows = allRows / workload.microBatches;
  const shares = replicaRows(rows, sampleRows, layer.groups).map((range, i): Share => {
    const group = layer.groups[i] ?? [];
    const share: Share = { group, ...range, layout: "replicated", buffer: "input" };
    const held =
      splitsTokens(layer) && group.length > 1
        ? { ...share, layout: "rows" as const, memberRows: splitEvenly(range.rows, group.length) }
        : share;
    for (const member of membersOf(held)) {
      const { rank } = member;
      const shape = [member.rows, columns];
      const buffer = builder.declare(rank, {
        id: "input",
        layer: origin.layer,
        role: "input",
        shape,
      });
      builder.emit(rank, {
        op: "input",
        origin,
        buffer,
        content: {
          kind: "uniform",
          tensor: "input",
          center: 0,
          scale: 1,
          shape: [allRows, columns],
          offset: [origin.microBatch * rows + range.rowOffset + member.first, 0],
          size: shape,
        },
      });
    }
    return held;
  });
  return { rows, columns, sampleRows, origin, shares };
};

/** Columns of the vectors that a layer reads. */
export const inputColumns = (layer: Layer): number => {
  if (layer.op === "linear") return layer.in;
  if (layer.op === "aggregate") throw new Error("a plan cannot start with an aggregation");
  return layer.hidden;
};

/** Marks what the check compares: every part of the result on every rank that holds it. */
const observeOutput = (builder: Builder, value: Value): void => {
  const whole = value.shares.some((share) => share.layout === "partial" && share.group.length > 1)
    ? redistribute(
        builder,
        value,
        value.shares.map((share) => share.group),
        `${value.origin.layer}/to output`,
      )
    : settled(value);
  for (const share of whole.shares) {
    const split = share.layout === "column" ? share.group.length : 1;
    for (const [i, { rank, first, rows }] of membersOf(share).entries()) {
      builder.emit(rank, {
        op: "observe",
        origin: whole.origin,
        buffer: share.buffer,
        observation: {
          kind: "output",
          rowOffset: share.rowOffset + first,
          rows,
          columnOffset: share.layout === "column" ? (i * whole.columns) / split : 0,
          columns: whole.columns / split,
          copy: share.layout === "replicated" ? i : 0,
        },
      });
    }
  }
};
