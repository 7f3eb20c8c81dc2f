// What a chart shows, as data. Formats that cannot draw leave it out: a table beside it says the same.

import type { Timeline } from "../measure/timeline.ts";

export type Chart = Bars | Shares | RooflineChart | SamplesChart | TimelineChart;

/** Parts of a whole, one bar for each row. */
export interface Bars {
  readonly form: "bars";
  readonly unit: "B" | "share" | "tokens";
  /** Of parts, in the order in which they are stacked. */
  readonly names: readonly string[];
  readonly rows: readonly {
    readonly label: string;
    readonly parts: readonly { readonly name: string; readonly value: number }[];
  }[];
  /** What no row may pass. */
  readonly limit?: { readonly label: string; readonly value: number };
}

/** Shares of something, 0 … 1, each with the interval that holds it. */
export interface Shares {
  readonly form: "shares";
  readonly rows: readonly {
    readonly label: string;
    readonly value: number;
    readonly interval?: readonly [low: number, high: number];
  }[];
}

/** What kernels reach over what they compute for each byte, both on logarithmic axes. */
export interface RooflineChart {
  readonly form: "roofline";
  readonly adapters: readonly {
    readonly name: string;
    /** FLOP/s */
    readonly peak: number;
    /** B/s */
    readonly bandwidth: number;
  }[];
  readonly kernels: readonly {
    readonly label: string;
    /** FLOP/B */
    readonly intensity: number;
    /** FLOP/s */
    readonly rate: number;
    /** Of the time of all kernels, 0 … 1. */
    readonly share: number;
  }[];
}

/** Every timed step, in order of time. */
export interface SamplesChart {
  readonly form: "samples";
  /** By run, in ms. */
  readonly runs: readonly (readonly number[])[];
  readonly median: number;
  readonly interval?: readonly [low: number, high: number];
}

export interface TimelineChart {
  readonly form: "timeline";
  readonly timeline: Timeline;
}
