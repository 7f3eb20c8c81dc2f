// From traces to samples, and from samples to every figure of a run.

import { atOnce, type InSlices } from "../in_slices.ts";
import type { Estimate } from "../program/estimate.ts";
import type { Program } from "../program/program.ts";
import type { StepTrace } from "../program/trace.ts";
import { bubbleOf } from "./bubble.ts";
import { bubbleMetrics } from "./bubble_metrics.ts";
import { breakDown } from "./breakdown.ts";
import { expertLoads, expertMetrics } from "./experts.ts";
import { byRun, figureOf, type Conditions } from "./figures.ts";
import { hostMetrics } from "./host_metrics.ts";
import { layerCommunication } from "./layer_communication.ts";
import { layerLatencies } from "./layers.ts";
import { type KernelGroup, type KernelGroups, kernelTimes } from "./kernel_groups.ts";
import type { Margins } from "./margin.ts";
import { overBound } from "./over_bound.ts";
import { type Arithmetic, arithmeticOf, roofline } from "./roofline.ts";
import type { CommunicationMetrics, LayerMetrics, Metrics, Percentiles } from "./metrics.ts";
import { rankMetrics } from "./rank_metrics.ts";
import { type ServedRound, type ServedPlan, servingMetrics } from "./serving.ts";
import { type LayerSample, type StepSample, wholeNanoseconds } from "./sample.ts";
import { mean, outliers, percentile } from "./statistics.ts";
import { throughput } from "./throughput.ts";
import type { CalibratedPeaks } from "./ceiling.ts";
import { utilization } from "./utilization.ts";

/**
 * What of a step's trace is kept.
 *
 * @param groups of the kernels of `program`, as `computeMetrics` is to be given them
 * @param run in which the step was taken
 */
export function summariseStep(
  program: Program,
  trace: StepTrace,
  groups: KernelGroups,
  run = 0,
): StepSample {
  const kernelMs = kernelTimes(groups, trace);
  const bubble = bubbleOf(program, trace);
  return {
    run,
    step: trace.step,
    provenance: trace.provenance,
    wallMs: wholeNanoseconds(trace.wallMs),
    ranks: trace.ranks.map((rank) => breakDown(rank, trace.wallMs)),
    layers: layerLatencies(program, trace),
    communication: layerCommunication(program, trace),
    experts: expertLoads(program, trace),
    ...(kernelMs === undefined ? {} : { kernelMs }),
    ...(bubble === undefined ? {} : { bubble }),
  };
}

export interface MetricsInput {
  readonly program: Program;
  readonly estimate: Estimate;
  readonly samples: readonly StepSample[];
  /** One entry per adapter used. */
  readonly peaks: readonly CalibratedPeaks[];
  /** Those that samples were summarised by. */
  readonly kernels: readonly KernelGroup[];
  /** The variant that a kernel took; undefined where that is not known. */
  readonly variantOf: (kernel: KernelGroup) => string | undefined;
  /** What every figure holds under, such as `software adapter`. */
  readonly conditions: readonly string[];
  /** What samples cannot show. Default: nothing. */
  readonly margins?: Margins;
  /** Of a plan that serves. */
  readonly served?: { readonly rounds: readonly ServedRound[]; readonly plan: ServedPlan };
}

export function computeMetrics(input: MetricsInput): Metrics {
  return atOnce(metricsInSlices(input));
}

export function* metricsInSlices(input: MetricsInput): InSlices<Metrics> {
  const { program, samples } = input;
  const conditions: Conditions = {
    provenance: samples[0]?.provenance ?? "measured",
    conditions: input.conditions,
    ...(input.margins === undefined ? {} : { margins: input.margins }),
  };
  /** Of what one rank's clock tells alone. */
  const ofOneClock: Conditions =
    input.margins === undefined
      ? conditions
      : { ...conditions, margins: { ...input.margins, clockMs: 0, clockShare: 0 } };
  const wall = samples.map(({ wallMs }) => wallMs);
  const layers = layerMetrics(program, samples, conditions);
  const layerMs = latencyPerLayer(input, conditions);
  yield;
  const communication = communicationMetrics(program, samples, ofOneClock);
  const bubble = bubbleMetrics(samples, conditions);
  yield;
  const shares = utilization(
    samples,
    program,
    input.estimate,
    input.peaks,
    conditions,
    arithmeticsOf(input),
  );
  yield;
  const kernels = roofline(
    input.kernels,
    samples,
    (id) => input.peaks.find(({ adapter }) => adapter === id),
    input.variantOf,
    ofOneClock,
  );
  yield;
  const ranks = rankMetrics(samples, conditions);
  yield;
  const host = hostMetrics(samples, ofOneClock);
  yield;
  const { served } = input;
  const serving = served && servingMetrics(served.rounds, served.plan, conditions);
  return {
    ...throughput(program, samples, conditions),
    ...(layerMs === undefined ? {} : { layerMs }),
    layers,
    communication,
    ranks,
    host,
    ...shares,
    kernels,
    overBound: overBound(shares, kernels, streamedShare(input)),
    ...(bubble === undefined ? {} : { bubble }),
    percentiles: percentilesOf(wall),
    outliers: outliers(wall).length,
    experts: (samples[0]?.experts ?? []).map(expertMetrics),
    ...(serving === undefined ? {} : { serving }),
  };
}

