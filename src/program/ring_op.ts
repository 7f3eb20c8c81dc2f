// The ops of attention where ranks share sequences: keys and values go round a ring of ranks, whose queries stay.

import type { SliceStarts } from "../kernels/slices.ts";
import type { AttentionOp } from "./attention_op.ts";
import type { OpBase } from "./op_base.ts";
import type { Tensor } from "./tensor.ts";

/** Attention as one tensor group of a ring has it: of its own rows, which see keys of all. */
export interface RingPeer extends Omit<AttentionOp, "op" | "place"> {
  /** Of each sequence that a rank has. */
  readonly rows: number;
  readonly slices: SliceStarts;
}

/** Tensor groups that share sequences, in the order in which keys and values go round. */
export interface Ring {
  /** Of its tensors and transfers, as a prefix. */
  readonly name: string;
  readonly peers: readonly RingPeer[];
  /** Whether blocks are on their way while others are attended. */
  readonly isOverlapped: boolean;
}

interface RingOpBase extends OpBase {
  readonly ring: Ring;
  /** Its number in the ring. */
  readonly peer: number;
}

/** kv [rows, keys of all heads, then values], to be sent. */
export interface PackKeysValuesOp extends RingOpBase {
  readonly op: "pack-keys-values";
  readonly qkv: Tensor;
  /** Absent: values are in `qkv`. */
  readonly v?: Tensor;
  readonly kv: Tensor;
}

/** The peer's queries over the keys and values of the peer `source`: the first block begins `state`, the last gives y. */
export interface AttentionBlockOp extends RingOpBase {
  readonly op: "attention-block";
  readonly source: number;
  readonly at: "first" | "between" | "last";
  readonly qkv: Tensor;
  readonly kv: Tensor;
  /** f32 [rows, heads · (value dimension + 4)] */
  readonly state: Tensor;
  /** Of the first. */
  readonly sinks?: Tensor;
  /** Of the last, with `logarithms` f32 [rows · heads]. */
  readonly y?: Tensor;
  readonly logarithms?: Tensor;
}

/** y f32 [rows · heads · 2], as of `AttentionStatisticsOp`. */
export interface AttentionBlockStatisticsOp extends RingOpBase {
  readonly op: "attention-block-statistics";
  readonly logarithms: Tensor;
  readonly attended: Tensor;
  readonly dy: Tensor;
  readonly y: Tensor;
}

/** dq and dkv, f32: gradients of the peer's queries, and of the keys and values of `source`; where it adds, sums so far. */
export interface AttentionBlockGradientOp extends RingOpBase {
  readonly op: "attention-block-gradient";
  readonly source: number;
  readonly qkv: Tensor;
  readonly kv: Tensor;
  readonly dy: Tensor;
  readonly statistics: Tensor;
  readonly dq: Tensor;
  readonly dkv: Tensor;
  readonly addsQueries: boolean;
  readonly addsKeys: boolean;
}

/** y = columns of (dq | own + arrived) from `first` on. */
export interface PackAttentionGradientOp extends RingOpBase {
  readonly op: "pack-attention-gradient";
  readonly dq: Tensor;
  readonly own: Tensor;
  readonly arrived: Tensor;
  readonly first: number;
  readonly y: Tensor;
}

export type RingOp =
  | PackKeysValuesOp
  | AttentionBlockOp
  | AttentionBlockStatisticsOp
  | AttentionBlockGradientOp
  | PackAttentionGradientOp;

const names: ReadonlySet<string> = new Set<RingOp["op"]>([
  "pack-keys-values",
  "attention-block",
  "attention-block-statistics",
  "attention-block-gradient",
  "pack-attention-gradient",
]);

export function isRingOp<Each extends { readonly op: string }>(
  op: Each,
): op is Extract<Each, { readonly op: RingOp["op"] }> {
  return names.has(op.op);
}

type Placeless<Each> = Each extends RingOp ? Omit<Each, "place"> : never;
export type NewRingOp = Placeless<RingOp>;

export function readInRing(op: NewRingOp): readonly Tensor[] {
  switch (op.op) {
    case "pack-keys-values":
      return present(op.qkv, op.v);
    case "attention-block":
      return present(op.qkv, op.kv, op.sinks, op.at === "first" ? undefined : op.state);
    case "attention-block-statistics":
      return [op.logarithms, op.attended, op.dy];
    case "attention-block-gradient": {
      const sums = [...(op.addsQueries ? [op.dq] : []), ...(op.addsKeys ? [op.dkv] : [])];
      return [op.qkv, op.kv, op.dy, op.statistics, ...sums];
    }
    case "pack-attention-gradient":
      return [op.dq, op.own, op.arrived];
  }
}

export function writtenInRing(op: NewRingOp): readonly Tensor[] {
  switch (op.op) {
    case "pack-keys-values":
      return [op.kv];
    case "attention-block":
      return present(op.state, op.y, op.logarithms);
    case "attention-block-gradient":
      return [op.dq, op.dkv];
    case "attention-block-statistics":
    case "pack-attention-gradient":
      return [op.y];
  }
}

function present(...tensors: readonly (Tensor | undefined)[]): Tensor[] {
  return tensors.flatMap((tensor) => tensor ?? []);
}
