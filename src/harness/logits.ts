// A plan's logits for one prompt: one step on its ranks, each instruction checked.

import { EnvironmentError } from "../environment_error.ts";
import { discoverAdapters } from "../gpu/discover.ts";
import { namedAdapters, placeRanks } from "../gpu/placement.ts";
import type { Plan } from "../plan/plan.ts";
import type { Program } from "../program/program.ts";
import { matrix, rowOf, type Matrix } from "../reference/tensor.ts";
import { openRanks } from "../runtime/coordinator.ts";
import type { GivenContents } from "../weights/given_source.ts";
import { assembleOutputs } from "./assemble.ts";
import { checkedKinds } from "./checked_kinds.ts";
import type { RunOptions } from "./run_options.ts";

export type LogitsOptions = Pick<RunOptions, "adapter" | "placement" | "onProgress" | "signal">;

/** The plan with a step that is that prompt, once for each data replica. */
export function promptPlan(plan: Plan, tokens: number): Plan {
  const layers = plan.stages.flatMap((stage) => stage.layers);
  const batch = Math.max(...layers.map(({ groups }) => groups.length));
  return { ...plan, workload: { ...plan.workload, batch, microBatches: 1, sequence: tokens } };
}

/**
 * @param plan as `promptPlan` makes it
 * @param program lowered from it
 * @param given with the prompt's tokens
 * @returns [tokens, vocabulary]
 * @throws EnvironmentError where the machine is in the way
 * @throws NumericsError where an instruction is wrong
 */
export async function logitsOf(
  plan: Plan,
  program: Program,
  given: GivenContents,
  options: LogitsOptions = {},
): Promise<Matrix> {
  const { signal, onProgress = () => undefined } = options;
  onProgress({ phase: "adapters" });
  const { adapters, refused } = await discoverAdapters(process.env, namedAdapters(options));
  const placement = placeRanks(program.ranks.length, adapters, { ...options, refused });
  onProgress({ phase: "ranks", total: placement.length });
  const pool = await openRanks(program, placement, {
    given,
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    onProgress({ phase: "check" });
    const ranks = await pool.observe({ check: "brief" });
    checkedKinds(
      program,
      ranks.flatMap((rank) => rank.check ?? []),
    );
    const [result] = assembleOutputs(
      program,
      ranks.flatMap((rank) => rank.observed),
      0,
    );
    if (result === undefined) throw new Error("no rank showed a result");
    return ofOnePrompt(plan, result);
  } finally {
    await pool.close();
  }
}

/** The first sample's rows, without what pads the vocabulary. */
function ofOnePrompt({ workload, model }: Plan, result: Matrix): Matrix {
  const columns = Math.min(result.columns, model?.vocabulary ?? result.columns);
  const logits = matrix(workload.sequence, columns);
  for (let row = 0; row < logits.rows; row++) {
    rowOf(logits, row).set(rowOf(result, row).subarray(0, columns));
  }
  return logits;
}

export interface LikelyToken {
  readonly id: number;
  readonly logit: number;
  /** Softmax over the vocabulary. */
  readonly probability: number;
}

/** The largest of a row, best first. */
export function likelyTokens(logits: Float64Array, count: number): LikelyToken[] {
  const best = [...logits.keys()]
    .toSorted((a, b) => logits[b]! - logits[a]! || a - b)
    .slice(0, count);
  const largest = logits[best[0] ?? 0] ?? 0;
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  return best.map((id) => {
    const logit = logits[id]!;
    return { id, logit, probability: Math.exp(logit - largest) / total };
  });
}

/** @throws EnvironmentError `weights-refused` where the plan takes no tokens, or not these */
export function refuseTokens(plan: Plan, tokens: readonly number[], most: number): void {
  const [first] = plan.stages[0]?.layers ?? [];
  const hint = "give ids of the plan's vocabulary, as its tokenizer makes them";
  if (first?.op !== "embedding") {
    throw new EnvironmentError("weights-refused", "the plan starts with vectors, not tokens", hint);
  }
  const vocabulary = plan.model?.vocabulary ?? first.vocabulary;
  const wrong = tokens.find((id) => !Number.isSafeInteger(id) || id < 0 || id >= vocabulary);
  if (wrong !== undefined) {
    const message = `token ${wrong} is none of the vocabulary's ids, 0 to ${vocabulary - 1}`;
    throw new EnvironmentError("weights-refused", message, hint);
  }
  if (tokens.length === 0 || tokens.length > most) {
    const message = `${tokens.length} tokens are given, and a step takes 1 to ${most}`;
    throw new EnvironmentError("weights-refused", message, "give fewer, or a larger workload");
  }
}
