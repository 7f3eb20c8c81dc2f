// Ways out of numbers that do not divide one another, and of a mesh that does not fit the machine.

import type { Path } from "../../plan/document.ts";
import type { Plan } from "../../plan/plan.ts";
import { brokenBlocks } from "../../plan/rules/quantization.ts";
import { tensorDegreeFits } from "../../plan/mesh.ts";
import { divisorAtMost, drop, type Faulty, type Fix, type Proposal, put, roundUp } from "./fix.ts";

/** One number changed. */
export const set = (faulty: Faulty, path: Path, value: number, consequence: string): Proposal => ({
  patch: [put(faulty, path, value)],
  description: `${path.join(".")} is now ${value}`,
  consequence,
});

/** Proposals of a plan that loads. */
const ofPlan =
  (propose: (plan: Plan, faulty: Faulty, path: Path) => readonly Proposal[]): Fix =>
  (faulty, { path }) =>
    faulty.plan === undefined ? [] : propose(faulty.plan, faulty, path);

const notEnoughGpus = ofPlan(({ degrees, hardware }, faulty) => {
  if (degrees === undefined) return [];
  const { tensor, pipeline, data, context = 1 } = degrees;
  const world = tensor * pipeline * data * context;
  const fewer = Math.floor(hardware.gpus / (tensor * pipeline * context));
  return [
    set(faulty, ["hardware", "gpus"], world, `${world - hardware.gpus} more GPUs are needed`),
    ...(fewer >= 1 && fewer < data
      ? [set(faulty, ["parallel", "data"], fewer, "fewer replicas, lower throughput")]
      : []),
    ...(["pipeline", "tensor"] as const).flatMap((key) => {
      const fits = divisorAtMost(degrees[key], Math.floor((hardware.gpus * degrees[key]) / world));
      return fits * (world / degrees[key]) <= hardware.gpus && fits < degrees[key]
        ? [set(faulty, ["parallel", key], fits, "more memory and work per GPU")]
        : [];
    }),
  ];
});

const gpuNotAvailable: Fix = (faulty, { path, message }) => {
  const id = Number(/GPU (\d+) is named/.exec(message)?.[1]);
  const gpus = faulty.plan?.hardware.gpus ?? 0;
  return [
    set(faulty, ["hardware", "gpus"], id + 1, `${id + 1 - gpus} more GPUs are needed`),
    ...(typeof path.at(-1) === "number"
      ? [
          ...Array.from({ length: Math.min(gpus, 8) }, (_, other) =>
            set(faulty, path, other, `GPU ${other} takes the place of GPU ${id}`),
          ),
          {
            patch: [drop(path)],
            description: `GPU ${id} is left out`,
            consequence: "the group is smaller by one",
          },
        ]
      : []),
  ];
};

/** Tensor degrees below the present one that divide every size, the largest first. */
const lowerTensor = ({ degrees, model }: Plan, faulty: Faulty): Proposal[] => {
  if (degrees === undefined || model === undefined) return [];
  const below = Array.from(
    { length: Math.min(degrees.tensor, 256) - 1 },
    (_, i) => degrees.tensor - 1 - i,
  );
  return below
    .filter((tensor) => tensor > 0 && tensorDegreeFits(model, tensor))
    .slice(0, 2)
    .map((tensor) =>
      set(faulty, ["parallel", "tensor"], tensor, "larger shards: more memory and work per GPU"),
    );
};

const divisorsBelow = (tensor: number): number[] =>
  Array.from({ length: Math.min(tensor, 256) - 1 }, (_, i) => tensor - 1 - i).filter(
    (fewer) => fewer > 0 && tensor % fewer === 0,
  );

const rounded =
  (pick: (plan: Plan) => number | undefined): Fix =>
  (faulty, { path }) => {
    const { plan } = faulty;
    if (plan?.degrees === undefined) return [];
    const { tensor } = plan.degrees;
    const size = pick(plan);
    const larger: Proposal[] =
      size === undefined
        ? []
        : [
            set(
              faulty,
              path,
              roundUp(size, tensor),
              `a different model: ${roundUp(size, tensor) - size} more, which a trained one must be padded to`,
            ),
          ];
    return [...lowerTensor(plan, faulty), ...larger];
  };

const batchFixes = ofPlan(({ workload, degrees }, faulty) => {
  const { batch, microBatches } = workload;
  const data = degrees?.data ?? 1;
  const fewer = divisorAtMost(batch % data === 0 ? batch / data : batch, microBatches);
  const larger = roundUp(batch, microBatches * data);
  const lowerData = divisorAtMost(Math.max(1, Math.floor(batch / microBatches)), data);
  return [
    set(
      faulty,
      ["workload", "microBatches"],
      fewer,
      "larger micro-batches: more activations, more bubble",
    ),
    set(faulty, ["workload", "batch"], larger, `${larger - batch} more samples per step`),
    ...(lowerData < data
      ? [set(faulty, ["parallel", "data"], lowerData, "fewer replicas: GPUs stay unused")]
      : []),
  ];
});

