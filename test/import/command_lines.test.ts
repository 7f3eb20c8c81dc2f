// Command lines of all tools behind all launchers, each with the numbers that its plan must have.

import { expect, test } from "vitest";
import { configOf, errorsAt, planOf } from "./imported.ts";

interface Numbers {
  readonly gpus: number;
  readonly tensor?: number;
  readonly pipeline?: number;
  readonly data?: number;
  readonly expert?: number;
  readonly expertTensor?: number;
  readonly context?: number;
  readonly batch?: number;
  readonly microBatches?: number;
  readonly sequence?: number;
}

async function numbersOf(text: string, config?: string): Promise<Numbers> {
  const command = { name: config === undefined ? "job.sh" : "layout", text };
  const { file } = planOf([...(config === undefined ? [] : [await configOf(config)]), command]);
  const {
    tensor = 1,
    pipeline = 1,
    data = 1,
    expert = 1,
    expertTensor,
    context,
  } = file.parallel ?? {};
  const { batch, microBatches, sequence } = file.workload;
  return {
    gpus: file.hardware.gpus,
    tensor,
    pipeline,
    data,
    expert,
    ...(expertTensor === undefined ? {} : { expertTensor }),
    ...(context === undefined ? {} : { context }),
    ...(batch === undefined ? {} : { batch }),
    ...(microBatches === undefined ? {} : { microBatches }),
    ...(sequence === undefined ? {} : { sequence }),
  };
}

const dense = "llama-3-70b";
const experts = "deepseek-v3";
const coder = "qwen3-30b-a3b";

