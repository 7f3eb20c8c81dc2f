// Fewer experts: each rank keeps as many as the others, and the router a choice.

import type { PlanFile } from "../schema.ts";
import { degreesOf, modelOf } from "../stages_from_degrees.ts";
import { type Dimension, multipleDown } from "./dimension.ts";

export const experts: Dimension = {
  name: "experts",
  full: ({ model }) => model?.moe?.experts,
  least(file) {
    const moe = file.model?.moe;
    return moe === undefined ? 1 : Math.min(moe.experts, leastExperts(file));
  },
  reduce: withExperts,
  changesLayers: "there are fewer experts, with more tokens each",
};

/** More than a token is sent to, a whole number on each rank. */
function leastExperts(file: PlanFile): number {
  const { expert } = degreesOf(file);
  const { topK = 1 } = file.model?.moe ?? {};
  return Math.ceil((topK + 1) / expert) * expert;
}

/** Copies of experts go with them. */
export function withExperts(file: PlanFile, size: number): PlanFile {
  const { model } = file;
  if (model?.moe === undefined || size >= model.moe.experts) return file;
  const { expert } = degreesOf(file);
  const { experts: all, redundantExperts: copies = 0 } = modelOf(model).moe ?? model.moe;
  const kept = Math.min(all, Math.max(multipleDown(size, expert), leastExperts(file)));
  const together = Math.max(1, Math.round((kept + (copies * kept) / all) / expert)) * expert;
  return {
    ...file,
    model: {
      ...model,
      moe: {
        ...model.moe,
        experts: kept,
        ...(copies === 0 ? {} : { redundantExperts: Math.max(0, together - kept) }),
      },
    },
  };
}
