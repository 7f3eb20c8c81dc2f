// Two sources that say the same thing differently: which one counts, or that neither does.

import { expect, test } from "vitest";
import type { Source } from "../../src/plan/import/note.ts";
import { codes, configOf, errorsAt, planOf } from "./imported.ts";

function source(name: string, text: string): Source {
  return { name, text };
}

const deepspeed = source(
  "ds.json",
  '{"zero_optimization": {"stage": 2}, "bf16": {"enabled": true}, "train_micro_batch_size_per_gpu": 4}',
);

async function withFlags(flags: string): Promise<readonly Source[]> {
  const text = `deepspeed --num_gpus 8 train.py --deepspeed ds.json ${flags}`;
  return [await configOf("llama-3-8b"), deepspeed, source("run.sh", text)];
}

test.each([
  ["--per_device_train_batch_size 2 --bf16", "microBatch"],
  ["--per_device_train_batch_size 4 --fp16", "dtype"],
])("DeepSpeed's file and the trainer's flags %s disagree on %s", async (flags, key) => {
  const errors = errorsAt(await withFlags(flags));
  expect(errors.map(({ code, path }) => [code, ...path])).toEqual([["sources-disagree", key]]);
});

test("control: a file and flags that say the same are one", async () => {
  const { file } = planOf(await withFlags("--per_device_train_batch_size 4 --bf16"));
  expect(file.workload.batch).toBe(32);
});

test("flags of accelerate launch count before its file, and this is said", async () => {
  const file = source(
    "acc.yaml",
    "distributed_type: FSDP\nnum_machines: 1\nnum_processes: 16\nmixed_precision: bf16\nfsdp_config: {}\n",
  );
  const text =
    "accelerate launch --config_file acc.yaml --num_processes 8 train.py --per_device_train_batch_size 2";
  for (const order of [
    [file, source("run.sh", text)],
    [source("run.sh", text), file],
  ]) {
    const { file: plan, diagnostics } = planOf([await configOf("llama-3-8b"), ...order]);
    expect(plan.hardware.gpus).toBe(8);
    expect(codes(diagnostics)).toContain("flag-before-file");
  }
});

test("flags of vllm serve count before its file", async () => {
  const file = source("vllm.yaml", "tensor-parallel-size: 2\nmax-num-seqs: 16\n");
  const command = source("serve.sh", "vllm serve m --config vllm.yaml -tp 4");
  const { file: plan, diagnostics } = planOf([await configOf("llama-3-8b"), file, command]);
  expect(plan.parallel).toMatchObject({ tensor: 4 });
  expect(plan.workload.batch).toBe(16);
  expect(codes(diagnostics)).toContain("flag-before-file");
});

test("degrees and batches of NeMo 2 are in its strategy and its data", async () => {
  const words =
    "trainer.num_nodes=2 trainer.devices=8 trainer.strategy.tensor_model_parallel_size=4 " +
    "trainer.strategy.context_parallel_size=2 data.global_batch_size=64 data.micro_batch_size=2 data.seq_length=8192";
  const command = source("run.sh", `nemo llm pretrain --factory llama3_8b ${words}`);
  const { file } = planOf([await configOf("llama-3-8b"), command]);
  expect(file.hardware.gpus).toBe(16);
  expect(file.parallel).toMatchObject({ tensor: 4, data: 2, context: 2 });
  expect(file.workload).toMatchObject({ batch: 64, sequence: 8192, dtype: "bf16" });
});

test("what a strategy has besides is listed", async () => {
  const command = source(
    "run.sh",
    "nemo llm pretrain trainer.strategy.pipeline_dtype=fp32 trainer.devices=1",
  );
  const { diagnostics } = planOf([await configOf("llama-3-8b"), command]);
  expect(codes(diagnostics)).toContain("key-not-understood");
});

test("words of Megatron Bridge are no flags of Megatron-LM", async () => {
  const text =
    "torchrun --nproc-per-node=8 pretrain_llama3_8b.py model.tensor_model_parallel_size=4 train.micro_batch_size=2 train.global_batch_size=64";
  const { file } = planOf([await configOf("llama-3-8b"), source("run.sh", text)]);
  expect(file.parallel).toMatchObject({ tensor: 4, data: 2 });
  expect(file.workload).toMatchObject({ batch: 64, microBatches: 16, dtype: "bf16" });
});

