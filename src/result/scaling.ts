// What `shardbench scaling` leaves behind.

import type { Verdict } from "../claims/verdict.ts";
import type { ScalingFigures, ScalingKind } from "../measure/scaling.ts";
import type { RankAdapter, Versions } from "./result.ts";

export const scalingKind = "shardbench-scaling";

export interface Scaling {
  readonly kind: typeof scalingKind;
  readonly version: 1;
  /** Of the plan. */
  readonly name: string;
  /** `workHash` of the plan. */
  readonly work: string;
  /** ISO 8601. */
  readonly date: string;
  readonly versions: Versions;
  /** Of the largest size. */
  readonly adapters: readonly RankAdapter[];
  readonly sizes: readonly ScaledSize[];
  /** On the plan's claims of scaling. */
  readonly verdicts: readonly Verdict[];
}

export type ScaledSize = { readonly kind: ScalingKind; readonly gpus: number } & (
  | ({
      readonly state: "timed";
      /** How the plan is split, in a phrase. */
      readonly split: string;
      readonly batch: number;
      readonly turns: number;
    } & ScalingFigures)
  | { readonly state: "refused"; readonly why: string }
);
