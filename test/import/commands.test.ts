import { readFile } from "node:fs/promises";
import type { Plan } from "../../src/plan/plan.ts";
import { expect, test } from "vitest";
import { checkPlan } from "../../src/check/check_plan.ts";
import { importPlan } from "../../src/plan/import/import_plan.ts";
import type { Source } from "../../src/plan/import/note.ts";
import { parsePlan } from "../../src/plan/load.ts";
import { billions, codes, configOf, errorsAt, planOf } from "./imported.ts";

function command(text: string, kind?: Source["kind"]): Source {
  return {
    name: "<command>",
    text,
    ...(kind === undefined ? {} : { kind }),
  };
}

/** What the check says of the plan's form and soundness, apart from what cannot run. */
function faults(sources: readonly Source[]): string[] {
  const { text = "" } = importPlan(sources);
  const { plan, document, diagnostics } = parsePlan(text, "plan.json");
  const all = plan === undefined ? diagnostics : checkPlan(plan, document);
  return all.filter(({ severity }) => severity === "error").map(({ code }) => code);
}

test("Megatron: the script of GPT-3 175B, with arrays and variables", async () => {
  const text = await readFile("test/import/fixtures/megatron-gpt3-175b.sh", "utf8");
  const sources = [{ name: "train.sh", text }];
  const { plan, file, diagnostics } = planOf(sources);
  expect(file.hardware.gpus).toBe(128);
  // 50,257 is rounded up to a multiple of 128 × 8.
  const degrees = { tensor: 8, pipeline: 16, data: 1, expert: 1, vocabularyMultiple: 1024 };
  expect(plan.degrees).toEqual(degrees);
  expect(plan.workload).toMatchObject({
    mode: "training",
    batch: 1536,
    microBatches: 1536,
    sequence: 2048,
    dtype: "f16",
  });
  expect(plan.model).toMatchObject({ layers: 96, hidden: 12288, heads: 96, ffn: 49152 });
  expect(plan.model?.vocabulary).toBe(50_257);
  expect(plan.stages[0]?.layers[0]).toMatchObject({ op: "embedding", vocabulary: 51_200 });
  expect(file.assumed).toContain("model.vocabulary");
  expect(Math.abs(billions(plan) / 174.6 - 1)).toBeLessThan(0.005);
  expect(codes(diagnostics)).toEqual(
    expect.arrayContaining(["rampup-batch-size-not-expressible", "flags-without-bearing"]),
  );
  expect(codes(diagnostics)).not.toContain("flag-not-understood");
  expect(faults(sources)).toEqual([]);
});

test("Megatron: Mixtral 8x7B with experts spread over ranks", () => {
  const sources = [
    command(
      `torchrun --nproc_per_node 8 --nnodes 2 pretrain_gpt.py --use-mcore-models \\
        --disable-bias-linear --seq-length 4096 --max-position-embeddings 32768 --num-layers 32 \\
        --hidden-size 4096 --ffn-hidden-size 14336 --num-attention-heads 32 \\
        --init-method-std 0.01 --attention-dropout 0.0 --hidden-dropout 0.0 \\
        --normalization RMSNorm --position-embedding-type rope --swiglu \\
        --untie-embeddings-and-output-weights --group-query-attention --num-query-groups 8 \\
        --no-masked-softmax-fusion --rotary-base 1000000 --num-experts 8 --moe-router-topk 2 \\
        --moe-router-load-balancing-type aux_loss --moe-aux-loss-coeff 1e-2 --moe-grouped-gemm \\
        --moe-token-dispatcher-type alltoall --tokenizer-type Llama2Tokenizer --vocab-size 32000 \\
        --micro-batch-size 1 --global-batch-size 256 --lr 1e-4 --bf16 \\
        --tensor-model-parallel-size 1 --pipeline-model-parallel-size 4 \\
        --expert-model-parallel-size 4 --use-distributed-optimizer --sequence-parallel`,
    ),
  ];
  const { plan, diagnostics } = planOf(sources);
  expect(plan.degrees).toEqual({ tensor: 1, pipeline: 4, data: 4, expert: 4, zero: 1 });
  expect(plan.model?.moe).toEqual({
    experts: 8,
    topK: 2,
    ffn: 14336,
    renormalise: true,
    auxLossCoeff: 0.01,
    dense: false,
  });
  expect(plan.workload).toMatchObject({ batch: 256, microBatches: 64 });
  expect(plan.optimizations).toEqual(["mixed-precision"]);
  expect(Math.abs(billions(plan) / 46.7 - 1)).toBeLessThan(0.005);
  expect(plan.model?.positions).toEqual({ kind: "rotary", base: 1_000_000 });
  expect(codes(diagnostics)).toEqual(expect.arrayContaining(["sequence-parallel-without-tensor"]));
  expect(faults(sources)).toEqual([]);
});

