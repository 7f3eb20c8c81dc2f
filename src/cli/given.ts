// Weights and tokens that a command line gives.

import { Option } from "commander";
import { EnvironmentError } from "../environment_error.ts";
import type { Plan } from "../plan/plan.ts";
import type { Program } from "../program/program.ts";
import { readInput } from "../read_input.ts";
import type { GivenContents, GivenWeights } from "../weights/given_source.ts";
import { countOf } from "../measure/format.ts";
import { errorColors, printErrorLines } from "./output.ts";

export interface GivenFlags {
  readonly weights?: string;
  readonly tokens?: string;
}

export function weightsOption(): Option {
  return new Option("--weights <folder>", "weights from the model's *.safetensors files there");
}

export function tokensOption(): Option {
  return new Option("--tokens <ids>", "token ids: a list such as 1,15043,3186, or a file with one");
}

/** Ids between commas, spaces or brackets. @throws EnvironmentError where there is anything else */
export async function readTokens(asked: string): Promise<number[]> {
  const isList = /^[\s\d,[\]]+$/.test(asked);
  const text = isList ? asked : await textOf(asked);
  const words = text.split(/[\s,[\]]+/).filter((word) => word !== "");
  const wrong = words.find((word) => !/^\d+$/.test(word));
  if (wrong === undefined) return words.map(Number);
  throw new EnvironmentError(
    "weights-refused",
    `${JSON.stringify(wrong.slice(0, 40))} is no token id`,
    "give whole numbers with commas between them",
  );
}

async function textOf(file: string): Promise<string> {
  try {
    return await readInput(file);
  } catch (cause) {
    throw new EnvironmentError(
      "file-not-readable",
      `${file}: ${cause instanceof Error ? cause.message : String(cause)}`,
      "give a list such as 1,15043,3186, or a file that holds one",
    );
  }
}

/** Finds the plan's weights in a folder, and says which of its tensors are not needed. */
export async function weightsIn(
  folder: string,
  plan: Plan,
  program: Program,
): Promise<GivenWeights> {
  const [{ openCheckpoint }, { matchWeights }] = await Promise.all([
    import("../weights/checkpoint.ts"),
    import("../weights/names/match_weights.ts"),
  ]);
  const { unused, ...weights } = matchWeights(plan, program, await openCheckpoint(folder));
  if (unused.length > 0) {
    const some = unused.slice(0, 4).map((name) => JSON.stringify(name));
    const more = unused.length > some.length ? ` and ${unused.length - some.length} more` : "";
    const text = `${countOf(unused.length, "tensor")} of ${folder} that the plan does not use: ${some.join(", ")}${more}`;
    printErrorLines([errorColors().doubtful(text)]);
  }
  return weights;
}

/** Of a run; nothing where nothing is given. */
export async function givenContents(
  plan: Plan,
  { weights, tokens }: GivenFlags,
): Promise<{ readonly given?: GivenContents }> {
  if (weights === undefined && tokens === undefined) return {};
  const [{ lower }, { refuseTokens }] = await Promise.all([
    import("../program/lower.ts"),
    import("../harness/logits.ts"),
  ]);
  const ids = tokens === undefined ? undefined : await readTokens(tokens);
  const { batch, sequence } = plan.workload;
  if (ids !== undefined) refuseTokens(plan, ids, batch * sequence);
  return {
    given: {
      ...(weights === undefined ? {} : { weights: await weightsIn(weights, plan, lower(plan)) }),
      ...(ids === undefined ? {} : { tokens: ids }),
    },
  };
}
