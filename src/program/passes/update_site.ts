// Where the ops of an update stand in a program.

import type { WeightUse } from "./differentiate/walk.ts";

/** At the layer whose weight it is. */
export function siteOf({ site }: WeightUse) {
  return { origin: { ...site.origin, phase: "update" }, place: site.place } as const;
}
