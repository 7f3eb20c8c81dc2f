// The ops of the backward pass, one rule per op. Until there is a training step they are synthetic: of about the cost
// of gradients, never their values. Each matrix product and attention runs twice more on what its forward pass read,
// as many FLOPs as the gradients of input and weights need, into memory that nobody reads; then as many bytes as the
// forward pass brought from the stage before go back to it. Reductions of gradients are left out.

import type { Op } from "../op.ts";
import type { CollectiveOp } from "../transfer_op.ts";
import { givenBy } from "../operands.ts";
import type { OpOrigin } from "../program.ts";
import type { Places } from "../schedule/place.ts";
import { mapParts, sameOn, type Tensor, type View } from "../tensor.ts";

/** A program's ops with those of its backward pass; empty where the schedule has no backward slots. */
export interface DifferentiatedOps {
  readonly forward: readonly Op[];
  readonly backward: readonly Op[];
}

/** Ops of the last stage first, in each from its last to its first. */
export function synthesizeBackward(forward: readonly Op[], places: Places, stages: number): Op[] {
  const backwardOf = createBackwardOrigins();
  const products = Array.from({ length: stages }, (): Op[] => []);
  const returns = Array.from({ length: stages }, (): Op[] => []);
  for (const op of forward) {
    const gradients = gradientsOf(op, backwardOf);
    if (gradients.length > 0) {
      for (const [stage, ranks] of byStage(op, places)) {
        products[stage]?.push(...gradients.map((each): Op => ({ ...each, ranks })));
      }
    }
    if (op.op !== "collective") continue;
    for (const [i, source] of op.from.entries()) {
      const reader = op.to[i % op.to.length];
      if (reader === undefined) continue;
      const stage = places.stageOf(reader, op.origin);
      if (stage === places.stageOf(source, op.origin)) continue;
      returns[stage]?.push(returnOf(op, i, reader, backwardOf));
    }
  }
  return products
    .flatMap((own, stage) =>
      [...own.toReversed(), ...(returns[stage] ?? [])].map((op) => ({ op, stage })),
    )
    .toSorted((a, b) => b.stage - a.stage)
    .map(({ op }) => op);
}

/** The ranks of an op by the stage that it is part of on them. */
function byStage({ ranks, origin }: Op, places: Places): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const rank of ranks) {
    const stage = places.stageOf(rank, origin);
    const own = found.get(stage) ?? [];
    found.set(stage, own);
    own.push(rank);
  }
  return found;
}

type BackwardOf = (origin: OpOrigin) => OpOrigin;

/** One record for all ops of a layer. */
function createBackwardOrigins(): BackwardOf {
  const known = new Map<OpOrigin, OpOrigin>();
  return (origin) => {
    const backward = known.get(origin) ?? { ...origin, phase: "backward", synthetic: true };
    known.set(origin, backward);
    return backward;
  };
}

/** Of an op, those of its input and of its weights. */
function gradientsOf(op: Op, backwardOf: BackwardOf): Op[] {
  const origin = backwardOf(op.origin);
  switch (op.op) {
    case "matmul":
    case "grouped-matmul": {
      const gradient = { ...op, origin, y: discarded(op.y) };
      return [gradient, gradient];
    }
    case "attention":
    case "gated-delta": {
      const gradient = { ...op, origin, y: discarded({ tensor: op.y }).tensor };
      return [gradient, gradient];
    }
    case "attention-block": {
      const { y: _, logarithms: __, sinks: ___, ...block } = op;
      const state = discarded({ tensor: op.state }).tensor;
      const gradient = { ...block, origin, at: "first", state } as const;
      return [gradient, gradient];
    }
    default:
      return [];
  }
}

/** Memory that nobody reads. */
function discarded({ tensor, window }: View): View {
  return {
    tensor: {
      ...tensor,
      name: "workspace",
      role: "workspace",
      slot: 0,
      parts:
        window === undefined
          ? tensor.parts
          : mapParts(tensor.parts, ({ shape }) => ({ shape: [window.rows, ...shape.slice(1)] })),
    },
  };
}

/** As many elements as member i gave, back to it. */
function returnOf(op: CollectiveOp, i: number, reader: number, backwardOf: BackwardOf): Op {
  const source = op.from[i] ?? 0;
  const count = givenBy(op, i);
  const name = `${op.name}/gradient ${reader}-${source}`;
  const memory: Tensor = {
    name: "workspace",
    layer: op.origin.layer,
    role: "workspace",
    slot: 0,
    parts: sameOn([reader, source], { shape: [1, count] }),
  };
  return {
    op: "collective",
    origin: backwardOf(op.origin),
    place: op.place,
    ranks: [reader, source],
    name,
    channelName: name,
    from: [reader],
    to: [source],
    amount: { kind: "send", count },
    slot: 0,
    x: { tensor: memory },
    y: { tensor: memory },
  };
}