test.each<[string, string, Numbers]>([
  // vLLM
  [dense, "vllm serve m -tp 8", { gpus: 8, tensor: 8 }],
  [dense, "vllm serve m -tp 4 -pcp 2", { gpus: 8, tensor: 4 }],
  [dense, "vllm serve m -tp 8 -dcp 2", { gpus: 8, tensor: 8 }],
  [
    dense,
    "vllm serve m --tensor_parallel_size=4 --pipeline_parallel_size=4 --max-num-seqs 64",
    { gpus: 16, tensor: 4, pipeline: 4, batch: 64 },
  ],
  [
    dense,
    "vllm serve --model m -tp 4 -dp 2 --max-num-seqs 16 --max-model-len 512",
    { gpus: 8, tensor: 4, data: 2, batch: 32, sequence: 512 },
  ],
  [
    experts,
    "vllm serve deepseek-ai/DeepSeek-V3 -tp 1 -dp 16 --enable-expert-parallel --data-parallel-size-local 8 --data-parallel-address 10.0.0.1",
    { gpus: 16, data: 16, expert: 16 },
  ],
  [coder, "vllm serve m -tp=4 -ep", { gpus: 4, tensor: 4, expert: 4 }],
  [
    dense,
    "python -m vllm.entrypoints.openai.api_server --model m --tensor-parallel-size 2 --dtype float16",
    { gpus: 2, tensor: 2 },
  ],
  [
    dense,
    "vllm bench throughput --model m --tensor-parallel-size 8 --input-len 1024 --output-len 128",
    { gpus: 8, tensor: 8 },
  ],
  [dense, "CUDA_VISIBLE_DEVICES=0,1,2,3 vllm serve m -tp 2", { gpus: 4, tensor: 2 }],
  [dense, "export CUDA_VISIBLE_DEVICES=4,5; vllm serve m -tp 2", { gpus: 2, tensor: 2 }],
  [
    dense,
    `docker run --gpus '"device=0,1"' --shm-size 16g -p 8000:8000 vllm/vllm-openai:v0.8.5 --model m -tp 2`,
    { gpus: 2, tensor: 2 },
  ],
  [
    dense,
    "sudo docker run -d --name s --runtime=nvidia --network host -e VLLM_USE_V1=1 rocm/vllm:latest vllm serve m -tp 8",
    { gpus: 8, tensor: 8 },
  ],
  [
    dense,
    "docker compose exec -T server vllm serve m -tp 2 -pp 2",
    { gpus: 4, tensor: 2, pipeline: 2 },
  ],
  [
    dense,
    "singularity exec --nv -B /data:/data image.sif vllm serve m --tensor-parallel-size 4",
    { gpus: 4, tensor: 4 },
  ],
  [
    dense,
    "ray job submit --address http://h:8265 --working-dir . -- vllm serve m -tp 8 -pp 2 --distributed-executor-backend ray",
    { gpus: 16, tensor: 8, pipeline: 2 },
  ],
  [
    dense,
    "tmux_session=x; conda run -n vllm --no-capture-output vllm serve m -tp 4",
    { gpus: 4, tensor: 4 },
  ],
  // SGLang
  [dense, "python -m sglang.launch_server --model-path m --tp 4", { gpus: 4, tensor: 4 }],
  [
    dense,
    "python3 -m sglang.launch_server --model m --tp-size 4 --dp-size 2 --context-length 4096 --max-running-requests 32",
    { gpus: 8, tensor: 4, data: 2, batch: 64, sequence: 1024 },
  ],
  [dense, "sglang serve m --tp 2 --pp-size 4", { gpus: 8, tensor: 2, pipeline: 4 }],
  [
    experts,
    "python3 -m sglang.launch_server --model-path m --tp 16 --nnodes 2 --node-rank 1 --dist-init-addr h:5000 --trust-remote-code",
    { gpus: 16, tensor: 16 },
  ],
  [
    experts,
    "python3 -m sglang.launch_server --model-path m --tp 16 --dp 16 --enable-dp-attention --enable-deepep-moe --nnodes 2 --node-rank 0",
    { gpus: 16, data: 16, expert: 16 },
  ],
  [
    experts,
    "python3 -m sglang.launch_server --model-path m --tp 8 --dp 8 --enable-dp-attention",
    { gpus: 8, data: 8, expertTensor: 8 },
  ],
  [
    coder,
    "python3 -m sglang.launch_server --model-path m --tp 8 --dp 4 --enable-dp-attention --ep 4",
    { gpus: 8, tensor: 2, data: 4, expert: 4, expertTensor: 2 },
  ],
  [
    coder,
    "docker run --gpus all --ipc=host lmsysorg/sglang:latest python3 -m sglang.launch_server --model-path m --tp 4 --ep-size 4 --host 0.0.0.0",
    { gpus: 4, tensor: 4, expert: 4 },
  ],
  // TensorRT-LLM
  [
    dense,
    "trtllm-serve m --tp_size 8 --max_batch_size 64 --max_seq_len 2048",
    { gpus: 8, tensor: 8, batch: 64 },
  ],
  [
    experts,
    "mpirun -n 16 --oversubscribe --allow-run-as-root trtllm-llmapi-launch trtllm-serve serve m --tp_size 16 --ep_size 16 --pp_size 1",
    { gpus: 16, tensor: 16, expert: 16 },
  ],
  [
    coder,
    "trtllm-bench --model m --model_path /m throughput --dataset d --tp 4 --ep 2 --concurrency 8",
    { gpus: 4, tensor: 4, expert: 2, expertTensor: 2, batch: 8 },
  ],
  [
    dense,
    "srun -N 2 --ntasks-per-node 8 --mpi=pmix --container-image=i.sqsh trtllm-llmapi-launch trtllm-serve m --tp_size 8 --pp_size 2",
    { gpus: 16, tensor: 8, pipeline: 2 },
  ],
  // LMDeploy
  [
    dense,
    "lmdeploy serve api_server m --tp 8 --session-len 4096 --max-batch-size 64",
    { gpus: 8, tensor: 8, batch: 64 },
  ],
  [
    dense,
    "lmdeploy serve api_server m --backend turbomind --tp 4 --dp 2",
    { gpus: 8, tensor: 4, data: 2 },
  ],
  [
    dense,
    "CUDA_VISIBLE_DEVICES=0,1,2,3 lmdeploy serve api_server m --backend turbomind --tp 4 --dp 2",
    { gpus: 4, tensor: 2, data: 2 },
  ],
  [
    experts,
    "lmdeploy serve api_server m --backend pytorch --tp 8 --dp 2",
    { gpus: 8, tensor: 4, data: 2, expertTensor: 8 },
  ],
  [
    experts,
    "lmdeploy serve api_server m --backend pytorch --ep 16 --dp 16 --nnodes 2 --node-rank 0",
    { gpus: 16, data: 16, expert: 16 },
  ],
  [coder, "lmdeploy serve api_server m --ep 4", { gpus: 4, tensor: 4, expert: 4 }],
  // Text Generation Inference
  [
    dense,
    "text-generation-launcher --model-id m --num-shard 4 --sharded true --max-total-tokens 512",
    { gpus: 4, tensor: 4, sequence: 512 },
  ],
  [
    dense,
    "CUDA_VISIBLE_DEVICES=0,1 text-generation-launcher --model-id m --sharded true",
    { gpus: 2, tensor: 2 },
  ],
  [
    dense,
    "docker run --gpus all -e NUM_SHARD=8 --shm-size 1g ghcr.io/huggingface/text-generation-inference:3.0 --model-id m",
    { gpus: 8, tensor: 8 },
  ],
  [dense, "text-generation-launcher --model-id m", { gpus: 1 }],
  // The Trainer, behind each launcher
  [
    dense,
    "torchrun --nproc_per_node=8 train.py --per_device_train_batch_size 8 --gradient_accumulation_steps 4 --fp16 False --bf16 True",
    { gpus: 8, data: 8, batch: 256, microBatches: 4 },
  ],
  [
    dense,
    "torchrun --nnodes=4 --nproc-per-node=8 --rdzv-backend=c10d --rdzv-endpoint=h:29400 -m my.train --per_device_train_batch_size 1",
    { gpus: 32, data: 32, batch: 32 },
  ],
  [
    dense,
    "deepspeed --num_gpus 4 --num_nodes 2 --hostfile hosts train.py --deepspeed ds.json --per_device_train_batch_size 2",
    { gpus: 8, data: 8, batch: 16 },
  ],
  [
    dense,
    "deepspeed --include=worker-0:0,1@worker-1:2,3 train.py --deepspeed ds.json",
    { gpus: 4, data: 4 },
  ],
  [
    dense,
    "accelerate launch --num_processes 8 --multi_gpu train.py --per_device_train_batch_size 2",
    { gpus: 8, data: 8, batch: 16 },
  ],
  [
    dense,
    "accelerate launch --num_machines 4 --num_processes 32 --machine_rank $RANK --main_process_ip $HOST --use_fsdp --gradient_accumulation_steps 2 sft.py --per_device_train_batch_size 1",
    { gpus: 32, data: 32, batch: 64, microBatches: 2 },
  ],
  // TrainingArguments takes 8 for each GPU; a script of its own may take anything.
  [
    dense,
    "torchrun --nproc_per_node 4 run.py --model_name_or_path m --do_train --gradient_accumulation_steps 2",
    { gpus: 4, data: 4, batch: 64, microBatches: 2 },
  ],
  [
    dense,
    "torchrun --nproc_per_node 4 run.py --model_name_or_path m --gradient_accumulation_steps 2",
    { gpus: 4, data: 4, batch: 8, microBatches: 2 },
  ],
  [dense, "accelerate launch --gpu_ids 0,1 train.py --model_name_or_path m", { gpus: 2, data: 2 }],
])("%s: %s", async (config, text, numbers) => {
  expect(await numbersOf(text, config)).toMatchObject({
    tensor: 1,
    pipeline: 1,
    data: 1,
    expert: 1,
    ...numbers,
  });
});

