// What overlap gains: steps of the plan's program in turn with steps of the program without overlap, which
// does the same work.

import { EnvironmentError } from "../environment_error.ts";
import type { Figure } from "../measure/figure.ts";
import { figureOf } from "../measure/figures.ts";
import { seededRandom } from "../measure/statistics.ts";
import type { Plan } from "../plan/plan.ts";
import { lower } from "../program/lower.ts";
import type { Program } from "../program/program.ts";
import { openRanks, type OpenRanksOptions, type RankPool } from "../runtime/coordinator.ts";

/** Enough for an interval of the median. */
const rounds = 9;

export const overlaps = (program: Program): boolean =>
  program.ranks.some(({ instructions }) => instructions.some(({ op }) => op === "start"));

/**
 * A step's time ÷ that of a step without overlap, per round of one each; undefined where the GPUs have no
 * memory for both programs at once.
 */
export async function measureOverlapEffect(
  plan: Plan,
  pool: RankPool,
  placement: Parameters<typeof openRanks>[1],
  options: OpenRanksOptions,
): Promise<Figure | undefined> {
  const program = lower({
    ...plan,
    optimizations: plan.optimizations.filter((name) => name !== "communication-overlap"),
  });
  const plain = await openUnlessFull(program, placement, options);
  if (plain === undefined) return undefined;
  try {
    const ratios: number[] = [];
    // The first round warms up.
    for (let round = 0; round <= rounds; round += 1) {
      const without = await plain.step();
      const withOverlap = await pool.step();
      if (round > 0) ratios.push(withOverlap.wallMs / without.wallMs);
    }
    return figureOf(ratios, "ratio", {
      provenance: "measured",
      conditions: ["in turn with steps of the same plan without overlap"],
      random: seededRandom(program.seed),
    });
  } finally {
    await plain.close();
  }
}

async function openUnlessFull(
  ...given: Parameters<typeof openRanks>
): Promise<RankPool | undefined> {
  try {
    return await openRanks(...given);
  } catch (error) {
    if (error instanceof EnvironmentError && error.code === "out-of-memory") return undefined;
    throw error;
  }
}
