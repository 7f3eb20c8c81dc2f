// A number as every report carries it: with its unit, how it came about, and what it holds under.

export type Provenance = "measured" | "projected" | "estimated" | "claimed";

export type Unit =
  | "ms"
  | "samples/s"
  | "tokens/s"
  | "requests/s"
  | "FLOP/s"
  | "B/s"
  | "B"
  | "tokens"
  | "tokens²"
  | "experts"
  | "GPUs"
  /** A part of one whole, 0 … 1; printed as a percentage. */
  | "share"
  /** A pure number. */
  | "ratio";

export interface Figure {
  /** The median where there is more than one sample. */
  readonly value: number;
  readonly unit: Unit;
  /** How many samples the value rests on; 0 for what was not measured. */
  readonly samples: number;
  /** In how many runs, each with its ranks opened anew; absent where it was one, or where nothing was run. */
  readonly runs?: number;
  /** 95 % interval of what such runs find; absent with too few samples, and for figures that do not scatter. */
  readonly interval?: readonly [low: number, high: number];
  /** By which factor less one the interval is wider either way than the samples ask for; absent where it is not. */
  readonly margin?: number;
  readonly provenance: Provenance;
  /** What the reader must know to judge it, in whole phrases. */
  readonly conditions: readonly string[];
}
