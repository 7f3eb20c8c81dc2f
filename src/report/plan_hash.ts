// The fingerprint that ties a result to its plan.

import { createHash } from "node:crypto";
import type { Plan } from "../plan/plan.ts";

/** sha256, in hex, of the plan as JSON with its keys in order. Comments and formatting do not count. */
export const planHash = (plan: Plan): string =>
  createHash("sha256").update(canonicalJson(plan)).digest("hex");

/** The same for all plans that ask for the same work, whatever they are called and claim. */
export const workHash = ({ hardware, workload, stages, communications }: Plan): string =>
  createHash("sha256")
    .update(canonicalJson({ gpus: hardware.gpus, workload, stages, communications }))
    .digest("hex");

/** JSON without white space and with the keys of every object in code unit order. */
const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) => {
    if (part === null || typeof part !== "object" || Array.isArray(part)) return part;
    return Object.fromEntries(
      Object.entries(part).toSorted(([left], [right]) => (left < right ? -1 : 1)),
    );
  });
