// What a claim needs, in one sentence without a full stop.

import type { Need } from "./verdict.ts";
import { formatBytes, formatNumber, formatParameters, formatPercent } from "../measure/format.ts";

const signs = { "at least": "≥", "at most": "≤", exactly: "=" } as const;

export function needText({ what, relation, value, unit, because, absurd }: Need): string {
  const impossible = absurd === undefined ? "" : `: impossible, ${absurd}`;
  return `${what} ${signs[relation]} ${valueText(value, unit)}${impossible} (${because})`;
}

function valueText(value: number, unit: string): string {
  if (!Number.isFinite(value)) return "without end";
  if (unit === "share") return formatPercent(value);
  if (unit === "B") return formatBytes(value);
  if (unit === "parameters") return formatParameters(value);
  if (unit === "FLOP/s" || unit === "FLOPs") return formatBytes(value).replace(/B$/, unit);
  return unit === "" ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}
