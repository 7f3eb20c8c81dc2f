// Exclusive timing with other links: kernels and the host as they were measured, transfers by a link model.

import { collectiveOf, type Program } from "../program.ts";
import { createWireCount } from "../wire.ts";
import type { RankCosts } from "./cost.ts";
import type { Measured } from "./simulate.ts";

/** A transfer takes `latencyMs` + bytes / `bandwidth`. */
export interface SimulatedLink {
  readonly latencyMs: number;
  /** Bytes per second; absent: bytes are free. */
  readonly bandwidth?: number;
}

/**
 * A rank takes in what arrives one after the other, at the link's bandwidth; sending is free. Sums by kernels
 * take what they were measured to; sums on hosts, which are measured as moving bytes, nothing.
 */
export function linked(program: Program, measured: Measured, link: SimulatedLink): Measured {
  return {
    latencyMs: link.latencyMs,
    repeats: measured.repeats.map((ranks) => linkedStep(program, ranks, link)),
  };
}

function linkedStep(
  program: Program,
  ranks: readonly RankCosts[],
  { bandwidth }: SimulatedLink,
): RankCosts[] {
  const wire = createWireCount();
  return ranks.map(({ instructions, rest }, rank) => ({
    rest,
    instructions: instructions.map((cost, i) => {
      const instruction = program.ranks[rank]?.instructions[i];
      const transfer = instruction === undefined ? undefined : collectiveOf(instruction);
      if (transfer === undefined) return cost;
      const { received } = wire(transfer, rank);
      const upload = bandwidth === undefined ? 0 : (1000 * received) / bandwidth;
      return { ...cost, readback: 0, move: 0, upload };
    }),
  }));
}