test("Megatron: latent attention, shared experts and a pattern of layers with experts", () => {
  const { plan } = planOf([
    command(
      `--num-layers 27 --hidden-size 2048 --num-attention-heads 16 --ffn-hidden-size 10944
       --kv-channels 16 --multi-latent-attention --kv-lora-rank 512 --qk-head-dim 128
       --qk-pos-emb-head-dim 64 --v-head-dim 128 --num-experts 64 --moe-router-topk 6
       --moe-ffn-hidden-size 1408 --moe-shared-expert-intermediate-size 2816
       --moe-layer-freq ([0]+[1]*26) --swiglu --normalization RMSNorm --disable-bias-linear
       --position-embedding-type rope --untie-embeddings-and-output-weights
       --padded-vocab-size 102400 --seq-length 4096 --make-vocab-size-divisible-by 3200`,
    ),
  ]);
  expect(plan.model?.moe?.sharedFfn).toBe(2816);
  expect(Math.abs(billions(plan) / 15.7 - 1)).toBeLessThan(0.005);
});

test("Megatron: losses of routers, where experts are balanced over a micro-batch", () => {
  const moeOf = (more: string) => {
    const { plan, diagnostics } = planOf([
      command(
        `--num-layers 2 --hidden-size 64 --num-attention-heads 4 --num-experts 4 --moe-router-topk 2
         --seq-length 16 --micro-batch-size 1 --moe-z-loss-coeff 1e-3 --moe-aux-loss-coeff 0.02 ${more}`,
      ),
    ]);
    const { auxLossCoeff, zLossCoeff } = plan.model?.moe ?? {};
    const isRefused = codes(diagnostics).includes("router-balance-not-expressible");
    return { auxLossCoeff, zLossCoeff, isRefused };
  };
  const both = { auxLossCoeff: 0.02, zLossCoeff: 0.001, isRefused: false };
  expect(moeOf("")).toEqual(both);
  expect(moeOf("--moe-router-load-balancing-type aux_loss")).toEqual(both);
  const z = { auxLossCoeff: undefined, zLossCoeff: 0.001 };
  expect(moeOf("--moe-router-load-balancing-type none")).toEqual({ ...z, isRefused: false });
  expect(moeOf("--moe-router-load-balancing-type seq_aux_loss")).toEqual({ ...z, isRefused: true });
});

test("vLLM: a layout for a model from its config", async () => {
  const sources = [
    await configOf("llama-3-70b"),
    command(
      "vllm serve meta-llama/Meta-Llama-3-70B --tensor-parallel-size 4 " +
        "--pipeline_parallel_size=2 --max-model-len 512 --max-num-seqs 32 " +
        "--gpu-memory-utilization 0.92 --dtype bfloat16 --port 8000 --api-key sk-private",
    ),
  ];
  const { plan, file, text, diagnostics } = planOf(sources);
  expect(plan.name).toBe("meta-llama-3-70b-tp4-pp2");
  expect(plan.degrees).toMatchObject({ tensor: 4, pipeline: 2, data: 1, expert: 1 });
  expect(plan.workload).toMatchObject({
    mode: "inference",
    batch: 32,
    sequence: 512,
    dtype: "f16",
  });
  expect(file.assumed).toEqual(["workload.sequence"]);
  expect(codes(diagnostics)).toContain("gpu-memory-utilization-not-expressible");
  expect(text).not.toContain("sk-private");
  expect(faults(sources)).toEqual([]);
});

