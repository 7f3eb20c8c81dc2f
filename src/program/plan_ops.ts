// The ops of a plan's layers, for one micro-batch, as if nothing were fused, overlapped or differentiated.

import { inputWidthOf } from "../plan/layers.ts";
import { contextOf } from "../plan/mesh.ts";
import { lossOf } from "../plan/loss.ts";
import type { Placement, PlacementKind } from "../plan/placement.ts";
import { type Layer, planLayerOf } from "../plan/layers/layers.ts";
import type { Plan, Stage } from "../plan/plan.ts";
import { communicate } from "./communicate.ts";
import { type LayerContext, orderOf } from "./layers/context.ts";
import { rowOrderOf } from "./row_order.ts";
import { embeddingOps } from "./layers/embedding.ts";
import { rowsOfHead } from "./layers/last_rows.ts";
import { opsOf } from "./layers/layers.ts";
import { sampleOps } from "./layers/sample.ts";
import { lossOps } from "./layers/loss.ts";
import { splitsTokens, wantedBy } from "./layers/split_tokens.ts";
import type { Op } from "./op.ts";
import { cacheUseOf } from "./serving/caches.ts";
import { servedBy, type ServedWhat } from "./serving/served.ts";
import type { Observation } from "./observation.ts";
import type { Program } from "./program.ts";
import { gatherForNext, redistribute } from "./redistribute.ts";
import {
  membersOf,
  replicaRows,
  sameRanks,
  splitEvenly,
  type Shard,
  type ShardedTensor,
  type Tensor,
  type TensorPart,
} from "./tensor.ts";

/** A layer's name in programs, traces and reports. */
export function layerName(stage: Stage, layer: Layer): string {
  return `${stage.name}/${layer.name}`;
}

/** The layer that token ids go into, and its name in programs. */
export function embeddingOf(plan: Plan): LayerContext["embedding"] {
  for (const stage of plan.stages) {
    for (const layer of stage.layers) {
      if (layer.op === "embedding") return { name: layerName(stage, layer), layer };
    }
  }
  return undefined;
}

/** In order of execution. */
export function layerNames(plan: Plan): string[] {
  return plan.stages.flatMap((stage) => stage.layers.map((layer) => layerName(stage, layer)));
}

export interface PlanOps {
  readonly ops: readonly Op[];
  readonly output: Program["output"];
}

/** @throws Error where a value is not where a layer or a communication needs it; `checkPlan` says so before */
export function planOps(plan: Plan): PlanOps {
  const ops: Op[] = [];
  const embedding = embeddingOf(plan);
  const cache = cacheUseOf(plan.workload);
  const { phase } = plan.workload;
  const order = rowOrderOf(plan);
  const common = {
    workload: plan.workload,
    ...(order && { order }),
    ...(cache === undefined ? {} : { cache }),
    overlap: plan.optimizations.includes("communication-overlap"),
    ...(embedding && { embedding }),
    contextRanks: plan.degrees === undefined ? 1 : contextOf(plan.degrees),
    weightParts: new Map<string, readonly TensorPart[]>(),
  };
  const tablesOf = new Map<Stage, LayerContext["tables"]>();
  const contextOfLayer = (stage: Stage, layer: Layer): LayerContext => {
    const place = layerName(stage, layer);
    const tables: LayerContext["tables"] = tablesOf.get(stage) ?? new Map();
    tablesOf.set(stage, tables);
    return {
      ...common,
      tables,
      origin: {
        stage: stage.name,
        layer: place,
        phase: "forward",
        ...(phase === undefined ? {} : { serves: phase.name }),
      },
      add: (op) => void ops.push({ ...op, place }),
    };
  };
  let value: ShardedTensor | undefined;
  let context: LayerContext | undefined;
  for (const [s, stage] of plan.stages.entries()) {
    const inputs: ShardedTensor[] = [];
    for (const [index, layer] of stage.layers.entries()) {
      context = contextOfLayer(stage, layer);
      if (layer.op === "embedding") {
        value = embeddingOps(context, layer);
        inputs.push(value);
        continue;
      }
      const source = value ?? inputVectors(context, layer);
      const { input, kept } = inputOf(context, stage.layers, index, source, inputs);
      inputs.push(kept);
      const read = isLast(plan, stage, index) ? rowsOfHead(context, layer, input) : input;
      value = opsOf(layer)(context, layer, read, inputs);
    }
    for (const communication of plan.communications) {
      if (communication.after === s && value !== undefined && context !== undefined) {
        value = communicate(context.add, value, communication);
      }
    }
  }
  if (value === undefined || context === undefined) {
    throw new Error("a plan needs at least one layer");
  }
  const shown = observeOutput(context, value);
  const vocabulary = plan.model?.vocabulary ?? embedding?.layer.vocabulary;
  if (vocabulary !== undefined) sampleOps(context, shown, vocabulary);
  const { optimizer } = plan.workload;
  if (optimizer !== undefined) lossOps(context, lossOf(plan), optimizer, shown);
  return { ops, output: { rows: value.rows, columns: value.columns } };
}

function isLast({ stages }: Plan, stage: Stage, index: number): boolean {
  return stage === stages.at(-1) && index === stage.layers.length - 1;
}

