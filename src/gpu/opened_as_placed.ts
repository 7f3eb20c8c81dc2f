// Whether a rank opened the adapter that it was placed on: drivers and loaders have the last word on that.

import { EnvironmentError } from "../environment_error.ts";
import type { AdapterReport } from "./adapter.ts";

const identity = ["device", "driver", "vendor", "architecture"] as const;

/** Throws `EnvironmentError` `no-adapter` with both names where they differ. */
export function refuseOtherAdapter(
  rank: number,
  placed: AdapterReport,
  opened: AdapterReport,
): void {
  const differing = identity.find((key) => placed[key] !== opened[key]);
  if (differing === undefined) return;
  throw new EnvironmentError(
    "no-adapter",
    `rank ${rank} was placed on adapter ${placed.choice.id} with ${differing} "${placed[differing]}", and opened one with "${opened[differing]}"`,
    "place ranks on adapters that are reached here, see `shardbench adapters`",
  );
}
