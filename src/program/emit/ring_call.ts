// The kernels of attention where ranks share sequences: sizes are those of what a rank holds.

import type { AttentionBlockShape } from "../../kernels/block_shape.ts";
import type {
  AttentionBlockGradientOp,
  AttentionBlockOp,
  PackKeysValuesOp,
  RingOp,
} from "../ring_op.ts";
import { type Tensor, whole } from "../tensor.ts";
import { alibiOn } from "./attention_call.ts";
import type { EmittedKernel } from "./emitted_kernel.ts";
import { sizes } from "./sizes.ts";

export function ringCall(op: RingOp, rank: number): EmittedKernel {
  switch (op.op) {
    case "pack-keys-values":
      return packCall(op, rank);
    case "attention-block":
      return blockCall(op, rank);
    case "attention-block-statistics": {
      const { logarithms, attended, dy, y } = op;
      const { heads, valueDim } = peerOf(op);
      const [rows = 0] = sizes(attended, rank);
      return {
        call: { kernel: "attention_block_statistics", shape: { rows, heads, valueDim } },
        operands: [logarithms, attended, dy, y].map(whole),
      };
    }
    case "attention-block-gradient": {
      const { qkv, kv, dy, statistics, dq, dkv, addsQueries, addsKeys } = op;
      const shape = {
        ...blockOn(op, rank),
        ...(addsQueries ? { addsQueries: true as const } : {}),
        ...(addsKeys ? { addsKeys: true as const } : {}),
      };
      return {
        call: { kernel: "attention_block_gradient", shape },
        operands: [qkv, kv, dy, statistics, dq, dkv].map(whole),
      };
    }
    case "pack-attention-gradient": {
      const { dq, own, arrived, first, y } = op;
      const [rows = 0, columns = 0] = sizes(y, rank);
      const [, queryColumns = 0] = sizes(dq, rank);
      const [, keyColumns = 0] = sizes(own, rank);
      return {
        call: {
          kernel: "pack_attention_gradient",
          shape: { rows, queryColumns, keyColumns, first, columns },
        },
        operands: [dq, own, arrived, y].map(whole),
      };
    }
  }
}

function peerOf({ ring, peer }: Pick<RingOp, "ring" | "peer">) {
  const own = ring.peers[peer];
  if (own === undefined) throw new Error(`${ring.name} has no peer ${peer}`);
  return { ...own, valueDim: own.values?.dim ?? own.headDim };
}

function packCall(op: PackKeysValuesOp, rank: number): EmittedKernel {
  const { heads, kvHeads, headDim, values } = peerOf(op);
  const { qkv, v = qkv, kv } = op;
  const [rows = 0, columns = 0] = sizes(qkv, rank);
  const [, valueColumns = 0] = sizes(v, rank);
  const { dim, first, step } = values ?? {
    dim: headDim,
    first: (heads + kvHeads) * headDim,
    step: headDim,
  };
  const shape = {
    rows,
    kvHeads,
    headDim,
    columns,
    firstKey: heads * headDim,
    values: { dim, first, step, columns: valueColumns },
  };
  return { call: { kernel: "pack_keys_values", shape }, operands: [qkv, v, kv].map(whole) };
}

function blockCall(op: AttentionBlockOp, rank: number): EmittedKernel {
  const { at, qkv, kv, sinks, state, y, logarithms } = op;
  const shape = {
    ...blockOn(op, rank),
    at,
    ...(sinks === undefined ? {} : { sinks: true as const }),
  };
  const results = at === "last" ? [state, logarithms, y] : [state];
  return {
    call: { kernel: "attention_block", shape },
    operands: present(qkv, kv, sinks, ...results).map(whole),
  };
}

function blockOn(
  op: AttentionBlockOp | AttentionBlockGradientOp,
  rank: number,
): AttentionBlockShape {
  const { sequence, rows, heads, kvHeads, headDim, valueDim, rules, alibiHeads, slices } =
    peerOf(op);
  const { slices: keys } = peerOf({ ...op, peer: op.source });
  const [all = 0, columns = 0] = sizes(op.qkv, rank);
  return {
    batch: all / rows,
    rows,
    sequence,
    heads,
    kvHeads,
    headDim,
    valueDim,
    columns,
    queries: slices,
    keys,
    ...rules,
    ...(alibiHeads === undefined
      ? {}
      : { alibi: alibiOn({ ranks: op.ranks, heads }, alibiHeads, rank) }),
  };
}

function present(...tensors: readonly (Tensor | undefined)[]): Tensor[] {
  return tensors.flatMap((tensor) => tensor ?? []);
}
