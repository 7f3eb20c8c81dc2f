// What `shardbench ablate` leaves behind: the plan with techniques switched off, and what each is worth.

import type { PairEffect, TechniqueEffect } from "../measure/ablation.ts";
import type { BufferRole } from "../program/program.ts";
import type { RankAdapter, Versions } from "./result.ts";

export const ablationKind = "shardbench-ablation";

export interface Ablation {
  readonly kind: typeof ablationKind;
  readonly version: 1;
  /** Of the plan. */
  readonly name: string;
  /** `workHash` of the plan. */
  readonly work: string;
  /** ISO 8601. */
  readonly date: string;
  readonly versions: Versions;
  readonly adapters: readonly RankAdapter[];
  /** The plan as it is comes first. */
  readonly variants: readonly AblatedVariant[];
  readonly techniques: readonly AblatedTechnique[];
  readonly pairs: readonly AblatedPair[];
}

export interface AblatedVariant {
  /** Techniques that are switched off. */
  readonly off: readonly string[];
  /** One step of each round. */
  readonly stepMs: readonly number[];
  /** Of the rank that allocates most, in bytes. */
  readonly memory: Readonly<Partial<Record<BufferRole, number>>>;
  /** Sent over all ranks, per step. */
  readonly wireBytes: number;
  /** Largest relative error of the result, and what is accepted. */
  readonly error: number;
  readonly tolerance: number;
  /** Of training, relative: of the loss, and the largest of gradients. */
  readonly training?: {
    readonly loss: number;
    readonly lossError: number;
    readonly gradientError: number;
  };
}

export type AblatedTechnique = { readonly technique: string } & (
  | ({ readonly state: "measured" } & TechniqueEffect)
  /** The program is the same without it. */
  | { readonly state: "same program" }
  | { readonly state: "not switched"; readonly why: string }
);

export type AblatedPair = { readonly pair: readonly [string, string] } & (
  | ({ readonly state: "measured" } & PairEffect)
  | { readonly state: "not switched"; readonly why: string }
);
