// What every contender computes: the operations, their shapes, and what they cost at least.

/** Row-major f32 operands; `causal` means that a query sees its own position and earlier ones. */
export type Task =
  | { readonly op: "matmul"; readonly m: number; readonly k: number; readonly n: number }
  | {
      /** relu(x · up) · down, for `rows` rows of each expert. */
      readonly op: "experts";
      readonly experts: number;
      readonly rows: number;
      readonly hidden: number;
      readonly ffn: number;
    }
  | {
      readonly op: "attention";
      readonly heads: number;
      readonly sequence: number;
      readonly headDim: number;
      readonly causal: boolean;
    }
  | {
      /** One new token of each sequence against `keys` cached ones; `group` query heads share a key head. */
      readonly op: "attend_cache";
      readonly batch: number;
      readonly kvHeads: number;
      readonly group: number;
      readonly headDim: number;
      readonly keys: number;
    }
  | {
      /** The `topK` largest of each token's softmax, the largest first, scaled to sum to 1. */
      readonly op: "routing";
      readonly tokens: number;
      readonly experts: number;
      readonly topK: number;
    }
  | { readonly op: "softmax" | "rms_norm"; readonly rows: number; readonly columns: number };

export const epsilon = 1e-5;

function matmul(m: number, k: number, n: number): Task {
  return { op: "matmul", m, k, n };
}
const heads = { op: "attention", heads: 8, sequence: 512, headDim: 64 } as const;

export const tasks: readonly Task[] = [
  matmul(512, 512, 512),
  matmul(1024, 1024, 1024),
  matmul(512, 1024, 4096),
  matmul(1, 4096, 4096),
  matmul(8, 4096, 4096),
  matmul(32, 4096, 4096),
  { op: "experts", experts: 21, rows: 16, hidden: 256, ffn: 1024 },
  { ...heads, causal: false },
  { ...heads, causal: true },
  { op: "rms_norm", rows: 1024, columns: 4096 },
  matmul(123, 457, 789),
  matmul(1021, 509, 37),
  { op: "experts", experts: 7, rows: 13, hidden: 250, ffn: 333 },
  { op: "attention", heads: 3, sequence: 301, headDim: 52, causal: true },
  { op: "rms_norm", rows: 1021, columns: 509 },
];

/** How it is printed, and what `--only` is matched with. */
export function nameOf(task: Task): string {
  switch (task.op) {
    case "matmul":
      return `matmul ${task.m}×${task.k}×${task.n}`;
    case "experts":
      return `experts ${task.experts}×(${task.rows}×${task.hidden}→${task.ffn}→${task.hidden})`;
    case "attention":
      return `attention ${task.heads}×${task.sequence}×${task.headDim}${task.causal ? " causal" : ""}`;
    case "attend_cache": {
      const { batch, kvHeads, group, keys, headDim } = task;
      return `attend_cache ${batch}×${kvHeads * group}/${kvHeads}×${keys}×${headDim}`;
    }
    case "routing":
      return `routing ${task.tokens} to ${task.topK} of ${task.experts}`;
    case "softmax":
    case "rms_norm":
      return `${task.op} ${task.rows}×${task.columns}`;
  }
}

/** Work of one run: FLOPs of what arithmetic bounds (half of the scores where causal), else bytes. */
export function workOf(task: Task): { readonly amount: number; readonly unit: "FLOP" | "B" } {
  switch (task.op) {
    case "matmul":
      return { amount: 2 * task.m * task.k * task.n, unit: "FLOP" };
    case "experts":
      return { amount: 4 * task.experts * task.rows * task.hidden * task.ffn, unit: "FLOP" };
    case "attention": {
      const whole = 4 * task.heads * task.sequence ** 2 * task.headDim;
      return { amount: task.causal ? whole / 2 : whole, unit: "FLOP" };
    }
    case "attend_cache": {
      const { batch, kvHeads, group, headDim, keys } = task;
      return { amount: 8 * batch * kvHeads * headDim * (keys + group), unit: "B" };
    }
    case "routing":
      return { amount: 4 * task.tokens * (task.experts + task.topK), unit: "B" };
    case "softmax":
      return { amount: 8 * task.rows * task.columns, unit: "B" };
    case "rms_norm":
      return { amount: 4 * (2 * task.rows * task.columns + task.columns), unit: "B" };
  }
}