const small =
  "--num-layers 8 --hidden-size 64 --num-attention-heads 4 --vocab-size 512 --seq-length 64";

test("Megatron: context, sequence, virtual stages and recomputation have their places in a plan", () => {
  const { file } = planOf([
    command(
      `torchrun --nproc_per_node 16 x.py ${small} --tensor-model-parallel-size 2 --sequence-parallel \\
       --pipeline-model-parallel-size 2 --context-parallel-size 2 --global-batch-size 8 \\
       --micro-batch-size 2 --num-layers-per-virtual-pipeline-stage 2 --recompute-granularity full \\
       --recompute-method uniform --recompute-num-layers 1`,
    ),
  ]);
  expect(file.hardware.gpus).toBe(16);
  const mesh = { tensor: 2, pipeline: 2, data: 2, context: 2, sequence: true, virtualStages: 2 };
  expect(file.parallel).toEqual(mesh);
  expect(file.workload.recompute).toEqual({ granularity: "full", method: "uniform", layers: 1 });
  expect(file.workload.microBatches).toBe(2);
});

test("Megatron: instances of the optimizer shard its state over their own ranks", () => {
  const { file } = planOf([
    command(
      `torchrun --nproc_per_node 8 --nnodes 4 x.py ${small} --tensor-model-parallel-size 2 \\
       --use-distributed-optimizer --num-distributed-optimizer-instances 4`,
    ),
  ]);
  expect(file.parallel).toEqual({ tensor: 2, data: 16, zero: 1, dataShard: 4 });
});

test("Megatron: a pipeline whose ends have fewer layers", () => {
  const ends = "--decoder-first-pipeline-num-layers 1 --decoder-last-pipeline-num-layers";
  const plan = (last: number) => [
    command(`${small} --pipeline-model-parallel-size 4 ${ends} ${last}`),
  ];
  expect(planOf(plan(1)).file.parallel?.layersPerStage).toEqual([1, 3, 3, 1]);
  expect(errorsAt(plan(2))).toMatchObject([{ code: "degrees-contradict", position: { line: 1 } }]);
});

test("vLLM: layers that pipeline ranks do not divide are dealt as the server does", async () => {
  const serve = command("vllm serve deepseek-ai/DeepSeek-V3 -tp 8 -pp 4 --enable-expert-parallel");
  const { file } = planOf([await configOf("deepseek-v3"), serve]);
  expect(file.parallel?.layersPerStage).toEqual([15, 15, 16, 15]);
});

test("vLLM: experts in parallel over tensor and data ranks", async () => {
  const sources = [
    await configOf("qwen3-30b-a3b"),
    command("vllm serve Qwen/Qwen3-30B-A3B -tp 2 -dp 4 --enable-expert-parallel --enforce-eager"),
  ];
  const { plan } = planOf(sources);
  expect(plan.degrees).toMatchObject({ tensor: 2, pipeline: 1, data: 4, expert: 8 });
  expect(faults(sources)).toEqual([]);
});

function expertGroupsOf(plan: Plan) {
  const moe = plan.stages[0]?.layers.find(({ op }) => op === "moe");
  return moe?.op === "moe" ? moe.expertGroups : undefined;
}

