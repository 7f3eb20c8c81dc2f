// What `ablate` and `scaling` found of the plan of a result, read for its page.

import { isDeepStrictEqual } from "node:util";
import { median } from "../measure/statistics.ts";
import type { Plan } from "../plan/plan.ts";
import type { Ablation } from "../result/ablation.ts";
import {
  ablationSchema,
  readBeside,
  refusedBeside,
  scalingSchema,
} from "../result/beside_schema.ts";
import { workHash } from "../result/plan_hash.ts";
import type { ScaledSize, Scaling } from "../result/scaling.ts";
import { effectsOf, nameOf, spentBy } from "./ablation_effects.ts";
import { ablationVariants, runVariants } from "./ablation_variants.ts";

/**
 * Memory and bytes are those of the variants' programs, effects those of the steps in the file.
 *
 * @throws EnvironmentError `file-not-readable`; `result-refused` where it was edited, or is of other work than the plan
 */
export async function readAblation(file: string, plan: Plan): Promise<Ablation> {
  const stored = await readBeside(file, ablationSchema);
  refuseOther(file, plan, stored.work);
  const variants = ablationVariants(plan);
  const known = new Map(runVariants(variants).map((each) => [nameOf(each), each]));
  const [{ stepMs: rounds } = { stepMs: [] }] = stored.variants;
  const measured = stored.variants.map((each, at) => {
    const variant = known.get(nameOf(each));
    if (variant === undefined || (at === 0) !== (each.off.length === 0)) {
      throw refusedBeside(file, "it has other variants than the plan");
    }
    if (each.stepMs.length !== rounds.length) {
      throw refusedBeside(file, "its variants have unlike numbers of rounds");
    }
    if (!(each.error <= each.tolerance)) throw refusedBeside(file, "its numbers are wrong");
    return { ...each, ...spentBy(variant) };
  });
  const effects = effectsOf(variants, measured);
  const { techniques, pairs, ...rest } = stored;
  if (!isDeepStrictEqual({ techniques, pairs }, asStored(effects))) {
    throw refusedBeside(file, "its effects are not those of its steps");
  }
  return { ...rest, variants: measured, ...effects };
}

/**
 * Of the figures the medians are held against the turns. Without verdicts: the command that measured gave them.
 *
 * @throws EnvironmentError `file-not-readable`; `result-refused` where it was edited, or is of other work than the plan
 */
export async function readScaling(file: string, plan: Plan): Promise<Scaling> {
  const stored = await readBeside(file, scalingSchema);
  refuseOther(file, plan, stored.work);
  for (const size of stored.sizes) {
    if (size.state === "timed" && !isOfItsTurns(size)) {
      throw refusedBeside(file, `its figures of ${size.gpus} GPUs are not those of its turns`);
    }
  }
  return { ...stored, verdicts: [] };
}

function isOfItsTurns({
  kind,
  gpus,
  turnMs,
  turns,
  aloneMs,
  stepMs,
  efficiency,
}: Extract<ScaledSize, { readonly state: "timed" }>): boolean {
  const works = kind === "strong" ? 1 : gpus;
  const found = [
    [aloneMs, median(turnMs.map(({ alone }) => alone))],
    [stepMs, median(turnMs.map(({ together }) => together))],
    [efficiency, median(turnMs.map(({ alone, together }) => (works * alone) / (gpus * together)))],
  ] as const;
  return (
    turnMs.length === turns &&
    found.every(
      ([{ value, interval: [low, high] = [value, value] }, expected]) =>
        Math.abs(value - expected) <= 1e-9 * expected && low <= value && value <= high,
    )
  );
}

/** As JSON has it. */
function asStored(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function refuseOther(file: string, plan: Plan, work: string): void {
  if (work !== workHash(plan)) throw refusedBeside(file, `it is of other work than ${plan.name}`);
}
