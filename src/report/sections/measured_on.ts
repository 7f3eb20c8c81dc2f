// On what the figures of a command that measures were found.

import { runConditions } from "../../claims/obstacles.ts";
import type { RankAdapter, Versions } from "../../result/result.ts";
import { type Block, paragraph } from "../section.ts";
import { hostOf } from "./host.ts";

interface Measured {
  readonly adapters: readonly RankAdapter[];
  readonly versions: Versions;
}

export function measuredOn({ adapters, versions }: Measured): Block {
  return paragraph(
    `${runConditions(adapters).join("; ")}; shardbench ${versions.shardbench}, webgpu ${versions.webgpu}, ${hostOf(versions)}`,
    "faint",
  );
}
