// Files as people have them, of every kind that is read, and the numbers of the plans that they give.

import { describe, expect, test } from "vitest";
import { checkPlan } from "../../src/check/check_plan.ts";
import { importPlan, type ImportOptions } from "../../src/plan/import/import_plan.ts";
import type { Source } from "../../src/plan/import/note.ts";
import { parsePlan } from "../../src/plan/load.ts";
import { billions, codes, errorsAt, planOf } from "./imported.ts";

function file(name: string, text: string): Source {
  return { name, text };
}
function json(name: string, value: unknown): Source {
  return file(name, JSON.stringify(value));
}
function modelFrom(source: Source): Source {
  return { ...source, role: "model" };
}
function layoutFrom(source: Source): Source {
  return { ...source, role: "layout" };
}

const llama8b = json("config.json", {
  model_type: "llama",
  hidden_size: 4096,
  intermediate_size: 14_336,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  vocab_size: 128_256,
  torch_dtype: "bfloat16",
});
const llama70b = json("config.json", {
  model_type: "llama",
  hidden_size: 8192,
  intermediate_size: 28_672,
  num_hidden_layers: 80,
  num_attention_heads: 64,
  num_key_value_heads: 8,
  vocab_size: 128_256,
});
const qwen3moe = json("config.json", {
  model_type: "qwen3_moe",
  hidden_size: 2048,
  intermediate_size: 6144,
  num_hidden_layers: 48,
  num_attention_heads: 32,
  num_key_value_heads: 4,
  head_dim: 128,
  vocab_size: 151_936,
  num_experts: 128,
  num_experts_per_tok: 8,
  moe_intermediate_size: 768,
});

interface Wanted {
  readonly gpus: number;
  readonly parallel?: Readonly<Record<string, unknown>>;
  readonly workload?: Readonly<Record<string, unknown>>;
  readonly layers: number;
  readonly billions: number;
  readonly said?: readonly string[];
}

type Row = readonly [
  what: string,
  sources: readonly Source[],
  wanted: Wanted,
  options?: ImportOptions,
];