test("vLLM: without expert parallelism tensor ranks slice each expert", async () => {
  const { plan } = planOf([
    await configOf("mixtral-8x7b"),
    command("vllm serve mistralai/Mixtral-8x7B-v0.1 -tp 4"),
  ]);
  expect(plan.degrees?.expert).toBe(1);
  expect(expertGroupsOf(plan)).toEqual([[[0, 1, 2, 3]]]);
});

test("Megatron: experts are sliced as dense layers are, unless told otherwise", () => {
  const moe =
    "--num-layers 2 --hidden-size 64 --num-attention-heads 4 --num-experts 4 --world-size 4 " +
    "--tensor-model-parallel-size 2 --expert-model-parallel-size 2";
  const planWith = (more: string) => planOf([command(`pretrain_gpt.py ${moe} ${more}`)]).plan;
  expect(expertGroupsOf(planWith(""))).toEqual([
    [
      [0, 1],
      [2, 3],
    ],
  ]);
  expect(expertGroupsOf(planWith("--expert-tensor-parallel-size 1"))).toEqual([
    [[0], [1]],
    [[2], [3]],
  ]);
});

test.each(["-tp 1", "-tp 2", "-tp 4"])(
  "vLLM %s: a vocabulary is padded to a multiple of 64, as the server does",
  async (degree) => {
    const sources = [await configOf("gpt2"), command(`vllm serve gpt2 ${degree}`)];
    const { plan, diagnostics } = planOf(sources);
    expect(plan.model?.vocabulary).toBe(50_257);
    expect(plan.degrees?.vocabularyMultiple).toBe(64);
    expect(plan.stages[0]?.layers[0]).toMatchObject({ op: "embedding", vocabulary: 50_304 });
    expect(codes(diagnostics)).toContain("vocabulary-padded");
    expect(faults(sources)).toEqual([]);
  },
);

test.each([
  ["vllm serve m -tp 1", undefined],
  ["vllm serve m -tp 2", undefined],
  ["vllm serve m -tp 8", 64],
  ["python -m sglang.launch_server --model-path m --tp 8", 64],
  ["trtllm-serve m --tp_size 8", 1],
])(
  "%s: a vocabulary that its ranks can share is kept, and nothing is said",
  async (text, multiple) => {
    const { plan, document, diagnostics } = planOf([await configOf("llama-3-8b"), command(text)]);
    expect(plan.degrees?.vocabularyMultiple).toBe(multiple);
    expect(codes([...diagnostics, ...checkPlan(plan, document)])).not.toContainEqual(
      expect.stringMatching(/^vocabulary-/),
    );
    expect(plan.stages[0]?.layers[0]).toMatchObject({ op: "embedding", vocabulary: 128_256 });
  },
);

const deepSpeedJson = {
  train_batch_size: 64,
  train_micro_batch_size_per_gpu: 2,
  gradient_accumulation_steps: 4,
  optimizer: { type: "AdamW", params: { lr: 3e-5 } },
  bf16: { enabled: true },
  zero_optimization: {
    stage: 3,
    overlap_comm: true,
    offload_optimizer: { device: "cpu", pin_memory: true },
  },
  activation_checkpointing: { partition_activations: true },
  gradient_clipping: 1.0,
};
function deepSpeed(changes: Record<string, unknown> = {}): Source {
  return {
    name: "ds_config.json",
    text: JSON.stringify({ ...deepSpeedJson, ...changes }),
  };
}
function launcher(gpus: number): Source {
  return command(
    `deepspeed --num_gpus ${gpus} train.py --model_name_or_path x/y --deepspeed ds.json`,
  );
}

test("DeepSpeed: a launcher's ranks and a config's batches", async () => {
  const sources = [await configOf("llama-3-8b"), deepSpeed(), launcher(8)];
  const { plan, diagnostics } = planOf(sources);
  expect(plan.degrees).toMatchObject({ data: 8, zero: 3 });
  expect(plan.workload).toMatchObject({
    mode: "training",
    batch: 64,
    microBatches: 4,
    dtype: "f16",
  });
  expect(plan.optimizations).toEqual([
    "communication-overlap",
    "activation-checkpointing",
    "mixed-precision",
  ]);
  expect(codes(diagnostics)).toEqual(
    expect.arrayContaining(["offload-not-expressible", "config-named"]),
  );
  expect(faults(sources)).toEqual([]);
});