test("a reinforcement trainer with words of its own is not taken for NeMo", async () => {
  const text =
    "python3 -m verl.trainer.main_ppo trainer.n_gpus_per_node=8 actor_rollout_ref.rollout.tensor_model_parallel_size=2";
  const errors = errorsAt([await configOf("llama-3-8b"), source("run.sh", text)]);
  expect(codes(errors)).toEqual(["source-not-recognised"]);
});

test.each([
  ["--enable-expert-parallel --no-enable-expert-parallel", undefined],
  ["--no-enable-expert-parallel --enable-expert-parallel", 4],
])("vLLM: of %s the last counts", async (flags, expert) => {
  const command = source("serve.sh", `vllm serve m -tp 4 ${flags}`);
  const { file, diagnostics } = planOf([await configOf("qwen3-30b-a3b"), command]);
  expect(file.parallel?.expert).toBe(expert);
  expect(codes(diagnostics)).not.toContain("flag-not-understood");
});

test("servers that a loop starts on ports of their own are copies, and said to be", async () => {
  const loop = "for i in 0 1 2; do vllm serve m -tp 2 --port $((8000 + i)) & done";
  const { file, diagnostics } = planOf([await configOf("llama-3-8b"), source("serve.sh", loop)]);
  expect(file.hardware.gpus).toBe(2);
  const found = diagnostics.find(({ code }) => code === "replicas-not-expressible");
  expect(found?.message).toContain("3 servers");
});

test.each([
  [{ model_type: "qwen3" }, { headDim: 128 }],
  [{ model_type: "qwen3", head_dim: 32 }, { headDim: 32 }],
  [{ model_type: "mistral" }, { kvHeads: 8, slidingWindow: { tokens: 4096, layers: 2 } }],
  [{ model_type: "mistral", sliding_window: null }, { slidingWindow: undefined }],
  [{ model_type: "ernie4_5" }, { headDim: 128, tiedEmbeddings: true, kvHeads: 2 }],
  [{ model_type: "ernie4_5", tie_word_embeddings: false }, { tiedEmbeddings: undefined }],
])("what %j leaves out is its class's, and what is null is nothing", (keys, expected) => {
  const sizes = {
    hidden_size: 512,
    intermediate_size: 512,
    num_hidden_layers: 2,
    num_attention_heads: 8,
    vocab_size: 512,
  };
  const { file } = planOf([source("config.json", JSON.stringify({ ...sizes, ...keys }))]);
  const { headDim, kvHeads, slidingWindow, tiedEmbeddings } = file.model ?? {};
  expect({ headDim, kvHeads, slidingWindow, tiedEmbeddings }).toMatchObject(expected);
});

test.each([
  ["", "", { batch: 16, microBatches: 8 }],
  ["", "pipeline_parallel_microbatch_size = 4", { batch: 16, microBatches: 2 }],
  ["global_batch_size = 64", "", { batch: 64, microBatches: 32 }],
])("torchtitan: a pipeline cuts its local batch (%s %s)", (training, parallelism, expected) => {
  const text = `[model]\nname = "llama3"\nflavor = "8B"\n[training]\nlocal_batch_size = 8\nseq_len = 512\n${training}
[parallelism]\npipeline_parallel_degree = 2\ndata_parallel_shard_degree = 2\n${parallelism}\n`;
  expect(planOf([source("job.toml", text)]).file.workload).toMatchObject(expected);
});

test("torchtitan: a local batch that is no multiple of its pieces is refused", () => {
  const text = `[model]\nname = "llama3"\nflavor = "8B"\n[training]\nlocal_batch_size = 8\nseq_len = 512
[parallelism]\npipeline_parallel_degree = 2\ndata_parallel_shard_degree = 2\npipeline_parallel_microbatch_size = 3\n`;
  expect(codes(errorsAt([source("job.toml", text)]))).toEqual(["batch-contradicts"]);
});