const rows: readonly Row[] = [
  [
    "vLLM --config, with dashes",
    [
      llama70b,
      file(
        "vllm.yaml",
        "model: meta-llama/Llama-3.3-70B-Instruct\ntensor-parallel-size: 4\nkv-cache-dtype: fp8\nmax-num-seqs: 512\n",
      ),
    ],
    {
      gpus: 4,
      parallel: { tensor: 4 },
      workload: { batch: 512, mode: "inference" },
      layers: 80,
      billions: 70.55,
      said: ["kv-cache-dtype-not-expressible"],
    },
  ],
  [
    "vLLM --config, with underscores and switches",
    [
      qwen3moe,
      file(
        "serve.yml",
        "# our server\ntensor_parallel_size: 2\ndata_parallel_size: 4\nenable_expert_parallel: true\nenforce_eager: false\n",
      ),
    ],
    { gpus: 8, parallel: { tensor: 2, data: 4, expert: 8 }, layers: 48, billions: 30.53 },
  ],
  [
    "vLLM --config beside the command that names it",
    [
      llama8b,
      file("<command>", "vllm serve m --config conf.yaml --max-num-seqs 16"),
      file("conf.yaml", "tensor-parallel-size: 2\npipeline-parallel-size: 2\n"),
    ],
    {
      gpus: 4,
      parallel: { tensor: 2, pipeline: 2 },
      workload: { batch: 16 },
      layers: 32,
      billions: 8.03,
      said: ["config-named"],
    },
  ],
  [
    "TensorRT-LLM: options beside the command that names them, whose sizes they replace",
    [
      llama70b,
      file(
        "<command>",
        "trtllm-serve m --tp_size 2 --max_batch_size 8 --extra_llm_api_options extra.yml",
      ),
      file(
        "extra.yml",
        "tensor_parallel_size: 4\npipeline_parallel_size: 2\nkv_cache_config: { free_gpu_memory_fraction: 0.9, dtype: fp8 }\n",
      ),
    ],
    {
      gpus: 8,
      parallel: { tensor: 4, pipeline: 2 },
      workload: { batch: 8 },
      layers: 80,
      billions: 70.55,
      said: [
        "flag-given-twice",
        "kv-cache-dtype-not-expressible",
        "free-gpu-memory-fraction-not-expressible",
      ],
    },
  ],
  [
    "TensorRT-LLM: attention in groups, as the options say, over the command's GPUs",
    [
      qwen3moe,
      file("<command>", "trtllm-serve serve m --tp_size 8 --ep_size 8 --config conf.yaml"),
      file(
        "conf.yaml",
        "enable_attention_dp: true\nmax_batch_size: 64\ncuda_graph_config: {}\nprint_iter_log: true\n",
      ),
    ],
    {
      gpus: 8,
      parallel: { data: 8, expert: 8 },
      workload: { batch: 512 },
      layers: 48,
      billions: 30.53,
      said: ["dp-attention-dense-not-expressible", "cuda-graph-config-not-expressible"],
    },
  ],
  [
    "TensorRT-LLM: options that the script writes",
    [
      qwen3moe,
      file(
        "serve.sh",
        "cat > extra.yml <<EOF\nmoe_expert_parallel_size: 4\nEOF\ntrtllm-serve m --tp_size 4 --extra_llm_api_options extra.yml",
      ),
    ],
    { gpus: 4, parallel: { tensor: 4, expert: 4 }, layers: 48, billions: 30.53 },
  ],
  [
    "TensorRT-LLM: options alone",
    [qwen3moe, file("extra.yml", "tensor_parallel_size: 4\nmoe_tensor_parallel_size: 2\n")],
    {
      gpus: 4,
      parallel: { tensor: 4, expert: 2, expertTensor: 2 },
      layers: 48,
      billions: 30.53,
    },
  ],
  [
    "Ray Serve LLM, in a list of applications",
    [
      llama70b,
      file(
        "ray.yaml",
        `applications:
- name: llm
  args:
    llm_configs:
    - model_loading_config: { model_id: llama-70b, model_source: meta-llama/Llama-3.3-70B-Instruct }
      accelerator_type: H100
      engine_kwargs: { tensor_parallel_size: 4, pipeline_parallel_size: 2, max_model_len: 8192 }
`,
      ),
    ],
    {
      gpus: 8,
      parallel: { tensor: 4, pipeline: 2 },
      layers: 80,
      billions: 70.55,
      said: ["key-not-understood"],
    },
  ],
  [
    "Ray Serve LLM, bare and with replicas",
    [
      llama8b,
      file(
        "llm.yaml",
        "llm_configs:\n- model_loading_config: { model_id: m }\n  deployment_config: { num_replicas: 2 }\n  engine_kwargs: { tensor_parallel_size: 2 }\n",
      ),
    ],
    {
      gpus: 2,
      parallel: { tensor: 2 },
      layers: 32,
      billions: 8.03,
      said: ["replicas-not-expressible"],
    },
  ],
  [
    "Megatron-LM's MODEL_ARGS",
    [
      file(
        "model_config.yaml",
        `ENV_VARS:
  CUDA_DEVICE_MAX_CONNECTIONS: 1
TEST_TYPE: regular
MODEL_ARGS:
  --num-layers: 32
  --hidden-size: 4096
  --ffn-hidden-size: 14336
  --num-attention-heads: 32
  --group-query-attention: true
  --num-query-groups: 8
  --swiglu: true
  --disable-bias-linear: true
  --normalization: RMSNorm
  --position-embedding-type: rope
  --untie-embeddings-and-output-weights: true
  --vocab-size: 32000
  --num-experts: 8
  --moe-router-topk: 2
  --seq-length: 4096
  --micro-batch-size: 1
  --global-batch-size: 256
  --bf16: true
  --tensor-model-parallel-size: 2
  --pipeline-model-parallel-size: 4
  --expert-model-parallel-size: 4
  --expert-tensor-parallel-size: 1
  --use-distributed-optimizer: true
`,
      ),
    ],
    {
      gpus: 64,
      parallel: { tensor: 2, pipeline: 4, data: 8, expert: 4, zero: 1 },
      workload: { batch: 256, microBatches: 32, sequence: 4096 },
      layers: 32,
      billions: 46.7,
    },
    { gpus: 64 },
  ],
  [
    "Megatron-LM's flags as keys, without their dashes",
    [
      llama8b,
      file(
        "layout.yaml",
        "tensor_model_parallel_size: 2\npipeline_model_parallel_size: 2\nmicro_batch_size: 1\nglobal_batch_size: 64\nworld_size: 16\n",
      ),
    ],
    {
      gpus: 16,
      parallel: { tensor: 2, pipeline: 2, data: 4 },
      workload: { batch: 64, microBatches: 16 },
      layers: 32,
      billions: 8.03,
    },
  ],
  [
    "torchtitan: a flavor that is published",
    [
      file(
        "tt.toml",
        `[model]
name = "llama3"
flavor = "8B"
[training]
local_batch_size = 1
seq_len = 8192
[parallelism]
data_parallel_shard_degree = -1
tensor_parallel_degree = 4
pipeline_parallel_degree = 1
context_parallel_degree = 2
`,
      ),
    ],
    {
      gpus: 64,
      parallel: { tensor: 4, context: 2, data: 8, sequence: true, zero: 3 },
      workload: { batch: 8, sequence: 8192, dtype: "bf16" },
      layers: 32,
      billions: 8.03,
    },
    { gpus: 64 },
  ],
  [
    "torchtitan: 405B with a pipeline and full recomputation",
    [
      file(
        "llama3_405b.toml",
        `# after the published recipe
[model]
name = "llama3"
flavor = "405B"
converters = ["float8"]
[training]
local_batch_size = 2
seq_len = 8192
[parallelism]
data_parallel_replicate_degree = 1
data_parallel_shard_degree = 8
tensor_parallel_degree = 8
pipeline_parallel_degree = 2
pipeline_parallel_schedule = "Interleaved1F1B"
[activation_checkpoint]
mode = "full"
`,
      ),
    ],
    {
      gpus: 128,
      parallel: { tensor: 8, pipeline: 2, data: 8, zero: 3 },
      workload: { recompute: { granularity: "full", method: "uniform", layers: 1 } },
      layers: 126,
      billions: 405.85,
      said: ["schedule-not-expressible"],
    },
  ],
  [
    "torchtitan: an older file, its degrees under [training]",
    [
      file(
        "old.toml",
        '[model]\nname = "llama3"\nflavor = "70B"\n[training]\nbatch_size = 8\nseq_len = 8192\ntensor_parallel_degree = 8\ndata_parallel_shard_degree = 4\n[activation_checkpoint]\nmode = "selective"\n',
      ),
    ],
    {
      gpus: 32,
      parallel: { tensor: 8, data: 4, zero: 3 },
      workload: { batch: 32 },
      layers: 80,
      billions: 70.55,
    },
  ],
  [
    "torchtitan: weights sharded within each of two groups of replicas",
    [
      file(
        "hsdp.toml",
        '[model]\nname = "qwen3"\nflavor = "8B"\n[training]\nlocal_batch_size = 4\nseq_len = 4096\n[parallelism]\ndata_parallel_replicate_degree = 2\ndata_parallel_shard_degree = 8\n',
      ),
    ],
    {
      gpus: 16,
      parallel: { data: 16, zero: 3, dataShard: 8 },
      layers: 36,
      billions: 8.19,
      said: ["sizes-of-flavor"],
    },
  ],
  [
    "torchtitan: groups of replicas, each as large as the ranks allow",
    [
      file(
        "hsdp.toml",
        '[model]\nname = "llama3"\nflavor = "8B"\n[training]\nlocal_batch_size = 1\nseq_len = 8192\n[parallelism]\ndata_parallel_replicate_degree = 4\ndata_parallel_shard_degree = -1\ntensor_parallel_degree = 2\n',
      ),
    ],
    {
      gpus: 64,
      parallel: { tensor: 2, data: 32, zero: 3, dataShard: 8, sequence: true },
      layers: 32,
      billions: 8.03,
    },
    { gpus: 64 },
  ],
  [
    "torchtitan: groups of replicas without a number of GPUs",
    [
      file(
        "hsdp.toml",
        '[model]\nname = "llama3"\nflavor = "8B"\n[parallelism]\ndata_parallel_replicate_degree = 2\ndata_parallel_shard_degree = -1\n',
      ),
    ],
    {
      gpus: 2,
      parallel: { data: 2, zero: 3, dataShard: 1 },
      layers: 32,
      billions: 8.03,
      said: ["gpus-not-given"],
    },
  ],
  [
    "NeMo: the layout of a job",
    [
      modelFrom(llama8b),
      layoutFrom(
        file(
          "nemo.yaml",
          `trainer: { devices: 8, num_nodes: 4, precision: bf16 }
model:
  mcore_gpt: True
  micro_batch_size: 1
  global_batch_size: 128
  tensor_model_parallel_size: 4
  pipeline_model_parallel_size: 2
  encoder_seq_length: 4096
  num_layers: 32
  hidden_size: 4096
  ffn_hidden_size: 14336
  num_attention_heads: 32
  num_query_groups: 8
`,
        ),
      ),
    ],
    {
      gpus: 32,
      parallel: { tensor: 4, pipeline: 2, data: 4 },
      workload: { batch: 128, microBatches: 32, sequence: 4096 },
      layers: 32,
      billions: 8.03,
    },
  ],
  [
    "NeMo: model and layout of a job",
    [
      file(
        "llama.yaml",
        `name: megatron_llama
trainer:
  devices: 8
  num_nodes: 1
  precision: bf16-mixed
exp_manager: { name: x }
model:
  mcore_gpt: true
  micro_batch_size: 1
  global_batch_size: 16
  tensor_model_parallel_size: 2
  pipeline_model_parallel_size: 2
  virtual_pipeline_model_parallel_size: 2
  sequence_parallel: true
  encoder_seq_length: 4096
  num_layers: 32
  hidden_size: 4096
  ffn_hidden_size: 11008
  num_attention_heads: 32
  vocab_size: 32000
  activation: fast-swiglu
  normalization: rmsnorm
  bias: false
  position_embedding_type: rope
  share_embeddings_and_output_weights: false
  activations_checkpoint_granularity: selective
  optim: { name: distributed_fused_adam, lr: 3e-4 }
`,
      ),
    ],
    {
      gpus: 8,
      parallel: { tensor: 2, pipeline: 2, data: 2, virtualStages: 2, sequence: true, zero: 1 },
      workload: { recompute: { granularity: "selective" } },
      layers: 32,
      billions: 6.738,
    },
  ],
  [
    "NeMo: words of the launcher over the job's file",
    [
      file(
        "job.sh",
        "TP=4\npython megatron_gpt_pretraining.py --config-path=conf --config-name=llama trainer.num_nodes=2 model.tensor_model_parallel_size=$TP ++model.pipeline_model_parallel_size=2 +model.context_parallel_size=2 exp_manager.name=$RUN model.vocab_size=32000",
      ),
      file(
        "llama.yaml",
        `trainer: { devices: 8, num_nodes: 1, precision: bf16 }
model: { micro_batch_size: 1, global_batch_size: 16, tensor_model_parallel_size: 1, encoder_seq_length: 4096, num_layers: 32, hidden_size: 4096, ffn_hidden_size: 11008, num_attention_heads: 32, activation: fast-swiglu, normalization: rmsnorm, bias: false, position_embedding_type: rope, share_embeddings_and_output_weights: false }
`,
      ),
    ],
    {
      gpus: 16,
      parallel: { tensor: 4, pipeline: 2, context: 2 },
      workload: { batch: 16, microBatches: 16, sequence: 4096, dtype: "bf16" },
      layers: 32,
      billions: 6.738,
    },
  ],
  [
    "Megatron Bridge: words of a recipe for a model from elsewhere",
    [
      llama8b,
      file(
        "<command>",
        "torchrun --nproc_per_node=8 --nnodes=4 run_recipe.py model.tensor_model_parallel_size=2 train.global_batch_size=64 train.micro_batch_size=1 ddp.use_distributed_optimizer=true ddp.num_distributed_optimizer_instances=2",
      ),
    ],
    {
      gpus: 32,
      parallel: { tensor: 2, data: 16, zero: 1, dataShard: 8 },
      workload: { batch: 64, microBatches: 4 },
      layers: 32,
      billions: 8.03,
    },
  ],
  [
    "nanotron",
    [
      file(
        "nanotron.yaml",
        `parallelism: { dp: 2, pp: 2, tp: 2, pp_engine: 1f1b, tp_mode: REDUCE_SCATTER }
model:
  dtype: bfloat16
  model_config: { hidden_size: 2048, intermediate_size: 8192, num_attention_heads: 32, num_hidden_layers: 24, num_key_value_heads: 32, vocab_size: 49152, tie_word_embeddings: true }
optimizer: { zero_stage: 1 }
tokens: { sequence_length: 4096, micro_batch_size: 2, batch_accumulation_per_replica: 8 }
`,
      ),
    ],
    {
      gpus: 8,
      parallel: { data: 2, pipeline: 2, tensor: 2, sequence: true, zero: 1 },
      workload: { batch: 32, microBatches: 8, sequence: 4096 },
      layers: 24,
      billions: 1.711,
    },
  ],
  [
    "Accelerate with DeepSpeed",
    [
      llama8b,
      file(
        "acc.yaml",
        "compute_environment: LOCAL_MACHINE\ndeepspeed_config: { gradient_accumulation_steps: 1, zero3_init_flag: false, zero_stage: 2 }\ndistributed_type: DEEPSPEED\nmixed_precision: bf16\nnum_machines: 1\nnum_processes: 8\n",
      ),
    ],
    {
      gpus: 8,
      parallel: { data: 8, zero: 2 },
      workload: { mode: "training", batch: 8 },
      layers: 32,
      billions: 8.03,
    },
  ],
  [
    "Accelerate with FSDP on two machines",
    [
      llama70b,
      file(
        "fsdp.yaml",
        `compute_environment: LOCAL_MACHINE
distributed_type: FSDP
fsdp_config:
  fsdp_auto_wrap_policy: TRANSFORMER_BASED_WRAP
  fsdp_sharding_strategy: FULL_SHARD
  fsdp_activation_checkpointing: true
  fsdp_offload_params: false
machine_rank: 0
mixed_precision: bf16
num_machines: 2
num_processes: 16
`,
      ),
    ],
    {
      gpus: 16,
      parallel: { data: 16, zero: 3 },
      workload: { recompute: { granularity: "full", method: "uniform", layers: 1 } },
      layers: 80,
      billions: 70.55,
    },
  ],
  [
    "Accelerate with FSDP that shards gradients only",
    [
      llama8b,
      file(
        "grad.yaml",
        "distributed_type: FSDP\nfsdp_config: { fsdp_sharding_strategy: SHARD_GRAD_OP }\nnum_machines: 1\nnum_processes: 4\n",
      ),
    ],
    { gpus: 4, parallel: { data: 4, zero: 2 }, layers: 32, billions: 8.03 },
  ],
  ...(
    [
      ["HYBRID_SHARD", 3],
      ["HYBRID_SHARD_ZERO2", 2],
      ["4", 3],
    ] as const
  ).map(([strategy, zero]): Row => [
    `Accelerate with FSDP within each of two machines: ${strategy}`,
    [
      llama8b,
      file(
        "hybrid.yaml",
        `distributed_type: FSDP\nfsdp_config: { fsdp_sharding_strategy: ${strategy} }\nnum_machines: 2\nnum_processes: 16\n`,
      ),
    ],
    { gpus: 16, parallel: { data: 16, zero, dataShard: 8 }, layers: 32, billions: 8.03 },
  ]),
  [
    "Accelerate with FSDP in a mesh of copies and shards",
    [
      llama8b,
      file(
        "mesh.yaml",
        `distributed_type: FSDP
fsdp_config: { fsdp_version: 2, fsdp_reshard_after_forward: true }
num_machines: 1
num_processes: 16
parallelism_config: { parallelism_config_dp_replicate_size: 2, parallelism_config_dp_shard_size: 4, parallelism_config_tp_size: 2 }
`,
      ),
    ],
    {
      gpus: 16,
      parallel: { tensor: 2, data: 8, zero: 3, dataShard: 4 },
      layers: 32,
      billions: 8.03,
    },
  ],
  [
    "DeepSpeed: weights sharded within groups",
    [
      llama8b,
      json("ds.json", {
        train_batch_size: 16,
        train_micro_batch_size_per_gpu: 1,
        gradient_accumulation_steps: 1,
        zero_optimization: { stage: 3, mics_shard_size: 8 },
      }),
    ],
    { gpus: 16, parallel: { data: 16, zero: 3, dataShard: 8 }, layers: 32, billions: 8.03 },
  ],
  [
    "Accelerate with Megatron-LM's degrees",
    [
      llama8b,
      file(
        "mlm.yaml",
        "distributed_type: MEGATRON_LM\nmegatron_lm_config: { megatron_lm_tp_degree: 2, megatron_lm_pp_degree: 2, megatron_lm_sequence_parallelism: true }\nnum_processes: 16\n",
      ),
    ],
    {
      gpus: 16,
      parallel: { tensor: 2, pipeline: 2, data: 4, sequence: true },
      layers: 32,
      billions: 8.03,
    },
  ],
  [
    "DeepSpeed: the batch says how many ranks there are",
    [
      llama8b,
      json("ds.json", {
        train_batch_size: 8,
        train_micro_batch_size_per_gpu: 2,
        gradient_accumulation_steps: 1,
        bf16: { enabled: true },
        zero_optimization: { stage: 2 },
      }),
    ],
    {
      gpus: 4,
      parallel: { data: 4, zero: 2 },
      workload: { batch: 8 },
      layers: 32,
      billions: 8.03,
    },
  ],
  [
    "DeepSpeed: with a tensor degree, the batch counts replicas",
    [
      llama8b,
      json("ds.json", {
        train_batch_size: 32,
        train_micro_batch_size_per_gpu: 2,
        gradient_accumulation_steps: 4,
        tensor_parallel: { autotp_size: 2 },
        zero_optimization: { stage: 1 },
      }),
    ],
    {
      gpus: 8,
      parallel: { tensor: 2, data: 4, zero: 1 },
      workload: { batch: 32, microBatches: 4 },
      layers: 32,
      billions: 8.03,
    },
  ],
  [
    "DeepSpeed: the launcher's ranks beside a config of autos",
    [
      llama8b,
      file(
        "cmd.sh",
        "torchrun --nproc_per_node=8 train.py --model_name_or_path x/y --per_device_train_batch_size 8 --gradient_accumulation_steps 4 --deepspeed ds_config.json\n",
      ),
      json("ds_config.json", {
        train_batch_size: "auto",
        train_micro_batch_size_per_gpu: "auto",
        gradient_accumulation_steps: "auto",
        bf16: { enabled: "auto" },
        zero_optimization: { stage: 3, offload_optimizer: { device: "cpu" } },
      }),
    ],
    {
      gpus: 8,
      parallel: { data: 8, zero: 3 },
      workload: { batch: 256, microBatches: 4 },
      layers: 32,
      billions: 8.03,
      said: ["offload-not-expressible"],
    },
  ],
  [
    "DeepSpeed: a file with comments",
    [
      llama8b,
      file(
        "ds.json",
        '{\n  // of the first run\n  "train_batch_size": 64,\n  "zero_optimization": { "stage": 1 },\n}',
      ),
    ],
    { gpus: 8, parallel: { data: 8 }, workload: { batch: 64 }, layers: 32, billions: 8.03 },
    { gpus: 8 },
  ],
  [
    "Mistral's params.json",
    [
      json("params.json", {
        dim: 4096,
        n_layers: 32,
        head_dim: 128,
        hidden_dim: 14_336,
        n_heads: 32,
        n_kv_heads: 8,
        norm_eps: 1e-5,
        sliding_window: 4096,
        vocab_size: 32_000,
      }),
    ],
    { gpus: 1, layers: 32, billions: 7.242 },
  ],
  [
    "Mistral's params.json with experts",
    [
      json("params.json", {
        dim: 4096,
        n_layers: 32,
        head_dim: 128,
        hidden_dim: 14_336,
        n_heads: 32,
        n_kv_heads: 8,
        norm_eps: 1e-5,
        vocab_size: 32_000,
        moe: { num_experts_per_tok: 2, num_experts: 8 },
      }),
      file("<command>", "vllm serve m -tp 8"),
    ],
    { gpus: 8, parallel: { tensor: 8 }, layers: 32, billions: 46.7 },
  ],
  [
    "Meta's params.json, whose inner width follows",
    [
      json("params.json", {
        dim: 8192,
        n_layers: 80,
        n_heads: 64,
        n_kv_heads: 8,
        vocab_size: 128_256,
        ffn_dim_multiplier: 1.3,
        multiple_of: 4096,
        norm_eps: 1e-5,
        rope_theta: 500_000,
      }),
    ],
    { gpus: 1, layers: 80, billions: 70.55 },
  ],
  [
    "Megatron-LM: a layout string with a chunk for each of 32",
    [
      file(
        "args.sh",
        `torchrun --nproc_per_node 8 --nnodes 128 pretrain_gpt.py --num-layers 61 --hidden-size 7168
--ffn-hidden-size 18432 --num-attention-heads 128 --kv-channels 128 --multi-latent-attention --kv-lora-rank 512
--v-head-dim 128 --q-lora-rank 1536 --qk-head-dim 128 --qk-pos-emb-head-dim 64 --qk-layernorm --swiglu
--disable-bias-linear --normalization RMSNorm --position-embedding-type rope --untie-embeddings-and-output-weights
--vocab-size 129280 --num-experts 256 --moe-layer-freq "([0]*3+[1]*58)" --moe-ffn-hidden-size 2048
--moe-router-topk 8 --moe-shared-expert-intermediate-size 2048 --moe-router-enable-expert-bias --seq-length 4096
--micro-batch-size 1 --global-batch-size 8192 --bf16 --tensor-model-parallel-size 2
--pipeline-model-parallel-size 16 --expert-model-parallel-size 64 --expert-tensor-parallel-size 1
--pipeline-model-parallel-layout "Et*3|(tt|)*29m|L"`.replaceAll("\n", " "),
      ),
    ],
    {
      gpus: 1024,
      parallel: {
        tensor: 2,
        pipeline: 16,
        data: 32,
        expert: 64,
        layersPerStage: [5, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 2, 2],
      },
      layers: 61,
      billions: 671,
      said: ["uneven-chunks-not-expressible"],
    },
  ],
  [
    "Megatron-LM: embedding and loss in the split",
    [
      file(
        "args.sh",
        "torchrun --nproc_per_node 8 --nnodes 16 pretrain_gpt.py --num-layers 126 --hidden-size 16384 --ffn-hidden-size 53248 --num-attention-heads 128 --group-query-attention --num-query-groups 8 --swiglu --disable-bias-linear --normalization RMSNorm --position-embedding-type rope --untie-embeddings-and-output-weights --vocab-size 128256 --seq-length 8192 --micro-batch-size 1 --global-batch-size 512 --bf16 --tensor-model-parallel-size 8 --pipeline-model-parallel-size 16 --account-for-embedding-in-pipeline-split --account-for-loss-in-pipeline-split",
      ),
    ],
    {
      gpus: 128,
      parallel: { layersPerStage: [7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 7] },
      layers: 126,
      billions: 405.85,
    },
  ],
  [
    "Megatron-LM: a layout string whose chunks are alike interleaves",
    [
      llama8b,
      file(
        "args.sh",
        "torchrun --nproc_per_node 4 pretrain_gpt.py --pipeline-model-parallel-size 4 --pipeline-model-parallel-layout 'E(tttt|)*7,ttttL' --micro-batch-size 1 --global-batch-size 16",
      ),
    ],
    { gpus: 4, parallel: { pipeline: 4, virtualStages: 2 }, layers: 32, billions: 8.03 },
  ],
  [
    "Megatron-LM: expert groups over context ranks",
    [
      qwen3moe,
      file(
        "args.sh",
        "torchrun --nproc_per_node 8 pretrain_gpt.py --context-parallel-size 8 --expert-model-parallel-size 8 --expert-tensor-parallel-size 1 --micro-batch-size 1 --global-batch-size 16 --seq-length 32768",
      ),
    ],
    { gpus: 8, parallel: { context: 8, expert: 8 }, layers: 48, billions: 30.53 },
  ],
  [
    "Megatron-LM: experts say how many ranks there are at least",
    [
      qwen3moe,
      file(
        "args.sh",
        "--tensor-model-parallel-size 2 --expert-model-parallel-size 8 --expert-tensor-parallel-size 1 --micro-batch-size 1 --global-batch-size 256",
      ),
    ],
    {
      gpus: 8,
      parallel: { tensor: 2, data: 4, expert: 8 },
      layers: 48,
      billions: 30.53,
      said: ["gpus-not-given"],
    },
  ],
  [
    "a bare layout asks for its GPUs, and --gpus gives them",
    [
      llama8b,
      file("args.sh", "--tensor-model-parallel-size 4 --micro-batch-size 1 --global-batch-size 64"),
    ],
    { gpus: 32, parallel: { tensor: 4, data: 8 }, layers: 32, billions: 8.03 },
    { gpus: 32 },
  ],
];

