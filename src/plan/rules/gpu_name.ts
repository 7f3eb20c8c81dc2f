// A rule on the name of the plan's GPU.

import { gpuNamed } from "../gpu_names.ts";
import { error, type Rule } from "./rule.ts";

const path = ["hardware", "gpu"];

/** A GPU that the plan names is one whose figures are known. */
export const gpuIsKnown: Rule = ({ hardware }) => {
  if (hardware.gpu === undefined) return [];
  const named = gpuNamed(hardware.gpu);
  if ("gpu" in named) return [];
  const written = JSON.stringify(hardware.gpu);
  if ("candidates" in named) {
    const candidates = named.candidates.join(", ");
    return [
      error(
        "gpu-ambiguous",
        path,
        `${written} can be any of ${candidates}, whose figures differ`,
        "write one of these names",
      ),
    ];
  }
  return [error("gpu-unknown", path, `no GPU is known as ${written}`, hintFor(named.meant))];
};

const hintFor = (meant: readonly string[]): string => {
  if (meant.length === 1) return `did you mean "${meant[0]}"?`;
  return meant.length > 1
    ? `did you mean one of ${meant.join(", ")}?`
    : "docs/gpus.md lists the names; of another GPU give memoryPerGpu, peakFlops, memoryBandwidth and linkBandwidth";
};
