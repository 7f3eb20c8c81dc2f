// What kernels take by what they were timed to take: a shape that was timed takes what it took; another what the
// roofline says, times how far from it the shapes of that kernel were that are most alike.

import { groupBy } from "../../group_by.ts";
import { median } from "../../measure/statistics.ts";
import { instructionFlops, kernelBytesOf } from "../../program/instruction_cost.ts";
import type { KernelInstruction } from "../../program/program.ts";
import { type Cost, noCost } from "../../program/simulate/cost.ts";

export interface TimedKernel {
  readonly instruction: KernelInstruction;
  readonly cost: Cost;
}

/** Of one shape, ms. */
interface TimedShape {
  readonly flops: number;
  readonly bytes: number;
  /** Timed ÷ at the roofline. */
  readonly ratio: number;
  readonly computeMs: number;
  readonly hostMs: number;
}

/** So many of a kernel's shapes tell what another takes. */
const neighbors = 3;

/** @param roofline ms of a kernel at the roofline, above zero */
export function createKernelTimes(
  timed: readonly TimedKernel[],
  roofline: (instruction: KernelInstruction) => number,
): (instruction: KernelInstruction) => Cost {
  const byKernel = new Map<string, Map<string, TimedShape>>();
  for (const [kernel, of] of groupBy(timed, ({ instruction }) => kernelKey(instruction))) {
    const shapes = groupBy(of, ({ instruction }) => shapeKey(instruction));
    byKernel.set(
      kernel,
      new Map([...shapes].map(([key, same]) => [key, timedShape(same, roofline)])),
    );
  }
  const all = [...byKernel.values()].flatMap((shapes) => [...shapes.values()]);
  return (instruction) => {
    const own = byKernel.get(kernelKey(instruction));
    const same = own?.get(shapeKey(instruction));
    if (same !== undefined) return { ...noCost, compute: same.computeMs, host: same.hostMs };
    const alike = nearest(own === undefined ? all : [...own.values()], instruction);
    return {
      ...noCost,
      compute: roofline(instruction) * ratioOf(alike),
      host: alike.length === 0 ? 0 : median(alike.map(({ shape }) => shape.hostMs)),
    };
  };
}

function kernelKey({ kernel, dtype }: KernelInstruction): string {
  return `${kernel} ${dtype}`;
}

function shapeKey({ shape }: KernelInstruction): string {
  return JSON.stringify(shape);
}

function timedShape(
  same: readonly TimedKernel[],
  roofline: (instruction: KernelInstruction) => number,
): TimedShape {
  const [first] = same;
  if (first === undefined) throw new RangeError("a shape without times");
  const computeMs = median(same.map(({ cost }) => cost.compute));
  return {
    flops: instructionFlops(first.instruction),
    bytes: kernelBytesOf(first.instruction),
    ratio: computeMs / roofline(first.instruction),
    computeMs,
    hostMs: median(same.map(({ cost }) => cost.host)),
  };
}

interface Neighbor {
  readonly shape: TimedShape;
  /** In orders of magnitude of FLOPs and bytes. */
  readonly distance: number;
}

function nearest(shapes: readonly TimedShape[], instruction: KernelInstruction): Neighbor[] {
  const flops = instructionFlops(instruction);
  const bytes = kernelBytesOf(instruction);
  return shapes
    .map((shape) => ({
      shape,
      distance: Math.hypot(magnitude(flops, shape.flops), magnitude(bytes, shape.bytes)),
    }))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, neighbors);
}

function magnitude(a: number, b: number): number {
  return Math.log10((a + 1) / (b + 1));
}

/** Geometric mean; who is nearer counts more. */
function ratioOf(alike: readonly Neighbor[]): number {
  let weights = 0;
  let sum = 0;
  for (const { shape, distance } of alike) {
    if (shape.ratio <= 0) continue;
    const weight = 1 / (distance + 0.01) ** 2;
    weights += weight;
    sum += weight * Math.log(shape.ratio);
  }
  return weights === 0 ? 1 : Math.exp(sum / weights);
}
