// A claimed share in words.

import { formatShare } from "../../../measure/format.ts";

export function claimedPercent(share: number): string {
  return formatShare(share, 4);
}
