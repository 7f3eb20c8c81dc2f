// The tasks as ONNX graphs. Weights are constants of the model, as in a user's; activations are inputs.

import type { OnnxGraph, OnnxTensor } from "./onnx_model.ts";
import { causalMask, lastSwapped, type Operand, operand, operandsOf, swapped } from "./operands.ts";
import { epsilon, type Task } from "./tasks.ts";

export interface OnnxTask {
  readonly graph: OnnxGraph;
  /** Values of the graph's inputs. */
  readonly feeds: Readonly<Record<string, Float32Array>>;
}

/** Attention gives [heads, sequence, headDim], fused [1, sequence, heads · headDim]. */
export function modelOf(task: Task, fused: boolean): OnnxTask {
  const operands = operandsOf(task);
  const constant = (name: string) => ({ name, ...operand(operands, name) });
  const input = (name: string): OnnxTensor => ({ name, shape: operand(operands, name).shape });
  const feeds = (...names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, operand(operands, name).values]));
  switch (task.op) {
    case "matmul":
      return {
        graph: {
          nodes: [{ op: "MatMul", inputs: ["x", "w"], outputs: ["y"] }],
          inputs: [input("x")],
          constants: [constant("w")],
          outputs: [{ name: "y", shape: [task.m, task.n] }],
        },
        feeds: feeds("x"),
      };
    case "experts":
      return {
        graph: {
          nodes: [
            { op: "MatMul", inputs: ["x", "up"], outputs: ["a"] },
            { op: "Relu", inputs: ["a"], outputs: ["b"] },
            { op: "MatMul", inputs: ["b", "down"], outputs: ["y"] },
          ],
          inputs: [input("x")],
          constants: [constant("up"), constant("down")],
          outputs: [{ name: "y", shape: [task.experts, task.rows, task.hidden] }],
        },
        feeds: feeds("x"),
      };
    case "attention":
      return fused ? fusedAttention(task, operands) : plainAttention(task, operands);
    case "attend_cache":
      return cachedAttention(task, operands);
    case "routing":
      return routing(task, operands);
    case "softmax":
      return {
        graph: {
          nodes: [{ op: "Softmax", inputs: ["x"], outputs: ["y"], attributes: { axis: -1 } }],
          inputs: [input("x")],
          outputs: [{ name: "y", shape: [task.rows, task.columns] }],
        },
        feeds: feeds("x"),
      };
    case "rms_norm":
      return {
        graph: {
          nodes: [
            {
              op: "SimplifiedLayerNormalization",
              inputs: ["x", "gain"],
              outputs: ["y"],
              attributes: { axis: -1 },
              floats: { epsilon },
            },
          ],
          inputs: [input("x")],
          constants: [constant("gain")],
          outputs: [{ name: "y", shape: [task.rows, task.columns] }],
        },
        feeds: feeds("x"),
      };
  }
}

type AttentionTask = Extract<Task, { op: "attention" }>;
type Operands = Readonly<Record<string, Operand>>;

/** Keys are given as [heads, headDim, sequence], so that no run transposes them. */
function plainAttention(task: AttentionTask, operands: Operands): OnnxTask {
  const { heads, sequence, headDim, causal } = task;
  const byHead = (name: string) => swapped(operand(operands, name)).values;
  const scalar = { name: "scale", shape: [1], values: Float32Array.of(1 / Math.sqrt(headDim)) };
  return {
    graph: {
      nodes: [
        { op: "MatMul", inputs: ["q", "k"], outputs: ["products"] },
        { op: "Mul", inputs: ["products", "scale"], outputs: ["scores"] },
        ...(causal ? [{ op: "Add", inputs: ["scores", "mask"], outputs: ["masked"] }] : []),
        {
          op: "Softmax",
          inputs: [causal ? "masked" : "scores"],
          outputs: ["weights"],
          attributes: { axis: -1 },
        },
        { op: "MatMul", inputs: ["weights", "v"], outputs: ["y"] },
      ],
      inputs: [
        { name: "q", shape: [heads, sequence, headDim] },
        { name: "k", shape: [heads, headDim, sequence] },
        { name: "v", shape: [heads, sequence, headDim] },
      ],
      constants: [scalar, ...(causal ? [{ name: "mask", ...causalMask(sequence) }] : [])],
      outputs: [{ name: "y", shape: [heads, sequence, headDim] }],
    },
    feeds: {
      q: byHead("q"),
      k: lastSwapped(swapped(operand(operands, "k"))).values,
      v: byHead("v"),
    },
  };
}

function fusedAttention(task: AttentionTask, operands: Operands): OnnxTask {
  const { heads, sequence, headDim, causal } = task;
  const shape = [1, sequence, heads * headDim];
  return {
    graph: {
      nodes: [
        {
          op: "MultiHeadAttention",
          domain: "com.microsoft",
          inputs: ["q", "k", "v"],
          outputs: ["y"],
          attributes: { num_heads: heads, unidirectional: causal ? 1 : 0 },
        },
      ],
      inputs: ["q", "k", "v"].map((name) => ({ name, shape })),
      outputs: [{ name: "y", shape }],
    },
    feeds: Object.fromEntries(
      ["q", "k", "v"].map((name) => [name, operand(operands, name).values]),
    ),
  };
}

/** Keys are given as [heads, headDim, keys], so that no run transposes them. */
function cachedAttention(
  { headDim }: Extract<Task, { op: "attend_cache" }>,
  operands: Operands,
): OnnxTask {
  const [q, k, v] = [
    operand(operands, "q"),
    lastSwapped(operand(operands, "k")),
    operand(operands, "v"),
  ];
  const scale = { name: "scale", shape: [1], values: Float32Array.of(1 / Math.sqrt(headDim)) };
  return {
    graph: {
      nodes: [
        { op: "MatMul", inputs: ["q", "k"], outputs: ["products"] },
        { op: "Mul", inputs: ["products", "scale"], outputs: ["scores"] },
        { op: "Softmax", inputs: ["scores"], outputs: ["weights"], attributes: { axis: -1 } },
        { op: "MatMul", inputs: ["weights", "v"], outputs: ["y"] },
      ],
      inputs: [
        { name: "q", shape: q.shape },
        { name: "k", shape: k.shape },
        { name: "v", shape: v.shape },
      ],
      constants: [scale],
      outputs: [{ name: "y", shape: q.shape }],
    },
    feeds: { q: q.values, k: k.values, v: v.values },
  };
}

function routing(
  { tokens, experts, topK }: Extract<Task, { op: "routing" }>,
  operands: Operands,
): OnnxTask {
  return {
    graph: {
      nodes: [
        {
          op: "TopK",
          inputs: ["x", "count"],
          outputs: ["chosen", "places"],
          attributes: { axis: -1 },
        },
        { op: "Softmax", inputs: ["chosen"], outputs: ["y"], attributes: { axis: -1 } },
      ],
      inputs: [{ name: "x", shape: [tokens, experts] }],
      constants: [{ name: "count", shape: [1], values: BigInt64Array.of(BigInt(topK)) }],
      outputs: [{ name: "y", shape: [tokens, topK] }],
    },
    feeds: { x: operand(operands, "x").values },
  };
}
