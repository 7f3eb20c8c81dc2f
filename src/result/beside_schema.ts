// Files of `ablate` and `scaling`, which a run's page takes beside its result. Of what they hold, only what was measured is
// read, and what follows from it is derived again.

import { z } from "zod";
import { EnvironmentError } from "../environment_error.ts";
import { readInput } from "../read_input.ts";
import { ablationKind } from "./ablation.ts";
import { rankAdapter, versions } from "./result_schema.ts";
import { scalingKind } from "./scaling.ts";
import { count, date, ms } from "./schema_keys.ts";
import { sealedContent } from "./sealed_file.ts";

const error = z.number().nonnegative();

const common = {
  version: z.literal(1),
  name: z.string(),
  work: z.string(),
  date,
  versions,
  adapters: z.array(rankAdapter).min(1),
};

export const ablationSchema = z.object({
  ...common,
  kind: z.literal(ablationKind),
  variants: z
    .array(
      z.object({
        off: z.array(z.string()),
        stepMs: z.array(ms.positive()).min(1),
        error,
        tolerance: z.number().positive(),
        training: z
          .object({ loss: z.number(), lossError: error, gradientError: error })
          .exactOptional(),
      }),
    )
    .min(1),
  techniques: z.array(z.unknown()),
  pairs: z.array(z.unknown()),
});

const figure = z.object({
  value: z.number(),
  unit: z.enum(["ms", "share"]),
  samples: count,
  interval: z
    .array(z.number())
    .length(2)
    .transform(([low = 0, high = 0]) => [low, high] as const)
    .exactOptional(),
  margin: z.number().nonnegative().exactOptional(),
  provenance: z.enum(["measured", "projected"]),
  conditions: z.array(z.string()),
});

const share = z.number();
const size = { kind: z.enum(["strong", "weak"]), gpus: z.int().positive() };

export const scalingSchema = z.object({
  ...common,
  kind: z.literal(scalingKind),
  sizes: z.array(
    z.discriminatedUnion("state", [
      z.object({
        ...size,
        state: z.literal("timed"),
        split: z.string(),
        batch: z.int().positive(),
        turns: z.int().positive(),
        turnMs: z.array(z.object({ alone: ms.positive(), together: ms.positive() })).min(1),
        aloneMs: figure,
        stepMs: figure,
        efficiency: figure,
        loss: z.object({
          compute: share,
          communication: share,
          imbalance: share,
          waiting: share,
          host: share,
        }),
      }),
      z.object({ ...size, state: z.literal("refused"), why: z.string() }),
    ]),
  ),
});

/**
 * The content of such a file.
 *
 * @throws EnvironmentError `file-not-readable`; `result-refused` where it was edited or is no such file
 */
export async function readBeside<Content>(
  file: string,
  schema: z.ZodType<Content>,
): Promise<Content> {
  const text = await readInput(file).catch((thrown: unknown) => unreadable(file, thrown));
  const found = sealedContent(text, schema);
  if ("why" in found) throw refusedBeside(file, found.why);
  return found.content;
}

export function refusedBeside(file: string, reason: string): EnvironmentError {
  return new EnvironmentError(
    "result-refused",
    `cannot show ${file}: ${reason}`,
    "measure it again: `shardbench ablate PLAN -o FILE`, `shardbench scaling PLAN -o FILE`",
  );
}

function unreadable(file: string, thrown: unknown): never {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  throw new EnvironmentError("file-not-readable", `cannot read ${file}: ${why}`, "check the path");
}
