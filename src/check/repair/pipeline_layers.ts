// Ways out of layers that pipeline ranks do not share evenly.

import { divisorAtMost } from "../../plan/divisors.ts";
import { drop, fixOfPlan, type Proposal, put, setNumber } from "./fix.ts";

/** As even as whole layers allow, the first stages shorter: they also hold the embedding. */
function dealtOut(layers: number, stages: number): number[] {
  return Array.from(
    { length: stages },
    (_, p) => Math.floor(((p + 1) * layers) / stages) - Math.floor((p * layers) / stages),
  );
}

export const pipelineFixes = fixOfPlan(({ degrees, model }, faulty) => {
  if (degrees === undefined || model === undefined) return [];
  const { pipeline } = degrees;
  const counts = dealtOut(model.layers, pipeline);
  return [
    ...(counts.includes(0)
      ? []
      : [
          {
            patch: [put(faulty, ["parallel", "layersPerStage"], counts)],
            description: `parallel.layersPerStage is now ${counts.join(", ")}`,
            consequence: "the longest stage decides the pace",
          },
        ]),
    setNumber(
      faulty,
      ["parallel", "pipeline"],
      divisorAtMost(model.layers, pipeline),
      "fewer stages: more memory per GPU, GPUs stay unused",
    ),
  ];
});

export const evenStages: Proposal = {
  patch: [drop(["parallel", "layersPerStage"])],
  description: "parallel.layersPerStage is left out",
  consequence: "every stage has as many layers",
};
