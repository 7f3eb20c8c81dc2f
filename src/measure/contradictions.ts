// What no run of a program can have measured: how the parts of a sample must fit each other and the program.
// Samples that are all scaled alike fit as well as before.

import { collectiveOf, isForward, type Program } from "../program/program.ts";
import { predictedBubble } from "../program/schedule/schedule.ts";
import type { KernelGroups } from "./kernel_groups.ts";
import type { ExpertSample, RankSample, StepSample } from "./sample.ts";

/** Of a whole, what adding up its parts may lose. */
const rounding = 1e-6;
/** Times are in whole nanoseconds: what each may be off. */
const roundedMs = 1e-6;
/** Shares are in whole millionths: what all of a bubble may be off together. */
const roundedShares = 5e-6;
/** GPU clocks are mapped to the host's, not exactly: kernels may seem to lie a little beside their step. */
const clockShare = 0.05;
const clockMs = 1;

/**
 * In sentences without a full stop, each with the path of what it is about; empty where all fits.
 *
 * @param groups by which the samples were summarised
 */
export function contradictions(
  program: Program,
  samples: readonly StepSample[],
  groups: KernelGroups,
): string[] {
  return [
    ...samples.flatMap((sample, i) => inStep(program, sample, groups, `samples.${i}`)),
    ...betweenSteps(samples, program.phases === undefined),
  ];
}

/** Steps were taken one after the other, and no two take the same time to the last digit in every part. */
function betweenSteps(samples: readonly StepSample[], areAlike: boolean): string[] {
  const seen = new Set<string>();
  return samples.flatMap((sample, i) => {
    const { run, step, ...rest } = sample;
    const previous = samples[i - 1];
    const key = JSON.stringify(rest);
    const repeated = seen.has(key);
    seen.add(key);
    return [
      ...((previous === undefined ? [0] : [previous.run, previous.run + 1]).includes(run)
        ? []
        : [`samples.${i}.run is ${run}: runs are missing or out of order`]),
      ...(previous?.run === run && step !== previous.step + 1
        ? [`samples.${i}.step is ${step} after ${previous.step}: steps are missing or out of order`]
        : []),
      ...(repeated ? [`samples.${i} repeats another step to the last digit`] : []),
      ...(!areAlike || JSON.stringify(sample.experts) === JSON.stringify(samples[0]?.experts)
        ? []
        : [
            `samples.${i}.experts differ from the first step's, though every step routes the same tokens`,
          ]),
    ];
  });
}

function inStep(
  program: Program,
  sample: StepSample,
  groups: KernelGroups,
  path: string,
): string[] {
  return [
    ...(isSame(
      sample.ranks.map(({ rank }) => rank),
      program.ranks.map(({ rank }) => rank),
    )
      ? []
      : [`${path}.ranks are not those of the program`]),
    ...sample.ranks.flatMap((rank, i) =>
      inRank(program, rank, sample.wallMs, `${path}.ranks.${i}`),
    ),
    ...inLayers(program, sample, path),
    ...inKernels(sample, groups, path),
    ...inBubble(program, sample, path),
    ...sample.experts.flatMap((experts, i) => inExperts(program, experts, `${path}.experts.${i}`)),
  ];
}

/** As `breakDown` takes a rank's time apart. */
function inRank(program: Program, sample: RankSample, wallMs: number, path: string): string[] {
  const { computeMs, reduceMs, uploadMs, readbackMs, moveMs, idleMs, hostMs } = sample;
  const { busyMs, communicatingMs, overlappedMs, hostItems } = sample;
  const exposedMs = reduceMs + uploadMs + readbackMs + moveMs;
  const sum = computeMs + exposedMs + idleMs + hostMs + sample.unattributedMs;
  const close = (left: number, right: number) =>
    Math.abs(left - right) <= rounding * wallMs + 10 * roundedMs;
  const instructions = program.ranks[sample.rank]?.instructions.length;
  return [
    ...(close(sum, wallMs)
      ? []
      : [`the parts of ${path} sum to ${sum} ms of a step of ${wallMs} ms`]),
    ...(close(busyMs, computeMs + reduceMs)
      ? []
      : [`${path}.busyMs is ${busyMs} ms, and its kernels took ${computeMs + reduceMs} ms`]),
    ...(close(communicatingMs, overlappedMs + exposedMs)
      ? []
      : [
          `${path}.communicatingMs is ${communicatingMs} ms, and its parts sum to ${overlappedMs + exposedMs} ms`,
        ]),
    ...(overlappedMs <= computeMs + rounding * wallMs + 10 * roundedMs
      ? []
      : [`${path}.overlappedMs is more than the time in which it computes`]),
    ...(hostItems === undefined || hostItems.instructions === instructions
      ? []
      : [
          `${path}.hostItems tell of ${hostItems.instructions} instructions, and the program has ${instructions}`,
        ]),
  ];
}

