// Examples of rules on sizes, batches, pipelines, experts, degrees and memory.

import { column, degrees, type Explained, layers, single, stages } from "./example.ts";

const sound = degrees();
const gpus = (count: number) => ({ hardware: { gpus: count } });
const dense = (model: object, more: object = {}) =>
  degrees({ model: { moe: undefined, ...model }, parallel: { expert: undefined }, ...more });
const piped = (parallel: object, workload: object = {}, model: object = {}) =>
  degrees({
    hardware: { gpus: 4 },
    workload: { batch: 8, microBatches: 4, ...workload },
    model,
    parallel: { pipeline: 2, ...parallel },
  });
const sixReplicas = (parallel: object) =>
  degrees({ ...gpus(12), workload: { batch: 12 }, parallel: { data: 6, ...parallel } });
const one = { kind: "replicated", gpus: [0] };
const linear = { op: "linear", in: 8, out: 8, parallel: one };
const residual = (from: number) => ({ op: "residual", hidden: 8, from });
const attention = { op: "attention", hidden: 8, heads: 2, parallel: { kind: "tensor", gpus: [0] } };
const training = (recompute: object) => degrees({ workload: { mode: "training", recompute } });
const big = (memoryPerGpu: string) => degrees({ hardware: { memoryPerGpu } });
const limits = (bytes: number) => ({ maxBufferSize: bytes, maxStorageBufferBindingSize: bytes });