/** Behind `torchrun --nnodes 2 --nproc_per_node 8` and `accelerate launch` of as many. */
test.each<[string, object]>([
  ['torchrun train.py --fsdp "full_shard auto_wrap"', { zero: 3 }],
  ["torchrun train.py --fsdp full_shard auto_wrap --bf16", { zero: 3 }],
  ["torchrun train.py --fsdp shard_grad_op", { zero: 2 }],
  ["torchrun train.py --fsdp no_shard", { zero: 0 }],
  ['torchrun train.py --fsdp "hybrid_shard auto_wrap"', { zero: 3, dataShard: 8 }],
  ["torchrun train.py --fsdp hybrid_shard_zero2", { zero: 2, dataShard: 8 }],
  ["torchrun train.py --fsdp True", { zero: 3 }],
  ["torchrun train.py --per_device_train_batch_size 1 --zero_stage 3", { zero: 3 }],
  ["accelerate train.py --use_fsdp", { zero: 3 }],
  ["accelerate train.py --use_fsdp --fsdp_sharding_strategy 2", { zero: 2 }],
  [
    "accelerate train.py --use_fsdp --fsdp_sharding_strategy HYBRID_SHARD",
    { zero: 3, dataShard: 8 },
  ],
  ["accelerate train.py --use_fsdp --fsdp_reshard_after_forward false", { zero: 2 }],
  ["accelerate train.py --use_deepspeed", { zero: 2 }],
  ["accelerate train.py --use_deepspeed --zero_stage 3", { zero: 3 }],
  [
    "accelerate train.py --use_fsdp --parallelism_config_dp_replicate_size 2 --parallelism_config_dp_shard_size 4 --parallelism_config_cp_size 2",
    { zero: 3, dataShard: 4, context: 2 },
  ],
  [
    "accelerate train.py --use_fsdp --parallelism_config_dp_replicate_size 16 --parallelism_config_dp_shard_size 1",
    { zero: 0 },
  ],
  ["accelerate train.py --use_megatron_lm --megatron_lm_tp_degree 4", { tensor: 4 }],
])("sharding of %s", async (text, parallel) => {
  const { tensor = 1, context = 1 } = parallel as { tensor?: number; context?: number };
  const started = text
    .replace("torchrun", "torchrun --nnodes 2 --nproc_per_node 8")
    .replace("accelerate", "accelerate launch --num_machines 2 --num_processes 16")
    .replace("train.py", "train.py --model_name_or_path m");
  const { file, diagnostics } = planOf([await configOf(dense), { name: "job.sh", text: started }]);
  expect(file.parallel).toEqual({ data: 16 / tensor / context, ...parallel });
  expect(
    diagnostics.filter(({ severity }) => severity === "warning").map(({ code }) => code),
  ).not.toContainEqual(expect.stringMatching(/fsdp|zero|not-understood/));
});

