// Sums that go from rank to rank: along a ring, slice by slice, or up a tree. Each adds its own and hands the
// result on; meanwhile it lies where the whole sum will lie in the end.

import { turnsOf } from "../program/exchange/algorithm.ts";
import { blocksOf } from "../program/exchange/chunks.ts";
import type { AllReduce } from "../program/program.ts";
import { createMilestones, type Milestones } from "./milestones.ts";
import type { Parts } from "./parts.ts";
import { addBlock } from "./reduce.ts";
import { sendChunks } from "./send.ts";

/** @param whole passes a milestone for each block that is summed to the end on this rank */
export async function passOn(
  parts: Parts,
  reduction: AllReduce,
  lane: number,
  whole: Milestones,
): Promise<void> {
  const { name, dtype, send, receive } = reduction;
  const turns = turnsOf(reduction, parts.rank).map((turn) => ({
    ...turn,
    blocks: blocksOf(turn.slice),
    added: createMilestones(),
  }));
  const adding = async (): Promise<void> => {
    for (const { sources, target, blocks, added } of turns) {
      if (sources.length === 0) continue;
      const summands = [...sources, parts.rank].map((source) => ({ source, offset: 0 }));
      for (const block of blocks) {
        await addBlock(parts, { name, lane, dtype, send, block, summands });
        added.pass();
        if (target === undefined) whole.pass();
      }
    }
  };
  const handing = async (): Promise<void> => {
    for (const { sources, target, blocks, added } of turns) {
      if (target === undefined) continue;
      const chunks = blocks.map((block) => ({
        bytes: block.words,
        takes: [{ ...block, readers: [target] }],
      }));
      await sendChunks(
        parts,
        sources.length === 0
          ? { name, lane, send, chunks }
          : { name, lane, send: receive, chunks, ready: async (k) => added.reached(k + 1) },
      );
    }
  };
  await Promise.all([adding(), handing()]);
}
