// The layer of an explicit stage that a diagnostic points at.

import type { Path } from "../../plan/document.ts";
import type { LayerFile } from "../../plan/layers/layers.ts";
import type { Faulty, Proposal } from "./fix.ts";
import { put } from "./fix.ts";

export const layerAt = ({ written }: Faulty, path: Path): LayerFile | undefined =>
  path[0] === "stages" ? written?.stages?.[Number(path[1])]?.layers[Number(path[3])] : undefined;

export const layerPath = (path: Path): Path => path.slice(0, 4);

export const withGpus = (
  faulty: Faulty,
  path: Path,
  gpus: readonly number[],
  consequence: string,
): Proposal => ({
  patch: [put(faulty, path, gpus)],
  description: `${path.join(".")} now names GPUs ${gpus.join(", ")}`,
  consequence,
});