test("a sharded server that is shown no number of GPUs is asked for one", async () => {
  const text = "text-generation-launcher --model-id m --sharded true";
  const found = errorsAt([await configOf(dense), { name: "run.sh", text }]);
  expect(found).toMatchObject([{ code: "ranks-not-given", path: ["--sharded"] }]);
});

test.each([
  ["train.py --fsdp half_shard", "--fsdp has no strategy"],
  ["train.py --model_name_or_path m --zero_stage 4", "--zero-stage must be"],
])("%s is refused", async (text, message) => {
  const found = errorsAt([await configOf(dense), { name: "job.sh", text: `torchrun ${text}` }]);
  expect(found.map((each) => each.message).join()).toContain(message);
});

const model =
  "--num-layers 32 --hidden-size 4096 --num-attention-heads 32 --seq-length 2048 --vocab-size 32000 --micro-batch-size 1";
const moe = `${model} --num-experts 8 --moe-router-topk 2`;

test.each<[string, string, Numbers]>([
  [
    "torchrun",
    `torchrun --nproc_per_node 8 --nnodes 4 pretrain_gpt.py ${model} --global-batch-size 64 --tensor-model-parallel-size 4 --pipeline-model-parallel-size 2`,
    { gpus: 32, tensor: 4, pipeline: 2, data: 4, batch: 64, microBatches: 16, sequence: 2048 },
  ],
  [
    "torchrun with an elastic range",
    `torchrun --nproc_per_node 8 --nnodes 2:2 pretrain_gpt.py ${model}`,
    { gpus: 16, data: 16 },
  ],
  [
    "torchrun for the visible GPUs",
    `CUDA_VISIBLE_DEVICES=0,1,2,3 torchrun --nproc_per_node gpu pretrain_gpt.py ${model}`,
    { gpus: 4, data: 4 },
  ],
  [
    "the older module",
    `python -m torch.distributed.launch --nproc_per_node 4 pretrain_gpt.py ${model} --context-parallel-size 2`,
    { gpus: 4, data: 2, context: 2 },
  ],
  [
    "variables of the environment",
    `export GPUS_PER_NODE=8\nNNODES=\${SLURM_NNODES:-2}\nDISTRIBUTED_ARGS=(\n  --nproc_per_node $GPUS_PER_NODE\n  --nnodes $NNODES\n  --master_addr $MASTER_ADDR\n)\nGPT="${model}"\ntorchrun \${DISTRIBUTED_ARGS[@]} pretrain_gpt.py $GPT --tensor-model-parallel-size 8`,
    { gpus: 16, tensor: 8, data: 2 },
  ],
  [
    "Slurm, tasks of a job",
    `#!/bin/bash\n#SBATCH --nodes=16\n#SBATCH --ntasks-per-node=8 # one per GPU\nsrun --container-image=img.sqsh bash -c "python -u pretrain_gpt.py ${model} --global-batch-size 512 --tensor-model-parallel-size 4 --pipeline-model-parallel-size 2"`,
    { gpus: 128, tensor: 4, pipeline: 2, data: 16, batch: 512, microBatches: 32 },
  ],
  [
    "Slurm, tasks of srun",
    `srun -N2 -n16 -p gpu -t 1:00:00 python3 pretrain_gpt.py ${model}`,
    { gpus: 16, data: 16 },
  ],
  [
    "Slurm, GPUs of a node",
    `#SBATCH -N 4\n#SBATCH --gres=gpu:a100:8\nsrun --ntasks-per-node=1 torchrun --nproc_per_node=$SLURM_GPUS_ON_NODE --nnodes=$SLURM_JOB_NUM_NODES pretrain_gpt.py ${model}`,
    { gpus: 32, data: 32 },
  ],
  [
    "sbatch --wrap",
    `sbatch -N 1 --wrap="torchrun --nproc_per_node 8 pretrain_gpt.py ${model}"`,
    { gpus: 8, data: 8 },
  ],
  [
    "mpirun",
    `mpirun -np 16 -H h1:8,h2:8 -x PATH --map-by ppr:8:node python pretrain_gpt.py ${model} --tensor-model-parallel-size 2`,
    { gpus: 16, tensor: 2, data: 8 },
  ],
  [
    "mpirun with slots alone",
    `mpirun --host h1:4,h2:4 --bind-to none python pretrain_gpt.py ${model}`,
    { gpus: 8, data: 8 },
  ],
  [
    "deepspeed",
    `deepspeed --num_gpus 8 pretrain_gpt.py ${model} --tensor-model-parallel-size 4 --zero-stage 1 --deepspeed`,
    { gpus: 8, tensor: 4, data: 2 },
  ],
  [
    "accelerate",
    `accelerate launch --num_processes 8 pretrain_gpt.py ${model} --pipeline-model-parallel-size 4`,
    { gpus: 8, pipeline: 4, data: 2 },
  ],
  [
    "experts",
    `torchrun --nproc_per_node 8 pretrain_gpt.py ${moe} --tensor-model-parallel-size 2 --expert-model-parallel-size 4 --expert-tensor-parallel-size 1`,
    { gpus: 8, tensor: 2, data: 4, expert: 4 },
  ],
  [
    "experts sliced as dense layers",
    `torchrun --nproc_per_node 8 pretrain_gpt.py ${moe} --tensor-model-parallel-size 2 --expert-model-parallel-size 2`,
    { gpus: 8, tensor: 2, data: 4, expert: 2, expertTensor: 2 },
  ],
  [
    "a script in a container",
    `docker run --gpus all --rm -v $PWD:/w -w /w nvcr.io/nvidia/pytorch:24.01-py3 bash -lc 'cd /w && torchrun --nproc-per-node=8 pretrain_gpt.py ${model}'`,
    { gpus: 8, data: 8 },
  ],
  [
    "a loop with one size",
    `for TP in 4; do torchrun --nproc_per_node 8 pretrain_gpt.py ${model} --tensor-model-parallel-size $TP; done`,
    { gpus: 8, tensor: 4, data: 2 },
  ],
  [
    "a function that is called",
    `launch() {\n  local tp=$1; shift\n  torchrun --nproc_per_node 8 pretrain_gpt.py ${model} --tensor-model-parallel-size $tp "$@"\n}\nlaunch 2 --pipeline-model-parallel-size 2`,
    { gpus: 8, tensor: 2, pipeline: 2, data: 2 },
  ],
  [
    "a profiler and a pinning",
    `nsys profile -o out --trace=cuda taskset -c 0-3 torchrun --nproc_per_node 2 pretrain_gpt.py ${model}`,
    { gpus: 2, data: 2 },
  ],
])("Megatron-LM, %s", async (_what, text, numbers) => {
  expect(await numbersOf(text)).toMatchObject({
    tensor: 1,
    pipeline: 1,
    data: 1,
    expert: 1,
    ...numbers,
  });
});

