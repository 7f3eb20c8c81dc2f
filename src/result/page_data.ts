// What a page that runs in a browser is made with: the plan, its shaders, and what the reference says of it.

import type { Plan } from "../plan/plan.ts";

/** Some of the f64 reference's values of the first micro-batch, computed when the page was made. */
export interface ReferenceSample {
  /** Between two of the values, in the result's order. */
  readonly stride: number;
  readonly values: readonly number[];
  /** Largest magnitude of all values of that micro-batch. */
  readonly scale: number;
}

export interface PageData {
  readonly shardbench: string;
  /** The plan's, as the command line named it. */
  readonly file: string;
  readonly plan: Plan;
  readonly workHash: string;
  /** Texts by name, as in `shaders/<name>.wgsl`. */
  readonly shaders: Readonly<Record<string, string>>;
  /** Absent where the reference would have taken too long. */
  readonly reference?: ReferenceSample;
}

/** What a file of such a page's times says it is. */
export const browserTimesKind = "shardbench-browser-times";

/** Of the page's element that holds it as JSON. */
export const pageDataId = "data";
