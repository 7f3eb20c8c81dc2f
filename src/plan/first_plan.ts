// A first plan, small enough to run anywhere in moments: to be changed into one's own.

export const firstModes = ["inference", "training", "serving"] as const;
export const firstModels = ["dense", "moe"] as const;

export interface FirstPlan {
  readonly mode: (typeof firstModes)[number];
  readonly model: (typeof firstModels)[number];
  /** 1 … `mostFirstGpus`. */
  readonly gpus: number;
}

/** More ranks than one machine has cores for say little there. */
export const mostFirstGpus = 64;

/** Elements of an attention head. */
const headDim = 16;
/** Fewest heads: few GPUs shall have some work each. */
const leastHeads = 4;

/** YAML with a line on each part. `check` accepts it, and `run` runs it. */
export function firstPlanText({ mode, model, gpus }: FirstPlan, schema: string): string {
  // What a tensor group of all GPUs divides: heads, and with them the hidden size.
  const heads = gpus * Math.ceil(leastHeads / gpus);
  const hidden = heads * headDim;
  const lines = [
    `# yaml-language-server: $schema=${schema}`,
    `# Split over ${gpus === 1 ? "one GPU" : `${gpus} GPUs`}; every key is in docs/plans.md.`,
    `name: ${[mode, model, gpus === 1 ? "1gpu" : `${gpus}gpus`].join("-")}`,
    "# Of one GPU; a run needs no such GPU, claims are held against it.",
    `hardware: { gpus: ${gpus}, memoryPerGpu: 16GB }`,
    "workload:",
    ...workloadLines(mode),
    "model:",
    "  layers: 2",
    `  hidden: ${hidden}`,
    `  heads: ${heads}`,
    "  gated: true",
    `  vocabulary: ${4 * hidden}`,
    "  norm: rms",
    "  positions: { kind: rotary }",
    model === "dense"
      ? `  ffn: ${4 * hidden}`
      : `  moe: { experts: ${2 * Math.max(gpus, 2)}, topK: 2, ffn: ${2 * hidden} }`,
    ...parallelLines(model, gpus),
    "# What the plan promises: `shardbench claims` says what would have to be true for it.",
    "claims: { gpuUtilization: 0.9 }",
  ];
  return `${lines.join("\n")}\n`;
}

function workloadLines(mode: FirstPlan["mode"]): string[] {
  switch (mode) {
    case "inference":
      return ["  mode: inference", "  batch: 8", "  microBatches: 2", "  sequence: 16"];
    case "training":
      return [
        "  mode: training",
        "  batch: 8",
        "  microBatches: 2",
        "  sequence: 16",
        "  optimizer: { name: adamw, learningRate: 0.001 }",
      ];
    case "serving":
      return [
        "  mode: serving",
        "  # Requests at once.",
        "  batch: 2",
        "  requests: 6",
        "  inputTokens: 16",
        "  outputTokens: 6",
      ];
  }
}

function parallelLines(model: FirstPlan["model"], gpus: number): string[] {
  if (gpus === 1) return [];
  return [
    model === "dense"
      ? `parallel: { tensor: ${gpus} }`
      : `parallel: { tensor: ${gpus}, expert: ${gpus} }`,
  ];
}
