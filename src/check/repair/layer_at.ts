// The layer of an explicit stage that a diagnostic points at.

import type { Path } from "../../plan/document.ts";
import type { LayerFile } from "../../plan/layers/layers.ts";
import type { Faulty, Proposal } from "./fix.ts";
import { put } from "./fix.ts";

export function layerAt({ written }: Faulty, path: Path): LayerFile | undefined {
  return path[0] === "stages"
    ? written?.stages?.[Number(path[1])]?.layers[Number(path[3])]
    : undefined;
}

export function layerPath(path: Path): Path {
  return path.slice(0, 4);
}

export function withGpus(
  faulty: Faulty,
  path: Path,
  gpus: readonly number[],
  consequence: string,
): Proposal {
  return {
    patch: [put(faulty, path, gpus)],
    description: `${path.join(".")} now names GPUs ${gpus.join(", ")}`,
    consequence,
  };
}