test("DeepSpeed: a batch that does not follow from its parts is refused", async () => {
  const config = await configOf("llama-3-8b");
  expect(errorsAt([config, deepSpeed(), launcher(8)])).toEqual([]);
  expect(errorsAt([config, deepSpeed(), launcher(4)])).toMatchObject([
    { code: "batch-contradicts" },
  ]);
});

test('DeepSpeed: "auto" is no value', async () => {
  const auto = deepSpeed({
    train_batch_size: "auto",
    train_micro_batch_size_per_gpu: "auto",
    gradient_accumulation_steps: "auto",
  });
  const { file, diagnostics } = planOf([await configOf("gpt2"), auto]);
  expect(file.assumed).toEqual(["hardware.gpus", "workload.batch", "workload.sequence"]);
  expect(codes(diagnostics).filter((code) => code === "value-auto")).toHaveLength(3);
});

test("DeepSpeed: two precisions at once are refused where they stand", async () => {
  const text =
    '{\n  "train_batch_size": 1,\n  "bf16": { "enabled": true },\n  "fp16": { "enabled": true }\n}';
  const found = errorsAt([await configOf("gpt2"), { name: "ds.json", text }]);
  expect(found).toMatchObject([
    { code: "precisions-contradict", position: { file: "ds.json", line: 4, column: 24 } },
  ]);
});

test.each([
  [
    "ranks that replicas do not divide",
    "torchrun --nproc_per_node 6 x.py --num-layers 2 --hidden-size 64 --num-attention-heads 4 --tensor-model-parallel-size 4",
    "degrees-contradict",
  ],
  [
    "expert groups without experts",
    "--num-layers 2 --hidden-size 64 --num-attention-heads 4 --expert-model-parallel-size 4",
    "expert-degree-without-experts",
  ],
  [
    "expert groups that ranks do not form",
    "torchrun --nproc_per_node 4 x.py --num-layers 2 --hidden-size 64 --num-attention-heads 4 --num-experts 8 --expert-model-parallel-size 3",
    "degrees-contradict",
  ],
  [
    "two precisions",
    "--num-layers 2 --hidden-size 64 --num-attention-heads 4 --fp16 --bf16",
    "precisions-contradict",
  ],
  [
    "chunks that layers do not fill",
    `${small} --pipeline-model-parallel-size 2 --num-layers-per-virtual-pipeline-stage 3`,
    "degrees-contradict",
  ],
  [
    "copies of the optimizer that data ranks do not form",
    `torchrun --nproc_per_node 8 x.py ${small} --use-distributed-optimizer --num-distributed-optimizer-instances 3`,
    "degrees-contradict",
  ],
  ["recomputation of no kind", `${small} --recompute-granularity some`, "invalid-value"],
  ["a flag that is missing", "--num-layers 2 --num-attention-heads 4", "missing-flag"],
  [
    "a number that is none",
    "--num-layers two --hidden-size 64 --num-attention-heads 4",
    "wrong-type",
  ],
  [
    "a variable set elsewhere",
    "--num-layers $LAYERS --hidden-size 64 --num-attention-heads 4",
    "variable-not-set",
  ],
])("%s: an error with its place", (_what, text, code) => {
  const found = errorsAt([command(text, "megatron")]);
  expect(found.map((each) => each.code)).toEqual([code]);
  expect(found[0]?.position).toMatchObject({ file: "<command>", line: 1 });
});