/** As even as whole layers allow, the first stages shorter: they also hold the embedding. */
const dealtOut = (layers: number, stages: number): number[] =>
  Array.from(
    { length: stages },
    (_, p) => Math.floor(((p + 1) * layers) / stages) - Math.floor((p * layers) / stages),
  );

const pipelineFixes = ofPlan(({ degrees, model }, faulty) => {
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
    set(
      faulty,
      ["parallel", "pipeline"],
      divisorAtMost(model.layers, pipeline),
      "fewer stages: more memory per GPU, GPUs stay unused",
    ),
  ];
});

const evenStages: Proposal = {
  patch: [drop(["parallel", "layersPerStage"])],
  description: "parallel.layersPerStage is left out",
  consequence: "every stage has as many layers",
};

const virtualStageFixes = ofPlan(({ degrees, model }, faulty) => {
  if (degrees === undefined || model === undefined) return [];
  const own = model.layers / degrees.pipeline;
  return [
    set(
      faulty,
      ["parallel", "virtualStages"],
      divisorAtMost(own, degrees.virtualStages ?? 1),
      "fewer chunks: a larger bubble",
    ),
    {
      patch: [drop(["parallel", "virtualStages"])],
      description: "parallel.virtualStages is left out",
      consequence: "pipeline ranks are not interleaved",
    },
  ];
});

const expertFixes: Fix = (faulty, { path }) => {
  const { plan } = faulty;
  const degrees = plan?.degrees;
  const experts = plan?.model?.moe?.experts;
  if (plan === undefined || degrees === undefined || experts === undefined) return [];
  const { tensor, data, expert } = degrees;
  const fitting = Array.from({ length: expert }, (_, i) => expert - i).filter(
    (each) => experts % each === 0 && (tensor * data) % each === 0,
  );
  return [
    ...fitting
      .slice(0, 2)
      .map((each) =>
        set(faulty, ["parallel", "expert"], each, "more experts, and more memory, per GPU"),
      ),
    ...(path[0] === "model"
      ? [
          set(
            faulty,
            path,
            Math.max(expert, Math.floor(experts / expert) * expert),
            "a different model: fewer experts",
          ),
        ]
      : []),
  ];
};

const expertGroupFixes = ofPlan(({ degrees }, faulty) => {
  const group = faulty.written?.parallel?.expertGroup ?? [];
  const expert = degrees?.expert ?? 1;
  return [
    ...(group.length > expert
      ? [
          {
            patch: [put(faulty, ["parallel", "expertGroup"], group.slice(0, expert))],
            description: `expertGroup now names GPUs ${group.slice(0, expert).join(", ")}`,
            consequence: `GPU ${group.slice(expert).join(", ")} holds no experts`,
          },
        ]
      : []),
    set(
      faulty,
      ["parallel", "expert"],
      group.length,
      `experts are spread over ${group.length} GPUs`,
    ),
    {
      patch: [drop(["parallel", "expertGroup"])],
      description: "parallel.expertGroup is left out",
      consequence: "experts live on the first ranks of each stage",
    },
  ];
});

const contextFixes = ofPlan(({ degrees, workload: { sequence } }, faulty) => {
  const context = degrees?.context ?? 1;
  return [
    ...(sequence % 2 === 0
      ? [
          set(
            faulty,
            ["parallel", "context"],
            divisorAtMost(sequence / 2, context),
            "longer slices: more activations per GPU",
          ),
        ]
      : []),
    set(
      faulty,
      ["workload", "sequence"],
      roundUp(sequence, 2 * context),
      "sequences are longer, or padded",
    ),
    {
      patch: [drop(["parallel", "context"])],
      description: "parallel.context is left out",
      consequence: "every rank has whole sequences",
    },
  ];
});

const memoryFixes = ofPlan((plan, faulty) => {
  const { batch, microBatches } = plan.workload;
  const data = plan.degrees?.data ?? 1;
  const most = Math.max(1, Math.floor(batch / data));
  return [
    ...(microBatches < most && batch % (most * data) === 0
      ? [
          set(
            faulty,
            ["workload", "microBatches"],
            most,
            "fewer activations at once, more dispatches",
          ),
        ]
      : []),
    ...(plan.workload.dtype === "f32"
      ? [
          {
            patch: [put(faulty, ["workload", "dtype"], "f16")],
            description: "workload.dtype is now f16",
            consequence: "half the bytes, less precision",
          },
        ]
      : []),
  ];
});

const sizes = (pick: (plan: Plan) => number | undefined): Fix => rounded(pick);