test.each<[string, object]>([
  ["--use-distributed-optimizer", { zero: 1 }],
  ["--use-torch-fsdp2", { zero: 3 }],
  ["--use-torch-fsdp2 --torch-fsdp2-no-reshard-after-forward", { zero: 2 }],
  ["--use-megatron-fsdp --data-parallel-sharding-strategy optim_grads_params", { zero: 3 }],
  ["--use-megatron-fsdp --data-parallel-sharding-strategy optim_grads", { zero: 2 }],
  ["--use-megatron-fsdp --data-parallel-sharding-strategy optim", { zero: 1 }],
  ["--use-megatron-fsdp --use-distributed-optimizer", { zero: 1 }],
  ["--use-megatron-fsdp", {}],
  ["--data-parallel-sharding-strategy optim", {}],
])("Megatron-LM's sharding of %s", (flags, sharding) => {
  const text = `torchrun --nproc_per_node 8 pretrain_gpt.py ${model} ${flags}`;
  expect(planOf([{ name: "job.sh", text }]).file.parallel).toEqual({ data: 8, ...sharding });
});

test("Megatron-LM: a sharding strategy that no FSDP reads is said to have no effect", () => {
  const text = `torchrun --nproc_per_node 8 pretrain_gpt.py ${model} --data-parallel-sharding-strategy optim`;
  const { diagnostics } = planOf([{ name: "job.sh", text }]);
  expect(diagnostics).toContainEqual(
    expect.objectContaining({
      code: "flag-without-effect",
      path: ["--data-parallel-sharding-strategy"],
    }),
  );
});

test("a batch that leans on a micro-batch which nobody gave is assumed", async () => {
  const config = await configOf(dense);
  const lone = "torchrun --nproc_per_node 8 train.py --gradient_accumulation_steps 2";
  const given = `${lone} --per_device_train_batch_size 4`;
  const assumedOf = (text: string) => planOf([{ name: "train.sh", text }, config]).file.assumed;
  expect(assumedOf(lone)).toContain("workload.batch");
  expect(assumedOf(given)).not.toContain("workload.batch");
});