/** What a layer reads, and what a residual around it can add later. */
function inputOf(
  { add, origin }: LayerContext,
  layers: readonly Layer[],
  index: number,
  source: ShardedTensor,
  earlier: readonly ShardedTensor[],
): { readonly input: ShardedTensor; readonly kept: ShardedTensor } {
  const { [index - 1]: before, [index]: layer, [index + 1]: after } = layers;
  if (layer === undefined) throw new Error(`${origin.layer}: no such layer`);
  const name = `${source.origin.layer}/to ${origin.layer}`;
  const isAsItIs = layer.op === "branch" || addsSummands(layer, after, source, earlier);
  if (isAsItIs || isConsumedSharded(layer, source)) return { input: source, kept: source };
  if (gathersTokens(before, layer)) {
    return { input: gatherForNext(source, { add, name }), kept: source };
  }
  const input = redistribute(source, { add, name, ...wantedBy(layer) });
  return { input, kept: input };
}

/** Whether partial sums are added, of which the next residual takes the sum over the group. */
function addsSummands(
  layer: Layer,
  after: Layer | undefined,
  value: ShardedTensor,
  earlier: readonly ShardedTensor[],
): boolean {
  return (
    layer.op === "residual" &&
    after?.op === "residual" &&
    [value, earlier[layer.from]].every((each) =>
      each?.shards.every(
        ({ placement, ranks }, i) =>
          placement.kind === "partial" && sameRanks(ranks, layer.groups[i] ?? []),
      ),
    )
  );
}

/** Whether a layer reads all of the tokens of which one before it has left each member of a group a part. */
function gathersTokens(before: Layer | undefined, layer: Layer): boolean {
  return (
    before !== undefined &&
    splitsTokens(before) &&
    !splitsTokens(layer) &&
    before.groups.length === layer.groups.length &&
    before.groups.every((group, i) => sameRanks(group, layer.groups[i] ?? []))
  );
}

/**
 * A row-parallel matrix multiplies the column blocks of a column-parallel one where they are; a mixture of
 * experts routes tokens from where they are.
 */
function isConsumedSharded(layer: Layer, value: ShardedTensor): boolean {
  const isPlaced = (kind: PlacementKind): boolean =>
    value.shards.length === layer.groups.length &&
    value.shards.every(
      ({ placement, ranks }, i) =>
        placement.kind === kind && sameRanks(ranks, layer.groups[i] ?? []),
    );
  const taken = planLayerOf(layer).takes?.(layer);
  return taken !== undefined && isPlaced(taken);
}

/**
 * A plan that does not start with token ids starts with vectors, which every rank of the layer gets: all of
 * its group's, or those of its tokens.
 */
function inputVectors(context: LayerContext, layer: Layer): ShardedTensor {
  const { workload, origin, contextRanks, add } = context;
  const columns = inputColumns(layer);
  // A rank has so many tokens of each sample.
  const sampleRows = workload.sequence / contextRanks;
  const allRows = workload.batch * workload.sequence;
  const rows = allRows / workload.microBatches;
  const of: ServedWhat = { what: "vectors", columns };
  const shards = replicaRows(rows, sampleRows, layer.groups).map((range, i): Shard => {
    const ranks = layer.groups[i] ?? [];
    const placement: Placement =
      splitsTokens(layer) && ranks.length > 1
        ? { kind: "rows", rows: splitEvenly(range.rows, ranks.length) }
        : { kind: "replicate" };
    const parts = membersOf({ ranks, rows: range.rows, placement }).map((member): TensorPart => {
      const shape = [member.rows, columns];
      return {
        shape,
        content: {
          kind: "uniform",
          tensor: "input",
          center: 0,
          scale: 1,
          shape: [allRows, columns],
          offset: [range.rowOffset + member.first, 0],
          size: shape,
          ...orderOf(context),
        },
      };
    });
    const held = placement.kind === "replicate" ? parts.slice(0, 1) : parts;
    const tensor: Tensor = {
      name: "input",
      layer: origin.layer,
      role: "input",
      parts: { ranks, held },
    };
    const rowsOf = membersOf({ ranks, rows: range.rows, placement }).map((member) => ({
      firstRow: range.rowOffset + member.first,
      rows: member.rows,
    }));
    const served = servedBy(workload, of, rowsOf);
    add({ op: "input", origin, ranks, y: tensor, rowsPerMicroBatch: rows, ...served });
    return { ranks, ...range, placement, tensor };
  });
  return { rows, columns, sampleRows, origin, shards };
}

/** Columns of the vectors that a layer reads. */
export function inputColumns(layer: Layer): number {
  const width = inputWidthOf(layer);
  if (width === undefined) throw new Error(`a plan cannot start with an ${layer.op} layer`);
  return width;
}

/** Marks what the check compares: every part of the result on every rank that holds it. Partial sums are summed before. */
function observeOutput({ add }: LayerContext, value: ShardedTensor): ShardedTensor {
  const isPartial = value.shards.some(
    ({ placement, ranks }) => placement.kind === "partial" && ranks.length > 1,
  );
  const whole = isPartial
    ? redistribute(value, {
        add,
        name: `${value.origin.layer}/to output`,
        groups: value.shards.map(({ ranks }) => ranks),
      })
    : value;
  for (const shard of whole.shards) {
    const { ranks, placement, tensor } = shard;
    const isSplit = placement.kind === "columns";
    const columns = whole.columns / (isSplit ? ranks.length : 1);
    const shown = membersOf(shard).map(({ first, rows }, i): Observation => ({
      kind: "output",
      rowOffset: shard.rowOffset + first,
      rows,
      columnOffset: isSplit ? i * columns : 0,
      columns,
      copy: placement.kind === "replicate" ? i : 0,
    }));
    add({ op: "observe", origin: whole.origin, ranks, x: { tensor }, shown });
  }
  return whole;
}
