// The step of a full plan, from a run of one that was scaled down in nothing that a layer's work depends on: the time of
// each kind of layer as the run had it, as often as the full plan has it, in the order of its schedule.
//
// On each GPU a micro-batch takes the sum of its layers' times, and a step
//
//   T(plan) = m · max over GPUs of U + (sum over stages of S − max of U) / v
//
// with m micro-batches, v chunks a GPU, S the time of a stage and U that of all stages of a GPU: the busiest GPU works
// without a gap, once the pipeline is filled. The step of the full plan is the measured one × T(full) ÷ T(scaled), so
// that gaps between kernels, and what hosts add, grow with the work. The head's time goes with the rows of the
// vocabulary that a rank has.

import { blocksOf } from "../plan/blocks.ts";
import type { Layer } from "../plan/layers/layers.ts";
import type { Plan } from "../plan/plan.ts";
import type { Figure, Unit } from "../measure/figure.ts";
import type { Metrics } from "../measure/metrics.ts";

/** Every figure is projected; absent where the run did not time layers one by one. */
export interface ProjectedWhole {
  readonly stepMs?: Figure;
  readonly samplesPerSecond?: Figure;
  readonly tokensPerSecond?: Figure;
  /** As `Metrics.layerMs`, of the full plan's blocks. */
  readonly layerMs?: Figure;
}

/** @param metrics of a run of `scaled` */
export function projectWhole(
  full: Plan,
  scaled: Plan,
  { stepMs, layers }: Pick<Metrics, "stepMs" | "layers">,
): ProjectedWhole {
  if (stepMs === undefined) return {};
  const measured = new Map(layers.map(({ layer, latencyMs }) => [layer, latencyMs.value]));
  const kinds = kindsOf(scaled, measured);
  const timed = timedLayers(full, kinds);
  const own = timedLayers(scaled, kinds);
  if (measured.size === 0 || timed === undefined || own === undefined) return {};
  const wholeMs = (stepMs.value * scheduledMs(full, timed)) / scheduledMs(scaled, own);
  const { batch, sequence } = full.workload;
  const [before, after] = [blocksOf(scaled), blocksOf(full)];
  const from =
    `from ${before.length} of ${after.length} blocks: each kind of layer as it was measured, ` +
    "as often as the full plan has it, by its schedule";
  const projected = (value: number, unit: Unit): Figure => ({
    value,
    unit,
    samples: stepMs.samples,
    provenance: "projected",
    conditions: [...stepMs.conditions, from],
  });
  const blockMs = after.map((block) =>
    block.reduce((sum, name) => sum + (timed.get(name) ?? 0), 0),
  );
  return {
    stepMs: projected(wholeMs, "ms"),
    samplesPerSecond: projected((1000 * batch) / wholeMs, "samples/s"),
    tokensPerSecond: projected((1000 * batch * sequence) / wholeMs, "tokens/s"),
    ...(blockMs.length === 0
      ? {}
      : { layerMs: projected(blockMs.reduce((sum, ms) => sum + ms, 0) / blockMs.length, "ms") }),
  };
}

interface PlacedLayer {
  readonly name: string;
  readonly layer: Layer;
  readonly kind: string;
}

/**
 * Layers of a kind have the same parts, whatever their sizes, and the same neighbors as far as these matter: a residual
 * becomes part of a norm behind it, unless its stage ends there.
 */
function placedLayers({ stages }: Plan): PlacedLayer[] {
  return stages.flatMap((stage) =>
    stage.layers.map((layer, at) => {
      const { groups: _, name: _name, ...parts } = layer;
      const features = Object.entries(parts)
        .filter(([key]) => key !== "from" && key !== "expertGroups")
        .map(([key, value]) =>
          typeof value === "number" ? key : `${key}=${JSON.stringify(value)}`,
        )
        .toSorted();
      const before = stage.layers[at - 1]?.op === "residual" ? "residual before" : "";
      const after = stage.layers[at + 1]?.op === "norm" ? "norm behind" : "";
      return {
        name: `${stage.name}/${layer.name}`,
        layer,
        kind: [...features, before, after].join(" "),
      };
    }),
  );
}

interface Kind {
  readonly ms: number;
  /** Columns of a product on each rank; of other layers 1. */
  readonly columns: number;
}

/** ms of one micro-batch in a layer of each kind, mean over those of that kind. A layer without work takes none. */
function kindsOf(scaled: Plan, measured: ReadonlyMap<string, number>): Map<string, Kind> {
  const times = new Map<string, { ms: number; count: number; columns: number }>();
  for (const { name, layer, kind } of placedLayers(scaled)) {
    const known = times.get(kind) ?? { ms: 0, count: 0, columns: columnsOf(layer) };
    times.set(kind, {
      ...known,
      ms: known.ms + (measured.get(name) ?? 0),
      count: known.count + 1,
    });
  }
  return new Map(
    [...times].map(([kind, { ms, count, columns }]) => [kind, { ms: ms / count, columns }]),
  );
}

function columnsOf(layer: Layer): number {
  if (layer.op !== "linear") return 1;
  return layer.split === "column" ? layer.out / (layer.groups[0]?.length ?? 1) : layer.out;
}

/** ms of each layer, by its name; undefined where some layer is of a kind that did not run. */
function timedLayers(
  plan: Plan,
  kinds: ReadonlyMap<string, Kind>,
): ReadonlyMap<string, number> | undefined {
  const timed = new Map<string, number>();
  for (const { name, layer, kind } of placedLayers(plan)) {
    const found = kinds.get(kind);
    if (found === undefined) return undefined;
    timed.set(name, (found.ms * columnsOf(layer)) / found.columns);
  }
  return timed;
}

/** T(plan), in ms. */
function scheduledMs(plan: Plan, timed: ReadonlyMap<string, number>): number {
  const { workload, degrees, stages } = plan;
  const ofGpu = new Map<number, number>();
  let passing = 0;
  for (const stage of stages) {
    const gpus = new Set<number>();
    let ms = 0;
    for (const layer of stage.layers) {
      ms += timed.get(`${stage.name}/${layer.name}`) ?? 0;
      for (const gpu of layer.groups.flat()) gpus.add(gpu);
    }
    passing += ms;
    for (const gpu of gpus) ofGpu.set(gpu, (ofGpu.get(gpu) ?? 0) + ms);
  }
  const busiest = Math.max(...ofGpu.values());
  const chunks = (degrees?.pipeline ?? 1) === 1 ? 1 : (degrees?.virtualStages ?? 1);
  return workload.microBatches * busiest + Math.max(0, passing - busiest) / chunks;
}
