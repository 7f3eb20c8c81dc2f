// What a chart shows, as data. Formats that cannot draw leave it out: a table beside it says the same.

import type { Timeline } from "../measure/timeline.ts";

export type Chart = Bars | Areas | Shares | RooflineChart | SamplesChart | TimelineChart;

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

/** Parts of a whole over time, one upon the other; each point holds until the next. */
export interface Areas {
  readonly form: "areas";
  readonly unit: "B";
  /** Of the axis of time. */
  readonly timeLabel: string;
  /** Of parts, in the order in which they are stacked. */
  readonly names: readonly string[];
  readonly points: readonly { readonly at: number; readonly values: readonly number[] }[];
  /** What the sum must not pass. */
  readonly limit?: number;
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
  /** Of the runs; default: their numbers. */
  readonly names?: readonly string[];
  /** Of all; absent where they are to be told apart. */
  readonly median?: number;
  readonly interval?: readonly [low: number, high: number];
}

export interface TimelineChart {
  readonly form: "timeline";
  readonly timeline: Timeline;
}
