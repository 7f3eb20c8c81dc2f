// The kernels that a collective ends with on a rank, made ready before it runs.

import type { LogicalGpu, PreparedKernel } from "../gpu/logical_gpu.ts";
import { reduceSum } from "../kernels/reduce_sum.ts";
import { reduceWords } from "../kernels/reduce_words.ts";
import { bytesPerElement, paddedElements } from "../kernels/storage.ts";
import { isAligned, oddSegmentsOf, summandPitch, sumsOf } from "../program/exchange/sums.ts";
import { type WorkspaceLayout, workspaceOf } from "../program/exchange/workspace.ts";
import type { Collective } from "../program/program.ts";
import type { BufferRegion } from "./buffer_region.ts";
import { sumsSlices } from "./host_sums/where_sums.ts";

export interface CollectiveKernels {
  readonly layout: WorkspaceLayout;
  readonly workspace: BufferRegion;
  /** Sums of whole quads, by where they begin in the buffer that receives, in bytes. */
  readonly sums: ReadonlyMap<number, PreparedKernel>;
  /** For all others, and for what shares words with its neighbours. */
  readonly words: PreparedKernel | undefined;
  /** Dispatches that the collective needs. */
  readonly passes: number;
}

/** Undefined where the collective needs none on this rank. */
export async function prepareCollective(
  gpu: LogicalGpu,
  rank: number,
  collective: Collective,
  region: (id: string) => BufferRegion,
  label: string,
): Promise<CollectiveKernels | undefined> {
  const { name, dtype } = collective;
  if (sumsSlices(collective, rank, gpu.report.choice.software)) return undefined;
  const sums = sumsOf(collective, rank);
  const oddSegments = oddSegmentsOf(collective, rank);
  if (sums.length + oddSegments.length === 0) return undefined;
  if (collective.workspace === undefined || collective.receive === undefined) {
    throw new Error(`${name}: a receiving rank needs a workspace and a receive buffer`);
  }
  const workspace = region(collective.workspace);
  const receive = region(collective.receive);
  const layout = workspaceOf(collective, rank);
  const elementBytes = bytesPerElement(dtype);
  const aligned = sums.filter(({ block }) => isAligned(block));
  const prepared = await Promise.all(
    aligned.map(async ({ summands, block: { targetOffset, bytes, words } }) => {
      const elements = bytes / elementBytes;
      const shape = { pieces: summands, elements };
      const quads = paddedElements(1, elements) * elementBytes;
      const bound = [
        {
          ...workspace,
          offset: workspace.offset + layout.summands,
          size: summands * summandPitch(words, dtype),
        },
        { ...receive, offset: receive.offset + targetOffset, size: quads },
      ];
      const kernel = await gpu.prepare(reduceSum, shape, dtype, bound, `${label} ${name} sum`);
      return [targetOffset, kernel] as const;
    }),
  );
  const odd = [
    ...oddSegments,
    ...sums.map(({ block }) => block).filter((block) => !isAligned(block)),
  ];
  const elements = Math.max(0, ...odd.map(({ bytes }) => bytes / elementBytes));
  const shape = { dtype, pieces: collective.from.length, elements };
  return {
    layout,
    workspace,
    sums: new Map(prepared),
    words:
      odd.length === 0
        ? undefined
        : await gpu.prepare(reduceWords, shape, dtype, [workspace, receive], `${label} ${name}`),
    passes: sums.length + oddSegments.length,
  };
}
