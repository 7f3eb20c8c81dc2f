// Attention where ranks share sequences (Liu et al., Ring Attention, 2023): each has two slices of every sequence and keeps
// their queries; blocks of keys and values go round, and what a block adds is merged into an online softmax.

import { sliceStarts } from "../../kernels/slices.ts";
import type { AttentionOp } from "../attention_op.ts";
import { goRound, hopOf, keyValueColumnsOf, onPeers, sourceOf, valueDimOf } from "../ring.ts";
import type { AttentionBlockOp, Ring, RingPeer } from "../ring_op.ts";
import type { Tensor } from "../tensor.ts";
import type { LayerContext } from "./context.ts";

/** @param groups in order, those that share sequences side by side: attention as if each had whole sequences */
export function ringAttention(
  context: LayerContext,
  groups: readonly Omit<AttentionOp, "place">[],
): void {
  const { contextRanks, overlap, origin } = context;
  for (let first = 0; first < groups.length; first += contextRanks) {
    const peers = groups
      .slice(first, first + contextRanks)
      .map(({ op: _, ...own }, peer): RingPeer => {
        const { sequence } = own;
        const slices = sliceStarts(sequence, contextRanks, peer);
        return { ...own, rows: sequence / contextRanks, slices };
      });
    const name = `${origin.layer}/context/${first / contextRanks}`;
    ringOps(context, { name, peers, isOverlapped: overlap });
  }
}

function ringOps({ add, origin }: LayerContext, ring: Ring): void {
  const { peers } = ring;
  const states = onPeers(ring, "state", (own) => own.heads * (valueDimOf(own) + 4), "f32");
  const kvs = peers.map((_, step) => onPeers(ring, `kv/${step}`, keyValueColumnsOf));
  for (const [peer, { ranks, qkv, values }] of peers.entries()) {
    const v = values === undefined || values.v === qkv ? undefined : { v: values.v };
    const kv = of(kvs[0], peer);
    add({ op: "pack-keys-values", origin, ranks, ring, peer, qkv, ...v, kv });
  }
  const hops = kvs
    .slice(1)
    .map((to, step) => hopOf(ring, `to step ${step + 1}`, kvs[step] ?? [], to));
  goRound(
    ring,
    hops,
    (op) => add({ ...op, origin }),
    (step) => {
      for (const [peer, { ranks, qkv }] of peers.entries()) {
        const [kv, state] = [of(kvs[step], peer), of(states, peer)];
        const source = sourceOf(ring, peer, step);
        const own = { origin, ranks, ring, peer, source, qkv, kv, state };
        add({ op: "attention-block", ...own, ...partsAt(ring, peer, step) });
      }
    },
  );
}

function of(tensors: readonly Tensor[] | undefined, peer: number): Tensor {
  const tensor = tensors?.[peer];
  if (tensor === undefined) throw new Error(`no peer ${peer} in a ring`);
  return tensor;
}

/** What blocks have besides: the first sinks, the last results. */
function partsAt(
  { name, peers }: Ring,
  peer: number,
  step: number,
): Pick<AttentionBlockOp, "at" | "sinks" | "y" | "logarithms"> {
  const { sinks, y, heads } = peers[peer] ?? {};
  if (step === 0) return { at: "first", ...(sinks && { sinks }) };
  if (step < peers.length - 1 || y === undefined || heads === undefined) return { at: "between" };
  const held = y.parts.held.map(({ shape: [rows = 0] }) => ({ shape: [rows * heads] }));
  const logarithms: Tensor = {
    ...y,
    name: `${name}/logarithms`,
    dtype: "f32",
    parts: { ...y.parts, held },
  };
  return { at: "last", y, logarithms };
}
