// Ways out of sizes that a group of GPUs does not divide: of degrees a lower tensor degree or a larger size, of an
// explicit layer fewer GPUs or a larger size.

import { valueAt } from "../../plan/document.ts";
import { tensorDegreeFits } from "../../plan/mesh.ts";
import type { Plan } from "../../plan/plan.ts";
import { isGrouped } from "../../plan/layers/parallel.ts";
import { divisorAtMost } from "../../plan/divisors.ts";
import { type Faulty, type Fix, paddedTo, type Proposal, setNumber } from "./fix.ts";
import { layerAt, layerPath, withGpus } from "./layer_at.ts";

/** No model has so many heads that a higher degree could fit. */
const mostTensor = 4096;

/** Tensor degrees below the present one that divide every size, the largest first. */
function lowerTensor({ degrees, model }: Plan, faulty: Faulty): Proposal[] {
  if (degrees === undefined || model === undefined) return [];
  const largest = Math.min(degrees.tensor - 1, mostTensor);
  return Array.from({ length: largest }, (_, i) => largest - i)
    .filter((tensor) => tensorDegreeFits(model, tensor))
    .slice(0, 2)
    .map((tensor) =>
      setNumber(
        faulty,
        ["parallel", "tensor"],
        tensor,
        "larger shards: more memory and work per GPU",
      ),
    );
}

function ofDegrees(pick: (plan: Plan) => number | undefined): Fix {
  return (faulty, { path }) => {
    const { plan } = faulty;
    if (plan?.degrees === undefined) return [];
    const { tensor } = plan.degrees;
    const size = pick(plan);
    const padded = size === undefined ? undefined : paddedTo(size, tensor);
    const larger: Proposal[] =
      size === undefined || padded === undefined
        ? []
        : [
            setNumber(
              faulty,
              path,
              padded,
              `a different model: ${padded - size} more, which a trained one must be padded to`,
            ),
          ];
    return [...lowerTensor(plan, faulty), ...larger];
  };
}

/**
 * Fewer GPUs or a larger size, wherever the plan gives it.
 * @param pick the model's size, of a plan of degrees
 */
export function groupSizeFixes(pick?: (plan: Plan) => number | undefined): Fix {
  return ofLayer(pick === undefined ? undefined : ofDegrees(pick));
}

/** Sizes of an explicit layer that its group does not divide: fewer GPUs, or a larger size. */
function ofLayer(fallback: Fix | undefined): Fix {
  return (faulty, diagnostic) => {
    const { path } = diagnostic;
    const gpus = layerAt(faulty, path)?.parallel?.gpus;
    const size = valueAt(faulty.value, path);
    if (gpus === undefined || isGrouped(gpus) || typeof size !== "number") {
      return fallback?.(faulty, diagnostic, undefined) ?? [];
    }
    const fewer = divisorAtMost(size, gpus.length);
    const padded = paddedTo(size, gpus.length);
    return [
      withGpus(
        faulty,
        [...layerPath(path), "parallel", "gpus"],
        gpus.slice(0, fewer),
        `GPU ${gpus.slice(fewer).join(", ")} is left out of the layer`,
      ),
      ...(padded === undefined
        ? []
        : [setNumber(faulty, path, padded, "a different model: a larger layer")]),
    ];
  };
}
