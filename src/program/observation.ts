// What a program shows of its results to the check.

import type { Content } from "./content.ts";

export type Observation =
  /** Rows × columns of the program's result held by this rank, at these global offsets. */
  | {
      readonly kind: "output";
      readonly rowOffset: number;
      readonly rows: number;
      readonly columnOffset: number;
      readonly columns: number;
      /** Ranks that hold the same part are told apart by this; 0, 1, … */
      readonly copy: number;
    }
  /** f32 [rows]: the loss of each global row from rowOffset on. */
  | {
      readonly kind: "loss";
      readonly rowOffset: number;
      readonly rows: number;
      /** As of an output. */
      readonly copy: number;
      /** Members of a group have each a summand of it. */
      readonly isSummand?: true;
    }
  /** f32, the sum over the step's micro-batches and replicas of the gradient of a weight's part. */
  | { readonly kind: "gradient"; readonly content: Content; readonly shape: readonly number[] }
  /**
   * u32 [2], the digest of a buffer that a step of training leaves to the next one, as it is when the step is over: shown by
   * no instruction.
   */
  | { readonly kind: "state"; readonly rank: number; readonly buffer: string }
  /** f32 [8], what the optimizer counts and finds in a step: see `begin_update`. */
  | { readonly kind: "update"; readonly copy: number }
  /** The largest logits of global rows from rowOffset on: u32 [rows, count, 2], as `top_logits` leaves them. */
  | {
      readonly kind: "candidates";
      readonly rowOffset: number;
      readonly rows: number;
      readonly count: number;
    }
  /** Expert ids u32 [rows, topK] that this rank's router chose for global rows from rowOffset on. */
  | {
      readonly kind: "routes";
      readonly rowOffset: number;
      readonly rows: number;
      readonly topK: number;
    };

/** What every step must leave to the last bit as the checked one did. */
export function isResult({ kind }: Observation): boolean {
  return ["output", "candidates", "loss", "update", "state"].includes(kind);
}