export const sizeCodes: readonly Explained[] = [
  {
    code: "group-does-not-divide-output",
    requires: "A column-parallel output is a multiple of its GPUs.",
    bad: layers({ a: [{ ...column, out: 13 }] }),
    good: stages(),
  },
  {
    code: "group-does-not-divide-input",
    requires: "A row-parallel input is a multiple of its GPUs.",
    bad: single([{ op: "linear", in: 7, out: 8, parallel: { kind: "row", gpus: [0, 1] } }]),
    good: single([{ op: "linear", in: 8, out: 8, parallel: { kind: "row", gpus: [0, 1] } }]),
  },
  {
    code: "group-does-not-divide-hidden",
    requires: "A column-parallel embedding's width is a multiple of its GPUs.",
    bad: single([
      { op: "embedding", vocabulary: 10, hidden: 7, parallel: { kind: "column", gpus: [0, 1] } },
    ]),
    good: single([
      { op: "embedding", vocabulary: 10, hidden: 8, parallel: { kind: "column", gpus: [0, 1] } },
    ]),
  },
  {
    code: "group-does-not-divide-heads",
    requires: "Heads are a multiple of the tensor group.",
    bad: degrees({ model: { heads: 1 } }),
    good: sound,
  },
  {
    code: "group-does-not-fit-kv-heads",
    requires: "KV heads are a multiple of the tensor group, or divide it.",
    bad: dense({ hidden: 48, heads: 12, kvHeads: 3, ffn: 64 }),
    good: dense({ hidden: 48, heads: 12, kvHeads: 4, ffn: 64 }),
  },
  {
    code: "kv-heads-do-not-divide-heads",
    requires: "Every KV head serves as many query heads.",
    bad: degrees({ model: { kvHeads: 3 } }),
    good: degrees({ model: { kvHeads: 2 } }),
  },
  {
    code: "heads-do-not-divide-hidden",
    requires: "Hidden is a multiple of heads, unless headDim is given.",
    bad: degrees({ model: { hidden: 34 } }),
    good: degrees({ model: { hidden: 34, headDim: 8 } }),
  },
  {
    code: "shard-splits-quantization-block",
    requires: "Of weights that are quantized in blocks, every GPU has whole blocks.",
    bad: degrees({ model: { quantizationBlock: { input: 128, output: 128 } } }),
    good: degrees({ model: { quantizationBlock: { input: 16, output: 16 } } }),
  },
  {
    code: "group-does-not-divide-ffn",
    requires: "The MLP's inner dimension is a multiple of the tensor group.",
    bad: degrees({ model: { ffn: 63 } }),
    good: sound,
  },
  {
    code: "vocabulary-padded",
    requires: "Tells to what a vocabulary is padded, and by whose rule.",
    bad: degrees({ model: { vocabulary: 50_257 } }),
    good: degrees({ model: { vocabulary: 50_432 } }),
  },
  {
    code: "vocabulary-not-padded",
    requires: "A vocabulary that is split over ranks is a multiple of 128 × tensor.",
    bad: degrees({ model: { vocabulary: 50_258 } }),
    good: degrees({ model: { vocabulary: 50_432 } }),
  },
  {
    code: "dimensions-disagree",
    requires: "A layer takes as many columns as the one before gives.",
    bad: single([linear, { ...linear, in: 9 }]),
    good: single([linear, linear]),
  },
  {
    code: "embedding-not-first",
    requires: "Token ids come from outside: an embedding is the first layer.",
    bad: single([linear, { op: "embedding", vocabulary: 9, hidden: 8, parallel: one }]),
    good: single([{ op: "embedding", vocabulary: 9, hidden: 8, parallel: one }, linear]),
  },
  {
    code: "residual-from-no-earlier-layer",
    requires: "A residual adds the input of an earlier layer of its stage.",
    bad: single([linear, residual(1)]),
    good: single([linear, residual(0)]),
  },
  {
    code: "residual-of-token-ids",
    requires: "A residual does not add token ids.",
    bad: single([{ op: "embedding", vocabulary: 9, hidden: 8, parallel: one }, residual(0)]),
    good: single([linear, residual(0)]),
  },
  {
    code: "residual-differs-in-size",
    requires: "A residual adds values of the same rows and columns.",
    bad: single([{ ...linear, in: 9 }, residual(0)]),
    good: single([linear, residual(0)]),
  },
  {
    code: "sequence-already-aggregated",
    requires: "Attention works within sequences, of which an aggregate leaves none.",
    bad: single([linear, { op: "aggregate" }, attention]),
    good: single([attention, { op: "aggregate" }]),
  },
  {
    code: "aggregate-first",
    requires: "An aggregate has a layer before it, which says how wide its input is.",
    bad: single([{ op: "aggregate", parallel: one }]),
    good: single([linear, { op: "aggregate" }]),
  },
  {
    code: "activation-of-partial-sum",
    requires:
      "A row-parallel layer has no activation: that of a sum is not the sum of activations.",
    bad: single([
      { op: "linear", in: 8, out: 8, activation: "relu", parallel: { kind: "row", gpus: [0, 1] } },
    ]),
    good: single([
      {
        op: "linear",
        in: 8,
        out: 8,
        activation: "relu",
        parallel: { kind: "column", gpus: [0, 1] },
      },
    ]),
  },
  {
    code: "micro-batches-do-not-divide-batch",
    requires: "Micro-batches are of equal size.",
    bad: degrees({ workload: { microBatches: 3 } }),
    good: degrees({ workload: { microBatches: 2 } }),
  },
  {
    code: "replicas-do-not-divide-micro-batch",
    requires:
      "Every replica takes as many samples of each micro-batch: batch % (microBatches × data) = 0.",
    bad: degrees({ ...gpus(4), workload: { microBatches: 4 }, parallel: { data: 2 } }),
    good: degrees({ ...gpus(4), parallel: { data: 2 } }),
  },
  {
    code: "replica-without-samples",
    requires: "No data replica is empty.",
    bad: single([{ ...linear, parallel: { kind: "data", gpus: [0, 1] } }], {
      workload: { batch: 1, microBatches: 1 },
    }),
    good: single([{ ...linear, parallel: { kind: "data", gpus: [0, 1] } }], {
      workload: { batch: 2, microBatches: 1 },
    }),
  },
  {
    code: "replicas-uneven",
    requires: "Data replicas have as many samples.",
    bad: single([{ ...linear, parallel: { kind: "data", gpus: [0, 1] } }], {
      workload: { batch: 3, microBatches: 1 },
    }),
    good: single([{ ...linear, parallel: { kind: "data", gpus: [0, 1] } }], {
      workload: { batch: 2, microBatches: 1 },
    }),
  },
  {
    code: "pipeline-does-not-divide-layers",
    requires:
      "Every pipeline rank has as many layers, unless parallel.layersPerStage deals them out.",
    bad: piped({}, {}, { layers: 3 }),
    good: piped({ layersPerStage: [1, 2] }, {}, { layers: 3 }),
  },
  {
    code: "layers-per-stage-differs-from-pipeline",
    requires: "layersPerStage has a number for every pipeline rank.",
    bad: piped({ layersPerStage: [2] }),
    good: piped({ layersPerStage: [1, 1] }),
  },
  {
    code: "layers-per-stage-do-not-sum",
    requires: "layersPerStage sums to the model's layers.",
    bad: piped({ layersPerStage: [1, 2] }),
    good: piped({ layersPerStage: [1, 1] }),
  },
  {
    code: "pipeline-not-filled",
    requires: "There are at least as many micro-batches as stages.",
    bad: piped({}, { microBatches: 1 }),
    good: piped({}),
  },
  {
    code: "pipeline-filled",
    requires: "Tells the bubble of a pipeline with enough micro-batches.",
    bad: piped({}),
    good: piped({}, { microBatches: 1 }),
  },
  {
    code: "interleaving-needs-pipeline",
    requires: "Virtual stages interleave pipeline ranks: pipeline is above 1.",
    bad: degrees({ parallel: { virtualStages: 2 } }),
    good: sound,
  },
  {
    code: "virtual-stages-do-not-divide-layers",
    requires: "The layers of a pipeline rank are a multiple of its virtual stages.",
    bad: piped({ virtualStages: 2 }),
    good: piped({ virtualStages: 2 }, {}, { layers: 4 }),
  },
  {
    code: "interleaving-needs-micro-batches",
    requires: "Interleaving needs at least as many micro-batches as pipeline ranks.",
    bad: piped({ virtualStages: 2 }, { microBatches: 1 }, { layers: 4 }),
    good: piped({ virtualStages: 2 }, {}, { layers: 4 }),
  },
  {
    code: "round-of-micro-batches-not-full",
    requires: "Interleaved 1F1B has a multiple of p micro-batches.",
    bad: piped(
      { virtualStages: 2 },
      { batch: 9, microBatches: 3, mode: "training", schedule: "1f1b" },
      { layers: 4 },
    ),
    good: piped(
      { virtualStages: 2 },
      { batch: 9, microBatches: 3, mode: "training", schedule: "gpipe" },
      { layers: 4 },
    ),
  },
  {
    code: "context-does-not-divide-sequence",
    requires: "The sequence is a multiple of 2 × context.",
    bad: degrees({ ...gpus(4), workload: { sequence: 6 }, parallel: { context: 2 } }),
    good: degrees({ ...gpus(4), workload: { sequence: 8 }, parallel: { context: 2 } }),
  },
  {
    code: "sequence-parallel-needs-tensor",
    requires: "Sequence parallelism needs a tensor group.",
    bad: degrees({ parallel: { tensor: 1, sequence: true } }),
    good: degrees({ workload: { sequence: 4 }, parallel: { sequence: true } }),
  },
  {
    code: "tensor-does-not-divide-sequence",
    requires: "With sequence parallelism the sequence is a multiple of the tensor degree.",
    bad: degrees({ workload: { sequence: 5 }, parallel: { sequence: true } }),
    good: degrees({ workload: { sequence: 4 }, parallel: { sequence: true } }),
  },
  {
    code: "data-shard-does-not-divide-data",
    requires: "Groups of data ranks that share the shards (HSDP) divide the data degree.",
    bad: degrees({ ...gpus(8), parallel: { data: 4, zero: 3, dataShard: 3 } }),
    good: degrees({ ...gpus(8), parallel: { data: 4, zero: 3, dataShard: 2 } }),
  },
  {
    code: "data-shard-needs-zero",
    requires: "Data ranks share shards where ZeRO shards something.",
    bad: degrees({ ...gpus(4), parallel: { data: 2, dataShard: 1 } }),
    good: degrees({ ...gpus(4), parallel: { data: 2, zero: 1, dataShard: 1 } }),
  },
  {
    code: "data-shard-splits-expert-groups",
    requires: "The ranks that hold one copy of the state form whole expert groups.",
    bad: sixReplicas({ expert: 6, zero: 3, dataShard: 2 }),
    good: sixReplicas({ expert: 6, zero: 3, dataShard: 3 }),
  },
  {
    code: "checked-but-not-run",
    requires: "Tells what the plan says and the run does not do yet.",
    bad: degrees({ ...gpus(4), workload: { sequence: 8 }, parallel: { context: 2 } }),
    good: degrees({ workload: { sequence: 4 }, parallel: { sequence: true } }),
  },
  {
    code: "full-recompute-needs-method",
    requires: "Full recomputation names its method and its number of layers.",
    bad: training({ granularity: "full" }),
    good: training({ granularity: "full", method: "uniform", layers: 1 }),
  },
  {
    code: "selective-recompute-takes-no-method",
    requires: "Selective recomputation names neither method nor layers.",
    bad: training({ granularity: "selective", method: "block" }),
    good: training({ granularity: "selective" }),
  },
  {
    code: "recompute-exceeds-layers",
    requires: "A pipeline rank recomputes at most the layers it has.",
    bad: training({ granularity: "full", method: "block", layers: 3 }),
    good: training({ granularity: "full", method: "block", layers: 2 }),
  },
  {
    code: "recompute-without-training",
    requires: "Recomputation acts in the backward pass.",
    bad: degrees({ workload: { recompute: { granularity: "selective" } } }),
    good: training({ granularity: "selective" }),
  },
  {
    code: "training-runs-forward-only",
    requires: "Tells that only the forward pass of a training plan is run.",
    bad: degrees({ workload: { mode: "training" } }),
    good: sound,
  },
  {
    code: "backward-is-stand-in",
    requires: "Tells that the backward slots of a schedule hold a stand-in.",
    bad: degrees({ workload: { mode: "training", schedule: "1f1b" } }),
    good: degrees({ workload: { mode: "training" } }),
  },
  {
    code: "experts-not-divisible",
    requires: "Every expert GPU holds as many experts.",
    bad: degrees({ model: { moe: { experts: 7 } } }),
    good: sound,
  },
  {
    code: "experts-balanced",
    requires: "Confirms that experts are spread without variance.",
    bad: sound,
    good: degrees({ model: { moe: { experts: 7 } } }),
  },
  {
    code: "top-k-over-experts",
    requires: "A token goes to at most as many experts as there are.",
    bad: degrees({ model: { moe: { topK: 7 } } }),
    good: degrees({ model: { moe: { topK: 6 } } }),
  },
  {
    code: "expert-degree-without-experts",
    requires: "Expert parallelism needs experts.",
    bad: degrees({ model: { moe: undefined } }),
    good: sound,
  },
  {
    code: "expert-degree-does-not-match-group",
    requires: "An expert group has exactly as many GPUs as its degree.",
    bad: degrees({ parallel: { expertGroup: [0] } }),
    good: degrees({ parallel: { expertGroup: [0, 1] } }),
  },
  {
    code: "expert-group-matches-degree",
    requires: "Confirms that an expert group has as many GPUs as its degree.",
    bad: degrees({ parallel: { expertGroup: [0, 1] } }),
    good: sound,
  },
  {
    code: "expert-degree-does-not-fit-ranks",
    requires:
      "Expert groups are folded from the ranks of a stage: (tensor × context × data) % (expert × expert-tensor) = 0.",
    bad: degrees({ parallel: { expert: 3 } }),
    good: sound,
  },
  {
    code: "expert-tensor-differs-from-tensor",
    requires: "Experts are sliced over the tensor ranks of their tokens, or not at all.",
    bad: degrees({ parallel: { tensor: 4, expertTensor: 2 }, hardware: { gpus: 4 } }),
    good: degrees({ parallel: { expertTensor: 1 } }),
  },
  {
    code: "slices-do-not-divide-expert-ffn",
    requires: "Every slice of an expert has as much of its inner width.",
    bad: degrees({ model: { moe: { ffn: 33 } }, parallel: { expert: 1 } }),
    good: sound,
  },
  {
    code: "memory-exceeded",
    requires:
      "What every run of the plan must hold fits in a GPU: weights and KV cache; in training weights, gradients and the inputs of blocks, as far as ZeRO and recomputation leave them.",
    bad: big("10kB"),
    good: big("16GiB"),
  },
  {
    code: "memory-exceeded-as-planned",
    requires:
      "What the plan's program allocates fits in a GPU, and in training what it keeps where the plan says nothing of ZeRO and recomputation.",
    bad: big("150kB"),
    good: big("16GiB"),
  },
  {
    code: "memory-headroom-small",
    requires: "A tenth of the memory stays free.",
    bad: big("170kB"),
    good: big("16GiB"),
  },
  {
    code: "memory-headroom",
    requires: "Tells how much memory is left, and what takes the rest.",
    bad: big("16GiB"),
    good: big("10kB"),
  },
  {
    code: "memory-unrealistic",
    requires: "A GPU has at least 1 GiB.",
    bad: big("16MiB"),
    good: big("16GiB"),
  },
  {
    code: "buffer-exceeds-adapter-limit",
    requires:
      "No buffer is larger than the adapter's maxBufferSize and maxStorageBufferBindingSize.",
    bad: degrees({ model: { hidden: 64 } }),
    good: sound,
    adapter: limits(24_576),
  },
  {
    code: "buffers-fit-adapter",
    requires: "Confirms that every buffer is within the adapter's limits.",
    bad: sound,
    good: degrees({ model: { hidden: 64 } }),
    adapter: limits(24_576),
  },
  {
    code: "layer-not-runnable",
    requires: "Everything the model is described with has a layer that runs it.",
    bad: degrees({ model: { qkNorm: true } }),
    good: sound,
  },
];
