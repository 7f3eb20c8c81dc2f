import type { Collective } from "../program/program.ts";
import { allGather } from "./all_gather.ts";
import { allReduce } from "./all_reduce.ts";
import { allToAll } from "./all_to_all.ts";
import { broadcast } from "./broadcast.ts";
import type { CollectiveContext } from "./context.ts";
import { expertCombine } from "./expert_combine.ts";
import { expertDispatch } from "./expert_dispatch.ts";
import { reduceScatter } from "./reduce_scatter.ts";

/** This rank's part of a collective; resolves when its GPU has been given everything. */
export async function runCollective(
  context: CollectiveContext,
  instruction: Collective,
): Promise<void> {
  switch (instruction.op) {
    case "all-gather":
      return allGather(context, instruction);
    case "all-reduce":
      return allReduce(context, instruction);
    case "reduce-scatter":
      return reduceScatter(context, instruction);
    case "all-to-all":
      return allToAll(context, instruction);
    case "broadcast":
    case "send":
    case "recv":
      return broadcast(context, instruction);
    case "expert-dispatch":
      return expertDispatch(context, instruction);
    case "expert-combine":
      return expertCombine(context, instruction);
  }
}