const cases = rows.map(([what, sources, wanted, options]) => ({ what, sources, wanted, options }));

describe.each(cases)("$what", ({ sources, wanted, options }) => {
  const { plan, file: written, diagnostics } = planOf(sources, options);

  test("GPUs and degrees", () => {
    expect(written.hardware.gpus).toBe(wanted.gpus);
    expect(written.parallel ?? {}).toMatchObject(wanted.parallel ?? {});
    expect(written.workload).toMatchObject(wanted.workload ?? {});
  });

  test("the model, as published", () => {
    expect(plan.model?.layers).toBe(wanted.layers);
    expect(Math.abs(billions(plan) / wanted.billions - 1)).toBeLessThan(0.005);
  });

  test("what is said, and where", () => {
    expect(codes(diagnostics)).toEqual(expect.arrayContaining([...(wanted.said ?? [])]));
    const names = new Set(sources.map(({ name }) => name));
    const placed = diagnostics.flatMap(({ position }) => position?.file ?? []);
    expect(placed.filter((name) => !names.has(name))).toEqual([]);
  });
});

test("what no source gives is asked for with the option that gives it, and assumed meanwhile", () => {
  const bare = file(
    "args.sh",
    "--tensor-model-parallel-size 4 --micro-batch-size 1 --global-batch-size 64",
  );
  const { file: written, diagnostics } = planOf([llama8b, bare]);
  expect(written.hardware.gpus).toBe(4);
  expect(written.assumed).toContain("hardware.gpus");
  const asked = diagnostics.find(({ code }) => code === "gpus-not-given");
  expect(asked?.hint).toContain("`--gpus 8`");
  const given = planOf([llama8b, bare], { gpus: 8 });
  expect(given.file.assumed).not.toContain("hardware.gpus");
  expect(codes(given.diagnostics)).not.toContain("gpus-not-given");
});

