// Of a result file, the step that it keeps moment by moment.

import { z } from "zod";
import type { RankTrace, Span } from "../program/trace.ts";
import type { KeptTrace } from "./result.ts";
import { hostItems } from "./sample_schema.ts";
import { count, type Keys, ms } from "./schema_keys.ts";

const moment = z.number().min(-1e12).max(1e12);

const span = z.object({
  instruction: count.exactOptional(),
  kind: z.enum(["compute", "readback", "move", "reduce", "upload", "host", "wait"]),
  startMs: moment,
  endMs: moment,
} satisfies Keys<Span>);

const rankTrace = z.object({
  rank: count,
  startMs: moment,
  endMs: moment,
  spans: z.array(span),
  host: hostItems.exactOptional(),
  cpuMs: ms.exactOptional(),
  expertTokens: z.record(z.string(), z.array(count)),
  droppedTokens: z.record(z.string(), count),
} satisfies Keys<RankTrace>);

export const keptTrace = z.object({
  run: count,
  step: count,
  provenance: z.literal("measured"),
  wallMs: z.number().positive(),
  ranks: z.array(rankTrace),
} satisfies Keys<KeptTrace>);
