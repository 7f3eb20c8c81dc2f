// The link between two ranks, from what `shardbench collectives --json` printed.

import { z } from "zod";
import { EnvironmentError } from "../environment_error.ts";
import type { LinkModel } from "../measure/link_model.ts";
import { readInput } from "../read_input.ts";

export interface MeasuredLink extends LinkModel {
  /** What it was fitted to, in a phrase. */
  readonly source: string;
}

const benches = z.array(
  z.object({
    op: z.string(),
    ranks: z.int().positive(),
    adapters: z.array(z.object({ id: z.string() })),
    link: z
      .object({
        // What is longer than an hour, or faster than any memory, is no link.
        latencyMs: z.number().nonnegative().max(3.6e6),
        bandwidth: z.number().positive().max(1e24).exactOptional(),
        error: z.number().nonnegative(),
      })
      .exactOptional(),
  }),
);

/** Of a send, else of whatever two ranks exchanged: with more ranks, a fit tells of more than one link. */
export async function readLink(file: string): Promise<MeasuredLink> {
  const text = await readInput(file).catch((error: unknown) => {
    throw unusable(file, error instanceof Error ? error.message : String(error));
  });
  const found = benches.safeParse(parsed(text));
  if (!found.success) {
    const [issue] = found.error.issues;
    const where = issue?.path.join(".") ?? "";
    throw unusable(
      file,
      `it is not what \`shardbench collectives --json\` prints${where === "" ? "" : `: ${where}: ${issue?.message}`}`,
    );
  }
  const fitted = found.data.filter(({ link }) => link !== undefined);
  const bench = fitted.find(({ op }) => op === "send") ?? fitted.find(({ ranks }) => ranks === 2);
  if (bench?.link === undefined) {
    throw unusable(file, "it has no link model of a send, nor of two ranks");
  }
  const ids = [...new Set(bench.adapters.map(({ id }) => id))].join(" and ");
  return { ...bench.link, source: `${bench.op} over ${bench.ranks} ranks on ${ids}` };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unusable(file: string, reason: string): EnvironmentError {
  return new EnvironmentError(
    "file-not-readable",
    `cannot take the link model of ${file}: ${reason}`,
    "make one with `shardbench collectives send --json > FILE`",
  );
}