test.each([
  ["a TOML that breaks", file("tt.toml", '[model]\nname = "x\n'), "not-toml", 2],
  ["a config that breaks", file("config.json", '{\n  "model_type": }'), "not-json", 2],
  [
    "several deployments",
    file("ray.yaml", "llm_configs:\n- engine_kwargs: {}\n- engine_kwargs: {}\n"),
    "several-commands",
    undefined,
  ],
  [
    "a layout that is none",
    file(
      "a.sh",
      "torchrun --nproc_per_node 2 pretrain_gpt.py --num-layers 2 --hidden-size 64 --num-attention-heads 4 --pipeline-model-parallel-size 2 --pipeline-model-parallel-layout Ex",
    ),
    "invalid-value",
    1,
  ],
  [
    "a layout of other layers",
    file(
      "a.sh",
      "torchrun --nproc_per_node 2 pretrain_gpt.py --num-layers 2 --hidden-size 64 --num-attention-heads 4 --pipeline-model-parallel-size 2 --pipeline-model-parallel-layout 'Ett|tL'",
    ),
    "degrees-contradict",
    1,
  ],
])("%s: an error with its place", (_what, source, code, line) => {
  const [found] = errorsAt([source]);
  expect(found?.code).toBe(code);
  expect(found?.position?.line).toBe(line);
});

