import { type AdapterTraits, type Kernel, read, write } from "./kernel.ts";
import { isCpuAdapter } from "./cpu_adapter.ts";
import { ceilDiv } from "./storage.ts";

export interface RoutePositionsShape {
  readonly tokens: number;
  readonly experts: number;
  readonly topK: number;
}

/** Numbers of a workgroup's table; with the totals beside them they fit in 16 KiB. */
const tableSize = 3072;

/** Lanes, and the experts that a workgroup answers for. */
function split({ experts }: RoutePositionsShape, adapter: AdapterTraits | undefined) {
  const lanes = isCpuAdapter(adapter) ? adapter.subgroupSize.max : 32;
  return { lanes, block: Math.min(experts, Math.floor(tableSize / lanes)) };
}

/** counts[e] = tokens that chose expert e; offsets = exclusive prefix sum of counts, with the total at the end; positions[token, slot] = rank of that choice among the choices of the same expert, in token order. */
export const routePositions: Kernel<RoutePositionsShape> = {
  name: "route_positions",
  bindings: [
    read("ids", "u32"),
    write("positions", "u32"),
    write("counts", "u32"),
    write("offsets", "u32"),
  ],
  constants: (shape, adapter) => ({
    TOKENS: shape.tokens,
    EXPERTS: shape.experts,
    TOP_K: shape.topK,
    BLOCK: split(shape, adapter).block,
    LANES: split(shape, adapter).lanes,
  }),
  grid: (shape, adapter) => [ceilDiv(shape.experts, split(shape, adapter).block), 1, 1],
  flops: () => 0,
  bytes: ({ tokens, experts, topK }) => 8 * tokens * topK + 8 * experts,
};
