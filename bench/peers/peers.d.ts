// The calls that this bench and tests against peers make of them, so that both are checked and linted where those are not
// installed.

declare module "@jax-js/jax" {
  /** Its memory is counted: an operation takes its operands, unless given as `.ref`. */
  export interface Array {
    readonly ref: Array;
    readonly shape: readonly number[];
    data(): Promise<Float32Array>;
    dispose(): void;
    mul(other: Array | number): Array;
    add(other: Array | number): Array;
    div(other: Array | number): Array;
    sub(other: Array | number): Array;
    sum(axis?: number): Array;
    mean(): Array;
    greaterEqual(other: Array): Array;
    transpose(axes?: readonly number[]): Array;
    reshape(shape: readonly number[]): Array;
  }
  /** Gives all devices that are ready, the CPU among them. */
  export const init: (device: "webgpu" | "wasm") => Promise<readonly string[]>;
  export const defaultDevice: (device: "webgpu" | "wasm") => string;
  export const getWebGPUDevice: () => GPUDevice;
  export const blockUntilReady: (arrays: readonly Array[]) => Promise<unknown>;
  /** What is taken and given may be records of arrays. */
  export const jit: <Operands extends readonly unknown[], Result>(
    compute: (...operands: Operands) => Result,
  ) => (...operands: Operands) => Result;
  /** Value and gradients by the names of what the function takes. */
  export const valueAndGrad: (
    compute: (operands: Readonly<Record<string, Array>>) => Array,
  ) => (operands: Readonly<Record<string, Array>>) => [Array, Readonly<Record<string, Array>>];
  export const numpy: {
    array(values: Float32Array, options: { shape: readonly number[] }): Array;
    matmul(a: Array, b: Array): Array;
    square(x: Array): Array;
    mean(x: Array, axis: number, options: { keepdims: boolean }): Array;
    sqrt(x: Array): Array;
    minimum(a: number, b: Array): Array;
    reciprocal(x: Array): Array;
    repeat(x: Array, times: number, axis: number): Array;
    split(x: Array, parts: number, axis: number): Array[];
    concatenate(parts: readonly Array[], axis: number): Array;
    where(condition: Array, ifTrue: Array, ifFalse: number): Array;
  };
  export const lax: {
    /** Values, largest first, and their places. */
    topK(x: Array, count: number, axis: number): [Array, Array];
    stopGradient(x: Array): Array;
  };
  export const nn: {
    relu(x: Array): Array;
    silu(x: Array): Array;
    sigmoid(x: Array): Array;
    gelu(x: Array, options: { approximate: boolean }): Array;
    softmax(x: Array, axis: number): Array;
    logsumexp(x: Array, axis: number): Array;
    /** [tokens, heads, headDim] each; scaled by 1 / √headDim. */
    dotProductAttention(q: Array, k: Array, v: Array, options: { isCausal: boolean }): Array;
  };
}

declare module "@tensorflow/tfjs-core" {
  export interface Tensor {
    data(): Promise<Float32Array>;
    dispose(): void;
  }
  export const setBackend: (name: "webgpu") => Promise<boolean>;
  export const ready: () => Promise<void>;
  export const backend: () => unknown;
  /** Disposes of what the function makes, but for what it returns. */
  export const tidy: (compute: () => Tensor) => Tensor;
  export const tensor: (values: Float32Array, shape: readonly number[]) => Tensor;
  export const matMul: (a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean) => Tensor;
  export const mul: (a: Tensor, b: Tensor | number) => Tensor;
  export const add: (a: Tensor, b: Tensor | number) => Tensor;
  export const softmax: (x: Tensor) => Tensor;
  export const topk: (x: Tensor, k: number) => { values: Tensor; indices: Tensor };
  export const square: (x: Tensor) => Tensor;
  export const mean: (x: Tensor, axis: number, keepDims: boolean) => Tensor;
  export const rsqrt: (x: Tensor) => Tensor;
  export const fused: {
    matMul(options: { a: Tensor; b: Tensor; activation: "relu" }): Tensor;
  };
}

declare module "@tensorflow/tfjs-backend-webgpu";

declare module "core-js/actual/iterator/index.js";

declare module "onnxruntime-node" {
  export class Tensor {
    constructor(type: "float32", values: Float32Array, shape: readonly number[]);
    /** Only of tensors on the CPU. */
    readonly data: unknown;
    dispose(): void;
  }
  export interface InferenceSession {
    run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
    release(): Promise<void>;
  }
  export const InferenceSession: {
    create(
      model: Uint8Array,
      options: {
        executionProviders: readonly ("webgpu" | "cpu")[];
        preferredOutputLocation?: "gpu-buffer";
        extra?: Readonly<Record<string, unknown>>;
      },
    ): Promise<InferenceSession>;
  };
}