test("fp8 in blocks of 128: the import keeps the block, and the check holds every shard against it", () => {
  const config = json("config.json", {
    ...JSON.parse(qwen3moe.text),
    moe_intermediate_size: 1536,
    quantization_config: { quant_method: "fp8", weight_block_size: [128, 128] },
  });
  const faults = (serve: string) => {
    const { plan, document } = planOf([config, file("<command>", serve)]);
    return checkPlan(plan, document).filter(({ severity }) => severity === "error");
  };
  expect(faults("vllm serve m -tp 8")).toMatchObject([
    {
      code: "shard-splits-quantization-block",
      message: "the experts' ffn 1536 / 8 = 192 is no multiple of the quantization block of 128",
    },
  ]);
  expect(faults("vllm serve m -tp 4")).toEqual([]);
  expect(faults("vllm serve m -tp 8 --enable-expert-parallel")).toEqual([]);
});

test("a fault in a file of flags is said at its key", () => {
  const source = file("vllm.yaml", "model: m\ntensor-parallel-size: many\n");
  expect(errorsAt([llama8b, source])).toMatchObject([
    { code: "wrong-type", position: { file: "vllm.yaml", line: 2 } },
  ]);
});

test("of a source that gives the layout alone, another model is only noted", () => {
  const other = file(
    "t.yaml",
    "parallelism: { dp: 2, tp: 2, pp: 1 }\nmodel:\n  model_config: { hidden_size: 64, intermediate_size: 128, num_attention_heads: 4, num_hidden_layers: 2, vocab_size: 256 }\n",
  );
  const { file: written, diagnostics } = planOf([modelFrom(llama8b), layoutFrom(other)]);
  expect(written.model?.hidden).toBe(4096);
  expect(codes(diagnostics)).toContain("sources-disagree");
  expect(errorsAt([llama8b, other]).map(({ code }) => code)).toContain("sources-disagree");
});

