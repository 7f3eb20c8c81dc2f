// Sums of gradients over ranks that hold the same columns of a weight beside columns of their own: taken out, summed and put
// back.

import type { Op } from "../op.ts";
import { elementsOn, partOn, type Tensor, whole } from "../tensor.ts";
import { channel } from "./differentiate/walk.ts";
import type { SharedColumns } from "./differentiate/shared_columns.ts";
import { siteOf } from "./update_site.ts";

export function sumSharedColumns({ use, first, columns, sharers }: SharedColumns): Op[] {
  const { gradient } = use;
  const site = siteOf(use);
  return sharers.flatMap((ranks): Op[] => {
    if (ranks.length === 1) return [];
    const [rank = 0] = ranks;
    const shape = [...(partOn(gradient, rank)?.shape ?? []).slice(0, -1), columns];
    const taken = (what: string): Tensor => ({
      name: `${gradient.name}/${what}`,
      layer: gradient.layer,
      role: "activation",
      dtype: "f32",
      parts: { ranks, held: [{ shape }] },
    });
    const [own, sum] = [taken("shared"), taken("shared/sum")];
    return [
      { op: "take-columns", ...site, ranks, x: gradient, first, y: own },
      {
        op: "collective",
        ...site,
        ranks,
        ...channel(`${own.name}/sum ${ranks.join()}`),
        from: ranks,
        to: ranks,
        amount: { kind: "all-reduce", count: elementsOn(own, rank) },
        x: whole(own),
        y: whole(sum),
      },
      { op: "put-columns", ...site, ranks, x: sum, first, y: gradient },
    ];
  });
}
