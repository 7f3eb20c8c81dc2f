// What a part's process is told: the adapter, and how long it may go on.

import { parseArgs } from "node:util";
import type { LogicalGpu } from "../../src/gpu/logical_gpu.ts";
import { discoverAdapters } from "../../src/gpu/discover.ts";
import { openGpu } from "../../src/gpu/open.ts";
import type { Context } from "./part.ts";

export function argumentsOf({ adapter, softLimitMs }: Context): string[] {
  return ["--adapter", adapter, "--limit", String(softLimitMs)];
}

export interface PartArguments {
  readonly adapter: string;
  /** Whether nothing new is to be begun. */
  readonly isOver: () => boolean;
  readonly leftMs: () => number;
}

export function partArguments(): PartArguments {
  const { values } = parseArgs({
    options: { adapter: { type: "string", default: "gpu0" }, limit: { type: "string" } },
  });
  const limit = Number(values.limit ?? Infinity);
  const begin = performance.now();
  const leftMs = (): number => limit - (performance.now() - begin);
  return { adapter: values.adapter, leftMs, isOver: () => leftMs() <= 0 };
}

/** Opens the adapter, as often as it takes: a device that was lost or has complained is of no more use. */
export async function openerOf(id: string): Promise<() => Promise<LogicalGpu>> {
  const { adapters } = await discoverAdapters();
  const found = adapters.find(({ choice }) => choice.id === id);
  if (found === undefined) {
    const names = adapters.map(({ choice }) => choice.id).join(", ");
    throw new Error(`no adapter ${id} here; there is ${names === "" ? "none" : names}`);
  }
  return async () => openGpu(found.choice);
}