test("every plan of these loads as it was written", () => {
  for (const [, sources, , options] of rows) {
    const { text = "" } = importPlan(sources, options);
    expect(parsePlan(text, "plan.json").diagnostics).toEqual([]);
  }
});

test.each([
  [
    "vLLM's config",
    `vllm serve m -tp 8 --enable-expert-parallel --enable-eplb --eplb-config '{"num_redundant_experts": 16}'`,
  ],
  [
    "vLLM's dotted flag",
    "vllm serve m -tp 8 --enable-expert-parallel --eplb-config.num_redundant_experts 16",
  ],
  [
    "SGLang's flag",
    "python3 -m sglang.launch_server --model-path m --tp 8 --ep-size 8 --ep-num-redundant-experts 16",
  ],
])("copies of experts, as %s places them, are in the plan", (_what, serve) => {
  const { plan, document } = planOf([qwen3moe, file("<command>", serve)]);
  expect(plan.model?.moe?.redundantExperts).toBe(16);
  expect(plan.degrees?.expert).toBe(8);
  expect(checkPlan(plan, document).filter(({ severity }) => severity === "error")).toEqual([]);
});

const training = "--per_device_train_batch_size 1";
const sizes = "--num-layers 2 --hidden-size 64 --num-attention-heads 4 --vocab-size 512";
const precisions: readonly (readonly [what: string, sources: readonly Source[], dtype: string])[] =
  [
    ["a model of bfloat16", [llama8b], "bf16"],
    ["a server that is told another", [llama8b, file("<c>", "vllm serve m --dtype half")], "f16"],
    ["a server of bfloat16", [llama70b, file("<c>", "vllm serve m --dtype bfloat16")], "bf16"],
    [
      "a server that leaves it to the model",
      [llama8b, file("<c>", "vllm serve m --dtype auto")],
      "bf16",
    ],
    [
      "Megatron-LM --bf16",
      [file("<c>", `torchrun --nproc_per_node 1 pretrain_gpt.py ${sizes} --bf16`)],
      "bf16",
    ],
    [
      "Megatron-LM --fp16",
      [file("<c>", `torchrun --nproc_per_node 1 pretrain_gpt.py ${sizes} --fp16`)],
      "f16",
    ],
    [
      "Megatron-LM with neither",
      [file("<c>", `torchrun --nproc_per_node 1 pretrain_gpt.py ${sizes}`)],
      "f32",
    ],
    [
      "the Trainer --bf16",
      [llama70b, file("<c>", `torchrun --nproc_per_node 2 t.py ${training} --bf16`)],
      "bf16",
    ],
    [
      "the Trainer --fp16",
      [llama70b, file("<c>", `torchrun --nproc_per_node 2 t.py ${training} --fp16`)],
      "f16",
    ],
    [
      "Accelerate's option",
      [
        llama70b,
        file("<c>", `accelerate launch --num_processes 2 --mixed_precision bf16 t.py ${training}`),
      ],
      "bf16",
    ],
    [
      "Accelerate's file",
      [
        llama70b,
        file(
          "a.yaml",
          "distributed_type: FSDP\nnum_machines: 1\nnum_processes: 2\nmixed_precision: bf16\n",
        ),
      ],
      "bf16",
    ],
    [
      "DeepSpeed's file",
      [llama70b, json("ds.json", { train_batch_size: 1, bf16: { enabled: true } })],
      "bf16",
    ],
    [
      "DeepSpeed's fp16",
      [llama70b, json("ds.json", { train_batch_size: 1, fp16: { enabled: true } })],
      "f16",
    ],
  ];

