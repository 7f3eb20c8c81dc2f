// Which adapter each rank runs on.

import { EnvironmentError } from "../environment_error.ts";
import type { AdapterReport } from "./adapter.ts";
import { adapterHint } from "./embedded_platform.ts";
import type { RefusedAdapter } from "./discover.ts";
import { localRankOf } from "./job_hosts.ts";

export interface PlacementOptions {
  /** One id for all ranks. */
  readonly adapter?: string;
  /** `rank=id` pairs, separated by commas; ranks that it leaves out are placed as without it. */
  readonly placement?: string;
  /** Named when one of them is asked for. */
  readonly refused?: readonly RefusedAdapter[];
}

/** The variable that stands in for `adapter` where that is not given. */
const adapterVariable = "SHARDBENCH_ADAPTER";

/**
 * One adapter per rank. Hardware adapters take turns, on each host of a job anew; without any, all ranks share the first
 * software one.
 * Throws `EnvironmentError` `no-adapter` or `unknown-adapter`.
 *
 * @param adapters in order of preference, as `findAdapters` gives them
 */
export function placeRanks(
  ranks: number,
  adapters: readonly AdapterReport[],
  options: PlacementOptions = {},
  environment: Readonly<Record<string, string | undefined>> = process.env,
): AdapterReport[] {
  const everywhere = adapterOfAll(options, environment);
  const lookUp = (id: string): AdapterReport => findById(id, adapters, options.refused ?? []);
  const turns = everywhere === undefined ? preferred(adapters) : [lookUp(everywhere)];
  const own = parsePlacement(options.placement ?? "", ranks);
  return Array.from({ length: ranks }, (_, rank) => {
    const id = own.get(rank);
    const report = id === undefined ? turns[localRankOf(rank) % turns.length] : lookUp(id);
    if (report === undefined) throw noneHere(options.refused ?? []);
    return report;
  });
}

/** Ids of the adapters that ranks are placed on; undefined where that depends on which there are. */
export function namedAdapters(
  options: PlacementOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): readonly string[] | undefined {
  const everywhere = adapterOfAll(options, environment);
  if (everywhere === undefined) return undefined;
  return [everywhere, ...parsePlacement(options.placement ?? "", Infinity).values()];
}

function adapterOfAll(
  { adapter }: PlacementOptions,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const fromEnvironment = environment[adapterVariable];
  return adapter ?? (fromEnvironment === "" ? undefined : fromEnvironment);
}

function preferred(adapters: readonly AdapterReport[]): readonly AdapterReport[] {
  const hardware = adapters.filter(({ choice }) => !choice.software);
  return hardware.length > 0 ? hardware : adapters.slice(0, 1);
}

function findById(
  id: string,
  adapters: readonly AdapterReport[],
  refused: readonly RefusedAdapter[],
): AdapterReport {
  const report = adapters.find(({ choice }) => choice.id === id);
  if (report !== undefined) return report;
  const refusal = refused.find((one) => one.id === id);
  if (refusal !== undefined) {
    throw new EnvironmentError(
      id === "lavapipe" ? "adapter-too-old" : "no-adapter",
      `adapter ${id} does not open: ${refusal.reason}`,
      otherAdapters(adapters),
    );
  }
  throw new EnvironmentError(
    "unknown-adapter",
    `no adapter is called "${id}" on this machine`,
    otherAdapters(adapters),
  );
}

function otherAdapters(adapters: readonly AdapterReport[]): string {
  return adapters.length === 0
    ? "this machine has no adapter that opens"
    : `choose from ${adapters.map(({ choice }) => choice.id).join(", ")}`;
}

function noneHere(refused: readonly RefusedAdapter[]): EnvironmentError {
  const reasons = refused.map(({ id, reason }) => `; ${id}: ${reason}`).join("");
  return new EnvironmentError(
    "no-adapter",
    `this machine has no adapter that opens${reasons}`,
    adapterHint(),
  );
}

function parsePlacement(text: string, ranks: number): Map<number, string> {
  const placed = new Map<number, string>();
  for (const pair of text.split(",").filter((part) => part.trim() !== "")) {
    const [, rank, id] = /^\s*(\d+)\s*=\s*(\S+)\s*$/.exec(pair) ?? [];
    if (rank === undefined || id === undefined || Number(rank) >= ranks) {
      throw new EnvironmentError(
        "unknown-adapter",
        `placement "${pair.trim()}" names no rank and adapter`,
        `write rank=adapter with a rank from 0 to ${ranks - 1}, as in 0=swiftshader,1=lavapipe`,
      );
    }
    placed.set(Number(rank), id);
  }
  return placed;
}
