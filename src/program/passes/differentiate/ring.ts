// Gradients of attention where ranks share sequences. Keys and values go round again, and what each rank finds of their
// gradients goes with them, in f32, until it is back where they came from.

import { goRound, hopOf, keyValueColumnsOf, onPeers, sourceOf, valueDimOf } from "../../ring.ts";
import type { AttentionBlockOp, PackKeysValuesOp, Ring, RingPeer } from "../../ring_op.ts";
import { partOn, type Tensor } from "../../tensor.ts";
import { gradientTensor } from "./book.ts";
import { NotDifferentiable } from "./not_differentiable.ts";
import { rankKey, settle, useWeight, type Walk } from "./walk.ts";

/** Of a peer's attention: the gradient of its result, and what its scores are normalized with. */
export interface RingStatistics {
  readonly dy: Tensor;
  readonly statistics: Tensor;
}

/** Of the last block. */
export function blockGradients(walk: Walk, op: AttentionBlockOp): void {
  const { ring, peer, y, logarithms, ranks } = op;
  const own = ring.peers[peer];
  if (y === undefined || logarithms === undefined || own === undefined) return;
  const dy = settle(walk, op, y);
  if (dy === undefined) return;
  const site = walk.siteOf(op);
  const statistics = perHead(ring, "statistics", own);
  walk.emit({
    op: "attention-block-statistics",
    ...site,
    ranks,
    ring,
    peer,
    logarithms,
    attended: y,
    dy,
    y: statistics,
  });
  const { sinks, heads } = own;
  if (sinks !== undefined) {
    const dsinks = useWeight(walk, op, sinks);
    walk.emit({ op: "sink-gradient", ...site, ranks, statistics, sinks, heads, y: dsinks });
  }
  const found = walk.rings.get(ring) ?? new Map<number, RingStatistics>();
  walk.rings.set(ring, found.set(peer, { dy, statistics }));
}

/** f32 [rows · heads · 2] */
function perHead({ name }: Ring, what: string, { qkv, ranks, heads }: RingPeer): Tensor {
  const { parts, ...rest } = gradientTensor(qkv, `${name}/${what}`, ranks);
  const held = parts.held.map(({ shape: [rows = 0] }) => ({ shape: [rows * heads * 2] }));
  return { ...rest, dtype: "f32", parts: { ...parts, held } };
}

/** Of all peers, at what the first of them began with. */
export function ringGradients(walk: Walk, op: PackKeysValuesOp): void {
  const { ring, peer: first } = op;
  const found = walk.rings.get(ring);
  if (first > 0 || found === undefined) return;
  if (found.size < ring.peers.length) {
    throw new NotDifferentiable(`${op.origin.layer}: a part of a sequence is read by nobody`);
  }
  const site = walk.siteOf(op);
  const { peers } = ring;
  const keyed = (what: string, dtype?: "f32"): Tensor[] =>
    onPeers(ring, `gradient/${what}`, keyValueColumnsOf, dtype);
  const dq = onPeers(ring, "gradient/q", ({ heads, headDim }) => heads * headDim, "f32");
  const kvs = peers.map((_, step) => keyed(`kv/${step}`));
  // What a rank finds of its own keys stays; what others find begins at the next rank.
  const dkvs = [...peers.map((_, step) => keyed(`dkv/${step}`, "f32")), keyed("dkv/home", "f32")];
  for (const [peer, { ranks, qkv, values }] of peers.entries()) {
    const v = values === undefined || values.v === qkv ? undefined : { v: values.v };
    const kv = of(kvs[0], peer);
    walk.emit({ op: "pack-keys-values", ...site, ranks, ring, peer, qkv, ...v, kv });
  }
  const hops = kvs
    .slice(1)
    .map((to, step) => hopOf(ring, `gradient/to step ${step + 1}`, kvs[step] ?? [], to));
  goRound(
    ring,
    hops,
    (each) => walk.emit({ ...each, ...site }),
    (step) => {
      for (const [peer, { ranks, qkv }] of peers.entries()) {
        const { dy, statistics } = statisticsOf(found, peer);
        walk.emit({
          op: "attention-block-gradient",
          ...site,
          ranks,
          ring,
          peer,
          source: sourceOf(ring, peer, step),
          qkv,
          kv: of(kvs[step], peer),
          dy,
          statistics,
          dq: of(dq, peer),
          dkv: of(dkvs[step], peer),
          addsQueries: step > 0,
          addsKeys: step > 1,
        });
      }
      if (step === 0) return;
      const name = `gradient/back ${step}`;
      for (const hop of hopOf(ring, name, dkvs[step] ?? [], dkvs[step + 1] ?? [])) {
        walk.emit({ ...hop, ...site });
      }
    },
  );
  for (const [peer, own] of peers.entries()) {
    const sums = { dq: of(dq, peer), own: of(dkvs[0], peer), arrived: of(dkvs.at(-1), peer) };
    packed(walk, op, peer, own, sums);
  }
}

function of(tensors: readonly Tensor[] | undefined, peer: number): Tensor {
  const tensor = tensors?.[peer];
  if (tensor === undefined) throw new Error(`no peer ${peer} in a ring`);
  return tensor;
}

function statisticsOf(found: ReadonlyMap<number, RingStatistics>, peer: number): RingStatistics {
  const own = found.get(peer);
  if (own === undefined) throw new Error(`nothing is known of peer ${peer} in a ring`);
  return own;
}

interface Sums {
  readonly dq: Tensor;
  readonly own: Tensor;
  readonly arrived: Tensor;
}

/** As attention in one piece gives them: of queries and keys, and where values lie apart of values. */
function packed(walk: Walk, op: PackKeysValuesOp, peer: number, own: RingPeer, sums: Sums): void {
  const { qkv, values, ranks, heads, kvHeads, headDim } = own;
  const site = walk.siteOf(op);
  const pack = (y: Tensor, first: number): void =>
    walk.emit({
      op: "pack-attention-gradient",
      ...site,
      ranks,
      ring: op.ring,
      peer,
      ...sums,
      first,
      y,
    });
  const dx = gradientTensor(qkv, `${qkv.name}/gradient`, ranks);
  pack(dx, 0);
  walk.book.add(qkv, ranks, { tensor: dx });
  if (values === undefined) return;
  const [rows = 0] = partOn(qkv, ranks[0] ?? 0)?.shape ?? [];
  const dv: Tensor = {
    ...dx,
    name: `${values.v.name}/gradient/values`,
    parts: { ranks, held: [{ shape: [rows, kvHeads * valueDimOf(own)] }] },
  };
  pack(dv, (heads + kvHeads) * headDim);
  walk.valuesOf.set(rankKey(values.v, ranks[0] ?? 0), dv);
}
