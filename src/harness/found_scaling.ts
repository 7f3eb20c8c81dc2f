// Of sizes that were timed, the efficiencies that a plan's claims of scaling are held against.

import type { FoundScaling } from "../claims/case.ts";
import type { Plan } from "../plan/plan.ts";
import type { ScaledSize } from "../result/scaling.ts";

/** At the plan's own number of GPUs and its own batch: another batch on each GPU is another plan's efficiency. */
export function foundScaling(
  { hardware, workload }: Plan,
  timed: readonly ScaledSize[],
  { adapters, link }: Pick<FoundScaling, "adapters" | "link">,
): FoundScaling {
  const efficiencyOf = (kind: ScaledSize["kind"]) =>
    timed.flatMap((size) =>
      size.state === "timed" &&
      size.kind === kind &&
      size.gpus === hardware.gpus &&
      size.batch === workload.batch
        ? size.efficiency
        : [],
    )[0];
  const [strongScaling, weakScaling] = [efficiencyOf("strong"), efficiencyOf("weak")];
  return {
    adapters,
    ...(link === undefined ? {} : { link }),
    ...(strongScaling === undefined ? {} : { strongScaling }),
    ...(weakScaling === undefined ? {} : { weakScaling }),
  };
}