export const degreeFixes: Readonly<Record<string, Fix>> = {
  "not-enough-gpus": notEnoughGpus,
  "gpu-not-available": gpuNotAvailable,
  "micro-batches-do-not-divide-batch": batchFixes,
  "replicas-do-not-divide-micro-batch": batchFixes,
  "replica-without-samples": (faulty, diagnostic) => {
    const [, stage, , layer] = diagnostic.path;
    const { plan } = faulty;
    const replicas = plan?.stages[Number(stage)]?.layers[Number(layer)]?.groups.length;
    if (plan === undefined || replicas === undefined) return [];
    const batch = replicas * plan.workload.microBatches;
    return [
      ...batchFixes(faulty, diagnostic),
      set(faulty, ["workload", "batch"], batch, "one sample per replica and micro-batch"),
    ];
  },
  "pipeline-does-not-divide-layers": pipelineFixes,
  "layers-per-stage-do-not-sum": (faulty, diagnostic) => [
    ...pipelineFixes(faulty, diagnostic),
    evenStages,
  ],
  "layers-per-stage-differs-from-pipeline": (faulty, diagnostic) => [
    ...pipelineFixes(faulty, diagnostic),
    evenStages,
  ],
  "virtual-stages-do-not-divide-layers": virtualStageFixes,
  "interleaving-needs-micro-batches": ofPlan(({ degrees, workload }, faulty) => {
    const pipeline = degrees?.pipeline ?? 1;
    const data = degrees?.data ?? 1;
    const divisor = Array.from({ length: workload.batch }, (_, i) => i + 1).find(
      (m) => m >= pipeline && workload.batch % (m * data) === 0,
    );
    return [
      ...(divisor === undefined
        ? []
        : [set(faulty, ["workload", "microBatches"], divisor, "smaller micro-batches")]),
      {
        patch: [drop(["parallel", "virtualStages"])],
        description: "parallel.virtualStages is left out",
        consequence: "pipeline ranks are not interleaved",
      },
    ];
  }),
  "recompute-exceeds-layers": ofPlan(({ degrees, model }, faulty) => [
    set(
      faulty,
      ["workload", "recompute", "layers"],
      Math.max(
        ...(degrees?.layersPerStage ?? [
          Math.ceil((model?.layers ?? 1) / (degrees?.pipeline ?? 1)),
        ]),
      ),
      "every layer of a pipeline rank is recomputed",
    ),
  ]),
  "context-does-not-divide-sequence": contextFixes,
  "memory-exceeded": memoryFixes,
  "experts-not-divisible": expertFixes,
  "expert-degree-does-not-fit-ranks": expertFixes,
  "expert-degree-does-not-match-group": expertGroupFixes,
  "top-k-over-experts": (faulty, { path, message }) => {
    const experts = Number(/there are (\d+)/.exec(message)?.[1]);
    return [set(faulty, path, experts, "every token goes to every expert")];
  },
  "heads-do-not-divide-hidden": (faulty, { path }) => {
    const at = path.slice(0, -1);
    const { hidden, heads } = sizesAt(faulty, at);
    if (hidden === undefined || heads === undefined) return [];
    const headDim = roundUp(Math.max(1, Math.floor(hidden / heads)), 4);
    return [
      set(
        faulty,
        [...at, "headDim"],
        headDim,
        `heads together are ${heads * headDim} wide, hidden is ${hidden}`,
      ),
      set(faulty, path, divisorAtMost(hidden, heads), "fewer and wider heads"),
    ];
  },
  "kv-heads-do-not-divide-heads": (faulty, { path }) => {
    const { heads, kvHeads } = sizesAt(faulty, path.slice(0, -1));
    return heads === undefined || kvHeads === undefined
      ? []
      : [
          set(faulty, path, divisorAtMost(heads, kvHeads), "more query heads share each key head"),
          set(faulty, path, heads, "every query head has a key head of its own: a larger cache"),
        ];
  },
  "shard-splits-quantization-block": ofPlan(({ degrees, model }, faulty) => {
    if (degrees === undefined || model === undefined) return [];
    const { tensor, data, context = 1 } = degrees;
    const fits = divisorsBelow(tensor).filter(
      (fewer) =>
        tensorDegreeFits(model, fewer) &&
        brokenBlocks(model, { ...degrees, tensor: fewer }).length === 0,
    );
    const ofTensor = fits
      .slice(0, 2)
      .map((fewer) =>
        set(faulty, ["parallel", "tensor"], fewer, "larger shards: more memory and work per GPU"),
      );
    const ranks = tensor * context * data;
    const whole = { ...degrees, expert: ranks, expertTensor: 1 };
    const holdsWhole =
      model.moe !== undefined &&
      degrees.expert === 1 &&
      model.moe.experts % ranks === 0 &&
      brokenBlocks(model, whole).length === 0;
    return [
      ...(holdsWhole
        ? [
            set(
              faulty,
              ["parallel", "expert"],
              ranks,
              "whole experts on each GPU: tokens are sent to them",
            ),
          ]
        : []),
      ...ofTensor,
    ];
  }),
  "group-does-not-divide-heads": sizes(({ model }) => model?.heads),
  "group-does-not-fit-kv-heads": sizes(({ model }) => model?.kvHeads),
  "group-does-not-divide-ffn": sizes(({ model }) => model?.ffn),
  "group-does-not-divide-hidden": sizes(({ model }) => model?.hidden),
};

/** Sizes of the model or of the attention layer at a path. */
const sizesAt = ({ written }: Faulty, at: Path) => {
  const layer =
    at[0] === "model" ? written?.model : written?.stages?.[Number(at[1])]?.layers[Number(at[3])];
  if (layer === undefined || !("heads" in layer)) return {};
  return { hidden: layer.hidden, heads: layer.heads, kvHeads: layer.kvHeads };
};
