// 1F1B: after a warm-up of forward passes, one forward and one backward in turn. The warm-up is as long as
// the first backward needs to arrive: p − pipelineRank − 1 micro-batches, or with v chunks per pipeline rank
// 2·(p − pipelineRank − 1) + (v − 1)·p of them, as Megatron-LM counts it.

import { backwardSlots, forwardSlots, type Extent, type Slot } from "./slot.ts";

export function oneForwardOneBackward(extent: Extent, pipelineRank: number): Slot[] {
  const { pipelineSize, virtualStages, microBatches } = extent;
  const behind = pipelineSize - pipelineRank - 1;
  const warmUp = virtualStages === 1 ? behind : 2 * behind + (virtualStages - 1) * pipelineSize;
  const ahead = Math.min(warmUp, virtualStages * microBatches);
  const forward = forwardSlots(extent);
  const backward = backwardSlots(extent);
  return [
    ...forward.slice(0, ahead),
    ...forward.slice(ahead).flatMap((slot, i) => [slot, ...backward.slice(i, i + 1)]),
    ...backward.slice(backward.length - ahead),
  ];
}