function inLayers(program: Program, sample: StepSample, path: string): string[] {
  const { layers, communication, ranks, wallMs } = sample;
  const known = new Set(program.layers);
  const most = wallMs * (1 + clockShare) + clockMs;
  const found: string[] = [];
  for (const [i, { layer, latencyMs }] of layers.entries()) {
    const at = `${path}.layers.${i}`;
    if (!known.has(layer)) found.push(`${at} is of no layer of the program`);
    if (latencyMs.length > program.microBatches) found.push(`${at} has too many micro-batches`);
    if (latencyMs.some((ms) => ms > most)) found.push(`${at} took longer than its step`);
  }
  for (const [i, { layer, hiddenMs, exposedMs }] of communication.entries()) {
    const at = `${path}.communication.${i}`;
    if (!known.has(layer)) found.push(`${at} is of no layer of the program`);
    if (hiddenMs + exposedMs > most) found.push(`${at} took longer than its step`);
  }
  // Every kernel lies within its layer, so that layers take no less than the kernels of any one rank.
  const latencies = layers.flatMap(({ latencyMs }) => latencyMs);
  const total = latencies.reduce((sum, ms) => sum + ms, 0) + latencies.length * roundedMs;
  const busiest = Math.max(0, ...ranks.map(({ computeMs }) => computeMs));
  if (layers.length > 0 && !hasBackward(program) && total < busiest * (1 - rounding)) {
    found.push(`${path}.layers took ${total} ms, and the kernels of one rank ${busiest} ms`);
  }
  return found;
}

function hasBackward({ ranks }: Program): boolean {
  return ranks.some(({ instructions }) => instructions.some((one) => !isForward(one)));
}

function inKernels(
  { kernelMs, ranks }: StepSample,
  { groups }: KernelGroups,
  path: string,
): string[] {
  if (kernelMs === undefined) return [];
  const total = kernelMs.reduce((sum, ms) => sum + ms, 0);
  const covered = ranks.reduce((sum, { computeMs }) => sum + computeMs, 0);
  return [
    ...(kernelMs.length === groups.length
      ? []
      : [`${path}.kernelMs has ${kernelMs.length} kernels, and the program ${groups.length}`]),
    ...(covered <= total * (1 + rounding) + (kernelMs.length + ranks.length) * roundedMs
      ? []
      : [`${path}.kernelMs sum to ${total} ms, and ranks computed for ${covered} ms`]),
  ];
}

function inBubble(program: Program, sample: StepSample, path: string): string[] {
  const { bubble, kernelMs, ranks, wallMs } = sample;
  const { schedule } = program;
  if (bubble === undefined) return [];
  if (schedule === undefined) return [`${path}.bubble is of a pipeline, which the plan has not`];
  const close = (left: number, right: number, beside = 0) =>
    Math.abs(left - right) <= roundedShares + beside;
  const { measured, ...parts } = bubble;
  const work = kernelMs?.reduce((sum, ms) => sum + ms, 0);
  const idle = work === undefined ? undefined : 1 - work / (wallMs * ranks.length);
  return [
    ...(close(
      Object.values(parts).reduce((sum, part) => sum + part, 0),
      measured,
    )
      ? []
      : [`the parts of ${path}.bubble do not sum to it`]),
    ...(close(parts.schedule, predictedBubble(schedule).ofTotal)
      ? []
      : [`${path}.bubble.schedule is not what the schedule gives`]),
    ...(idle === undefined || close(idle, measured, ((kernelMs?.length ?? 0) * roundedMs) / wallMs)
      ? []
      : [`${path}.bubble.measured is ${measured}, and its kernels leave ${idle}`]),
  ];
}

/** Every choice of the router arrives somewhere or is dropped. */
function inExperts(program: Program, sample: ExpertSample, path: string): string[] {
  const choices = choicesOf(program, sample.layer);
  const kept = sample.ranks.flatMap(({ tokens }) => tokens).reduce((sum, each) => sum + each, 0);
  if (choices === undefined || kept + sample.dropped === choices) return [];
  return [`${path} tells of ${kept + sample.dropped} choices, and the router makes ${choices}`];
}

/** Undefined where tokens are not sent to experts. */
function choicesOf(program: Program, layer: string): number | undefined {
  const channels = new Map<string, number>();
  for (const { instructions } of program.ranks) {
    for (const instruction of instructions) {
      const { origin } = instruction;
      const transfer = collectiveOf(instruction);
      if (transfer?.op !== "expert-dispatch" || origin.layer !== layer) continue;
      channels.set(`${transfer.channel} ${origin.microBatch}`, transfer.rows);
    }
  }
  if (channels.size === 0) return undefined;
  return [...channels.values()].reduce((sum, rows) => sum + rows, 0);
}

function isSame(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((value, i) => value === right[i]);
}
