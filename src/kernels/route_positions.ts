import { type Kernel, read, write } from "./kernel.ts";
import { ceilDiv } from "./storage.ts";

export interface RoutePositionsShape {
  readonly tokens: number;
  readonly experts: number;
  readonly topK: number;
}

/** Experts that one workgroup answers for, the lanes of a vec4. */
const expertsPerGroup = 4;

/** counts[e] = tokens that chose expert e; offsets = exclusive prefix sum of counts, with the total at the end; positions[token, slot] = rank of that choice among the choices of the same expert, in token order. */
export const routePositions: Kernel<RoutePositionsShape> = {
  name: "route_positions",
  bindings: [
    read("ids", "u32"),
    write("positions", "u32"),
    write("counts", "u32"),
    write("offsets", "u32"),
  ],
  constants: ({ tokens, experts, topK }) => ({
    TOKENS: tokens,
    EXPERTS: experts,
    TOP_K: topK,
    WORKGROUP: 32,
  }),
  grid: ({ experts }) => [ceilDiv(experts, expertsPerGroup), 1, 1],
  flops: () => 0,
  bytes: ({ tokens, experts, topK }) => 8 * tokens * topK + 8 * experts,
};
