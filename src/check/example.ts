// Examples beside the rules: for each code a plan that has it and one that has not, written as a change to one of two
// small sound plans. They are data; `explain/render_example.ts` makes files of them.

/** As WebGPU names them, in bytes. */
export interface AdapterLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
}

export interface Examples {
  /** Has the code. */
  readonly bad: Example;
  /** Has it not. */
  readonly good: Example;
  /** Only asked for with an adapter. */
  readonly adapter?: AdapterLimits;
}

export type Example = ChangedPlan | WholeFile;

interface ChangedPlan {
  readonly base: "degrees" | "stages";
  /** An undefined value leaves a key out. Empty for the base plan as it is. */
  readonly change: PlanChange;
}

interface WholeFile {
  readonly text: string;
  /** Shown to readers. */
  readonly shown: string;
  readonly file: string;
}

export type PlanChange = Readonly<Record<string, unknown>>;

/** Two GPUs in a tensor group, MLPs and experts. */
const degrees: PlanChange = {
  name: "degrees",
  hardware: { gpus: 2 },
  workload: { batch: 4 },
  model: { layers: 2, hidden: 32, heads: 4, ffn: 64, moe: { experts: 6, topK: 2, dense: true } },
  parallel: { tensor: 2, expert: 2 },
};

export const columnLayer = {
  op: "linear",
  in: 8,
  out: 12,
  parallel: { kind: "column", splitDim: 1, gpus: [0, 1] },
};
export const rowLayer = {
  op: "linear",
  in: 12,
  out: 8,
  parallel: { kind: "row", splitDim: 0, gpus: [1, 2] },
};
export const meanLayer = {
  op: "aggregate",
  over: "batch",
  parallel: { kind: "replicated", gpus: [2] },
};
export const gatherToB = { name: "ab", op: "all-gather", from: [0, 1], to: [1, 2] };
export const reduceToC = { name: "bc", op: "all-reduce", from: [1, 2], to: [2] };

/** Column-parallel on GPUs 0 and 1, row-parallel on 1 and 2, the mean on 2. */
const stages: PlanChange = {
  name: "stages",
  hardware: { gpus: 3 },
  workload: { batch: 12, microBatches: 4 },
  stages: [
    { name: "a", layers: [columnLayer] },
    { name: "b", layers: [rowLayer] },
    { name: "c", layers: [meanLayer] },
  ],
  communications: [gatherToB, reduceToC],
};

export const bases = { degrees, stages };

/** The plan of degrees with this change. */
export function degreesWith(change: PlanChange = {}): Example {
  return { base: "degrees", change };
}

/** The plan of stages with this change. */
export function stagesWith(change: PlanChange = {}): Example {
  return { base: "stages", change };
}

/** The layers of some stages of the plan of stages, exchanged. */
export function layersWith(
  layers: { a?: unknown[]; b?: unknown[]; c?: unknown[] },
  more: PlanChange = {},
): Example {
  const { a = [columnLayer], b = [rowLayer], c = [meanLayer] } = layers;
  return stagesWith({
    stages: [
      { name: "a", layers: a },
      { name: "b", layers: b },
      { name: "c", layers: c },
    ],
    ...more,
  });
}

/** One stage on GPU 0, or with `more` elsewhere. */
export function oneStage(layers: readonly unknown[], more: PlanChange = {}): Example {
  return stagesWith({ stages: [{ name: "a", layers }], communications: undefined, ...more });
}

/** Two stages of a layer each. */
export function twoStages(
  communication: PlanChange | undefined,
  first: PlanChange = wholeOn(0),
  second: PlanChange = wholeOn(1),
): Example {
  return stagesWith({
    stages: [
      { name: "a", layers: [first] },
      { name: "b", layers: [second] },
    ],
    communications: communication === undefined ? undefined : [communication],
  });
}

export const sendToB = { name: "ab", op: "send", from: [0], to: [1] };

/** 8 × 8. */
export function linearOn(kind: string, gpus: unknown, more: PlanChange = {}): PlanChange {
  return { op: "linear", in: 8, out: 8, parallel: { kind, gpus, ...more } };
}

export function wholeOn(gpu: number): PlanChange {
  return linearOn("replicated", [gpu]);
}

export const onGpu0 = { kind: "replicated", gpus: [0] };
export const linearOnGpu0 = { op: "linear", in: 8, out: 8, parallel: onGpu0 };

export function residualFrom(from: number): PlanChange {
  return { op: "residual", hidden: 8, from };
}

/** Two pipeline ranks of the plan of degrees. */
export function pipelinedWith(
  parallel: PlanChange,
  workload: PlanChange = {},
  model: PlanChange = {},
): Example {
  return degreesWith({
    hardware: { gpus: 4 },
    workload: { batch: 8, microBatches: 4, ...workload },
    model,
    parallel: { pipeline: 2, ...parallel },
  });
}

/** A whole file. */
export function wholeFile(text: string, file = "plan.yaml", shown = text): Example {
  return { text, shown, file };
}
