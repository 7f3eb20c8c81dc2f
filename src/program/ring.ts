// How blocks of keys and values, and of their gradients, go round a ring of ranks that share sequences.

import { paddedElements } from "../kernels/storage.ts";
import type { Ring, RingPeer } from "./ring_op.ts";
import { joinTensors, partOn, sameOn, type Tensor, whole } from "./tensor.ts";
import type { CollectiveOp, DoneOp } from "./transfer_op.ts";

export type NewHop = Omit<CollectiveOp, "origin" | "place">;
type NewDone = Omit<DoneOp, "origin" | "place">;

/** Whose keys and values a peer has at a step: its own first, then those of the peers before it. */
export function sourceOf({ peers }: Ring, peer: number, step: number): number {
  return (peer - step + peers.length) % peers.length;
}

/** Something of each peer's rows, one tensor each. */
export function onPeers(
  { name, peers }: Ring,
  what: string,
  columnsOf: (peer: RingPeer) => number,
  dtype?: "f32",
): Tensor[] {
  return peers.map((peer) => {
    const { ranks, qkv } = peer;
    const [rows = 0] = partOn(qkv, ranks[0] ?? 0)?.shape ?? [];
    return {
      name: `${name}/${what}`,
      layer: qkv.layer,
      role: "activation",
      ...(dtype === undefined ? {} : { dtype }),
      parts: sameOn(ranks, { shape: [rows, columnsOf(peer)] }),
    };
  });
}

export function valueDimOf({ headDim, values }: RingPeer): number {
  return values?.dim ?? headDim;
}

/** Of a block, on a rank. */
export function keyValueColumnsOf(peer: RingPeer): number {
  return peer.kvHeads * (peer.headDim + valueDimOf(peer));
}

/** Every peer's tensor to the next peer, member by member of their tensor groups. */
export function hopOf(
  { name, peers }: Ring,
  what: string,
  from: readonly Tensor[],
  to: readonly Tensor[],
): NewHop[] {
  const [x, y] = [joinTensors(from), joinTensors(to)];
  const members = peers[0]?.ranks.length ?? 0;
  return Array.from({ length: members }, (_, member): NewHop => {
    const ranks = peers.map((peer) => peer.ranks[member] ?? 0);
    const own = `${name}/${what}/${member}`;
    const [rows = 0, columns = 0] = partOn(x, ranks[0] ?? 0)?.shape ?? [];
    const count = paddedElements(rows, columns);
    const counts = ranks.map((_rank, i) =>
      ranks.map((_other, j) => (j === (i + 1) % ranks.length ? count : 0)),
    );
    return {
      op: "collective",
      ranks,
      name: own,
      channelName: own,
      from: ranks,
      to: ranks,
      amount: { kind: "all-to-all", counts },
      slot: 0,
      isOfRing: true,
      x: whole(x),
      y: whole(y),
    };
  });
}

/**
 * Step by step, with the hop to the next step before it is waited for, or while the step's block is attended.
 *
 * @param hops between steps
 */
export function goRound(
  { isOverlapped }: Ring,
  hops: readonly (readonly NewHop[])[],
  emit: (op: NewHop | NewDone) => void,
  attend: (step: number) => void,
): void {
  for (let step = 0; step <= hops.length; step++) {
    const next = hops[step] ?? [];
    if (isOverlapped) for (const hop of next) emit({ ...hop, isStarted: true });
    attend(step);
    for (const { ranks, name, channelName, ...hop } of next) {
      if (isOverlapped) emit({ op: "done", ranks, name, channelName, isOfRing: true });
      else emit({ ...hop, ranks, name, channelName });
    }
  }
}
