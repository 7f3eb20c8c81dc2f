// Rules on degrees beyond tensor, pipeline and data: how the mesh fills the machine, context and sequence
// parallelism, and what is only checked.

import { fieldsNotRun } from "../fields_not_run.ts";
import { usedGpus } from "../layers.ts";
import { error, type Rule, warning } from "./rule.ts";

/** Some number of data replicas of tensor × pipeline × context ranks fills all GPUs. */
export const meshDividesGpus: Rule = (plan, written) => {
  const { degrees, hardware } = plan;
  // Experts may stand on GPUs that the mesh leaves over.
  if (degrees === undefined || written?.parallel?.expertGroup !== undefined) return [];
  const { tensor, pipeline, context = 1 } = degrees;
  const replica = tensor * pipeline * context;
  const rest = hardware.gpus % replica;
  if (rest === 0 || usedGpus(plan).length > hardware.gpus) return [];
  return [
    warning(
      "mesh-does-not-divide-gpus",
      ["hardware", "gpus"],
      `${hardware.gpus} GPUs leave ${rest} over in replicas of ${replica}: tensor ${tensor} × pipeline ${pipeline}${context > 1 ? ` × context ${context}` : ""}`,
      `use ${hardware.gpus - rest} GPUs, or degrees whose product divides ${hardware.gpus}`,
    ),
  ];
};

/** Context parallelism gives every rank two slices of a sequence, so that causal work is even. */
export const contextDividesSequence: Rule = ({ degrees, workload: { sequence } }) => {
  const context = degrees?.context ?? 1;
  const rest = sequence % (2 * context);
  if (context === 1 || rest === 0) return [];
  return [
    error(
      "context-does-not-divide-sequence",
      ["parallel", "context"],
      `sequence ${sequence} leaves ${rest} over when cut into 2 × ${context} slices for context parallelism`,
      `make workload.sequence a multiple of ${2 * context}, or lower parallel.context`,
    ),
  ];
};

/** Sequence parallelism splits norms over the tensor group, so there must be one. */
export const sequenceParallelNeedsTensor: Rule = ({ degrees }) =>
  degrees?.sequence !== true || degrees.tensor > 1
    ? []
    : [
        error(
          "sequence-parallel-needs-tensor",
          ["parallel", "sequence"],
          "sequence parallelism splits norms over the tensor group, but tensor is 1",
          "set parallel.tensor above 1, or leave parallel.sequence out",
        ),
      ];

/** Every tensor rank has as many tokens of a sequence. */
export const tensorDividesSequence: Rule = ({ degrees, workload: { sequence } }) => {
  if (degrees?.sequence !== true || sequence % degrees.tensor === 0) return [];
  return [
    error(
      "tensor-does-not-divide-sequence",
      ["workload", "sequence"],
      `sequence ${sequence} leaves ${sequence % degrees.tensor} over when split over ${degrees.tensor} tensor ranks (parallel.sequence)`,
      `make workload.sequence a multiple of ${degrees.tensor}, or leave parallel.sequence out`,
    ),
  ];
};

/** What the plan says and the run does not do yet is named, so that no figure is misread. */
export const unusedFieldsAreSaid: Rule = (plan) =>
  fieldsNotRun(plan).map(({ path, instead }) =>
    warning(
      "checked-but-not-run",
      path,
      `${path.join(".")} is checked, but the run does not use it yet: ${instead}`,
      "read the measured figures accordingly",
    ),
  );