test.each(precisions)(
  "%s: the plan has the type that the source names",
  (_what, sources, dtype) => {
    const { file: plan, diagnostics } = planOf(sources);
    expect(plan.workload.dtype).toBe(dtype);
    expect(codes(diagnostics)).not.toContain("bf16-as-f16");
  },
);

test("TensorRT-LLM: an option is named where its file has it", () => {
  const command = file("<command>", "trtllm-serve m --tp_size 4 --config c.yml");
  const found = errorsAt([
    qwen3moe,
    command,
    file("c.yml", "print_iter_log: true\nmoe_expert_parallel_size: 3\n"),
  ]);
  expect(found[0]).toMatchObject({
    code: "degrees-contradict",
    position: { file: "c.yml", line: 2 },
  });
});

test("NeMo: a word whose value is open is asked for, one that is no key is listed", () => {
  const job = (words: string) =>
    importPlan([llama8b, file("<command>", `python pretrain.py trainer.devices=8 ${words}`)]);
  expect(job("model.tensor_model_parallel_size=$TP").diagnostics).toContainEqual(
    expect.objectContaining({
      code: "variable-not-set",
      hint: expect.stringContaining("--set TP=") as unknown,
    }),
  );
  const { file: plan, diagnostics } = job("training=gpt3/5b model.sequence_parallels=true");
  expect(plan?.hardware.gpus).toBe(8);
  expect(codes(diagnostics)).toEqual(
    expect.arrayContaining(["word-not-understood", "key-not-understood"]),
  );
  const differs = importPlan([
    llama8b,
    file("<command>", "torchrun --nproc_per_node 4 pretrain.py trainer.devices=8"),
  ]);
  expect(codes(differs.diagnostics)).toContain("degrees-contradict");
});

