// Every collective by its name in a program.

import type { Collective } from "../program.ts";
import { allGather } from "./all_gather.ts";
import { allReduce } from "./all_reduce/all_reduce.ts";
import { allToAll } from "./all_to_all.ts";
import { broadcast } from "./broadcast.ts";
import type { Exchange } from "./chunks.ts";
import { expertCombine, expertDispatch } from "./expert_exchange.ts";
import type { Operation, SizedOperation } from "./operation.ts";
import { scatter } from "./scatter.ts";

/** What the router decides is known only when it runs. */
type UnsizedName = "expert-dispatch" | "expert-combine";

/** Collectives whose sizes the program knows. */
export type SizedCollective = Exclude<Collective, { op: UnsizedName }>;

type Named<Op> = Collective extends infer Each
  ? Each extends { readonly op: infer Own }
    ? Op extends Own
      ? Each
      : never
    : never
  : never;

const sized: { readonly [Op in SizedCollective["op"]]: SizedOperation<Named<Op> & Collective> } = {
  "all-gather": allGather,
  gather: allGather,
  "all-reduce": allReduce,
  reduce: allReduce,
  "reduce-scatter": scatter,
  scatter,
  "all-to-all": allToAll,
  broadcast,
  send: broadcast,
  recv: broadcast,
};

const unsized: { readonly [Op in UnsizedName]: Operation<Named<Op> & Collective> } = {
  "expert-dispatch": expertDispatch,
  "expert-combine": expertCombine,
};

const operations = { ...sized, ...unsized };

export function isSized(collective: Collective): collective is SizedCollective {
  return collective.op in sized;
}

export function operationOf({ op }: Collective): Operation<Collective> {
  return operations[op];
}

/** The pieces that members of `from` send to members of `to`. */
export function exchangeOf(collective: SizedCollective): Exchange {
  const operation: SizedOperation<SizedCollective> = sized[collective.op];
  return operation.exchange(collective);
}