test("fewer visible GPUs than the degrees need are an error, more are GPUs of the plan", async () => {
  const config = await configOf("llama-3-8b");
  const serve = (devices: string) => command(`CUDA_VISIBLE_DEVICES=${devices} vllm serve m -tp 2`);
  expect(errorsAt([config, serve("0")])).toMatchObject([
    { code: "degrees-contradict", position: { line: 1, column: 37 } },
  ]);
  expect(planOf([config, serve("0,1,2")]).file.hardware.gpus).toBe(3);
});

test("a layout without a model names the config that is missing", () => {
  const [found] = errorsAt([command("vllm serve meta-llama/Meta-Llama-3-8B -tp 2")]);
  expect(found).toMatchObject({ code: "no-model" });
  expect(found?.hint).toContain("meta-llama/Meta-Llama-3-8B");
});

test("of a script that gives sizes too, the layout alone is not enough, and why is said", () => {
  const script = { name: "train.sh", text: `torchrun --nproc_per_node 2 pretrain_gpt.py ${small}` };
  const found = errorsAt([{ ...script, role: "layout" }]);
  expect(found).toMatchObject([{ code: "no-model" }]);
  expect(found[0]?.hint).toContain("give train.sh without `--layout`");
});

test("a typing error in a flag is listed with the flag that was meant", async () => {
  const { diagnostics } = planOf([
    await configOf("gpt2"),
    command("vllm serve gpt2 --tensor-paralel-size 4"),
  ]);
  expect(diagnostics.find(({ code }) => code === "flag-not-understood")).toMatchObject({
    hint: "did you mean --tensor-parallel-size?",
    position: { line: 1, column: 17 },
  });
});

test("a flag that is given twice counts once, and is said so", async () => {
  const { plan, diagnostics } = planOf([
    await configOf("llama-3-8b"),
    command("vllm serve m -tp 2 -tp 4"),
  ]);
  expect(plan.degrees?.tensor).toBe(4);
  expect(codes(diagnostics)).toContain("flag-given-twice");
});

test("two sources of different models are not mixed in silence", async () => {
  const megatron = command(
    "--num-layers 32 --hidden-size 8192 --num-attention-heads 32",
    "megatron",
  );
  expect(errorsAt([await configOf("llama-3-8b"), megatron]).map(({ path }) => path)).toEqual([
    ["hidden"],
    ["kvHeads"],
    ["ffn"],
  ]);
});

test("two layouts that differ are refused, two that agree are one", async () => {
  const config = await configOf("llama-3-8b");
  const serve = (tensor: number) => command(`vllm serve m -tp ${tensor}`);
  expect(errorsAt([config, serve(2), serve(4)])).toMatchObject([{ code: "sources-disagree" }]);
  expect(errorsAt([config, serve(2), serve(2)])).toEqual([]);
});

test("of a source with a role only that part is taken", async () => {
  const megatron =
    "torchrun --nproc_per_node 4 x.py --num-layers 2 --hidden-size 64 --num-attention-heads 4 " +
    "--tensor-model-parallel-size 2 --vocab-size 128";
  const model = { ...command(megatron), role: "model" as const };
  expect(planOf([model]).file).toMatchObject({ hardware: { gpus: 1 }, model: { layers: 2 } });
  expect(errorsAt([{ ...command(megatron), role: "layout" as const }])).toMatchObject([
    { code: "no-model" },
  ]);
});

test("a Megatron-LM list without sizes is a layout for a model from elsewhere", async () => {
  const layout = command(
    "torchrun --nproc_per_node 8 pretrain_gpt.py --tensor-model-parallel-size 4 --pipeline-model-parallel-size 2",
  );
  expect(importPlan([layout]).diagnostics.map(({ code }) => code)).toContain("no-model");
  const { file } = importPlan([await configOf("llama-3-8b"), layout]);
  expect(file?.parallel).toMatchObject({ tensor: 4, pipeline: 2 });
  expect(file?.model?.layers).toBe(32);
});