test("NeMo: what is said of its keys names them as the file has them", () => {
  const nemo = (model: string) =>
    importPlan([file("nemo.yaml", `trainer: { devices: 8, num_nodes: 1 }\nmodel: { ${model} }\n`)]);
  const whole = "num_layers: 2, hidden_size: 64, num_attention_heads: 4";
  const said = (model: string) =>
    nemo(model).diagnostics.map(({ message, hint = "", path }) =>
      [message, hint, ...path].join(" "),
    );
  expect(said(whole).join()).toContain("add model.vocab_size");
  expect(said("num_layers: 2, hidden_size: 64").join()).toContain(
    "model.num_attention_heads is missing",
  );
  expect(said(`${whole}, activations_checkpoint_granularity: some`).join()).toContain(
    "model.activations_checkpoint_granularity must be full or selective",
  );
  for (const text of said(whole)) expect(text).not.toMatch(/--(?!gpus)/);
});

test.each([
  ["llama4", "17bx16e", 107.77],
  ["llama4", "17bx128e", 400.7],
  ["qwen3", "0.6B", 0.596],
  ["qwen3", "30B-A3B", 30.53],
  ["qwen3", "235B-A22B", 235.1],
  ["deepseek_v3", "16B", 15.7],
  ["deepseek_v3", "236B", 235.7],
  ["deepseek_v3", "671B", 671.0],
])("torchtitan: %s %s has %f billion parameters, as it is published", (name, flavor, count) => {
  const { plan } = planOf([
    file(
      "tt.toml",
      `[model]\nname = "${name}"\nflavor = "${flavor}"\n[training]\nlocal_batch_size = 1\n[parallelism]\ntensor_parallel_degree = 1\n`,
    ),
  ]);
  expect(Math.abs(billions(plan) / count - 1)).toBeLessThan(0.003);
});

test("torchtitan: a flavor that nobody knows is asked for", () => {
  const text =
    '[model]\nname = "llama4"\nflavor = "x"\n[training]\nlocal_batch_size = 1\n[parallelism]\ntensor_parallel_degree = 1\n';
  expect(codes(errorsAt([file("tt.toml", text)]))).toEqual(["no-model"]);
});