/** Of the bytes that kernels must move, those of kernels that move more at a time than memory was measured with. */
function streamedShare({ kernels, peaks }: MetricsInput): number {
  let all = 0;
  let streamed = 0;
  for (const { adapter, uses, bytes } of kernels) {
    const own = peaks.find((each) => each.adapter === adapter);
    all += uses * bytes;
    if (own !== undefined && bytes >= own.streamedBytes) streamed += uses * bytes;
  }
  return all === 0 ? 0 : streamed / all;
}

/** Of kernels whose variant is known; f32 in any case, which every kernel can compute in. */
function arithmeticsOf({ kernels, variantOf }: MetricsInput): Arithmetic[] {
  return [
    ...new Set<Arithmetic>([
      "f32",
      ...kernels.map((kernel) => arithmeticOf(variantOf(kernel) ?? "")),
    ]),
  ];
}

function layerMetrics(
  program: Program,
  samples: readonly StepSample[],
  conditions: Conditions,
): LayerMetrics[] {
  return program.layers.flatMap((layer) => {
    const perStep = byRun(samples, ({ layers }) => {
      const own = layers.find((each) => each.layer === layer);
      return own !== undefined && isWhole(program, own) ? mean(own.latencyMs) : undefined;
    });
    const latencyMs = figureOf(perStep, "ms", conditions);
    return latencyMs === undefined ? [] : [{ layer, latencyMs }];
  });
}

function communicationMetrics(
  program: Program,
  samples: readonly StepSample[],
  conditions: Conditions,
): CommunicationMetrics[] {
  return program.layers.flatMap((layer) => {
    const ms = (part: "hiddenMs" | "exposedMs") =>
      figureOf(
        byRun(
          samples,
          ({ communication }) => communication.find((each) => each.layer === layer)?.[part],
        ),
        "ms",
        conditions,
      );
    const hiddenMs = ms("hiddenMs");
    const exposedMs = ms("exposedMs");
    return hiddenMs === undefined || exposedMs === undefined
      ? []
      : [{ layer, hiddenMs, exposedMs }];
  });
}

/** The layer was seen in every micro-batch. */
function isWhole({ microBatches }: Program, { latencyMs }: LayerSample): boolean {
  return latencyMs.length === microBatches;
}

function everyLayerIsWhole(program: Program, samples: readonly LayerSample[]): boolean {
  const whole = new Set(samples.flatMap((each) => (isWhole(program, each) ? [each.layer] : [])));
  const working = layersWithWork(program);
  return working.length > 0 && working.every((layer) => whole.has(layer));
}

/** Those with a kernel or a transfer of their own: a residual may be part of the norm that follows it. */
function layersWithWork({ layers, ranks }: Program): string[] {
  const working = new Set(
    ranks.flatMap(({ instructions }) =>
      instructions.flatMap(({ op, origin }) =>
        op === "input" || op === "observe" || op === "done" ? [] : [origin.layer],
      ),
    ),
  );
  return layers.filter((layer) => working.has(layer));
}

/**
 * Of one micro-batch in one transformer block: the sum of its layers' latencies, mean over blocks. Of steps in which
 * every layer with work was seen: a part of the sum would flatter. Absent without blocks: no other layers are alike.
 */
function latencyPerLayer(
  { program, samples }: MetricsInput,
  conditions: Conditions,
): Metrics["layerMs"] {
  const { blocks = [] } = program;
  const own = new Set(blocks.flat());
  const perStep = byRun(samples, ({ layers }) =>
    blocks.length > 0 && everyLayerIsWhole(program, layers)
      ? layers.reduce(
          (sum, { layer, latencyMs }) => sum + (own.has(layer) ? mean(latencyMs) : 0),
          0,
        ) / blocks.length
      : undefined,
  );
  return figureOf(
    perStep,
    "ms",
    conditions,
    "one micro-batch, a layer is one transformer block with all its parts",
  );
}

function percentilesOf(values: readonly number[]): Percentiles {
  const p50 = percentile(values, 50);
  const p90 = percentile(values, 90);
  const p99 = percentile(values, 99);
  return {
    ...(p50 === undefined ? {} : { p50 }),
    ...(p90 === undefined ? {} : { p90 }),
    ...(p99 === undefined ? {} : { p99 }),
  };
}
