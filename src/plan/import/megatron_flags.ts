// Which of Megatron-LM's flags take no value, and which say nothing that a plan could hold.

import type { FlagGrammar } from "./command_flags.ts";

export const megatronGrammar: FlagGrammar = {
  switches: new Set([
    "--swiglu",
    "--group-query-attention",
    "--disable-bias-linear",
    "--add-bias-linear",
    "--add-qkv-bias",
    "--untie-embeddings-and-output-weights",
    "--use-rotary-position-embeddings",
    "--no-position-embedding",
    "--qk-layernorm",
    "--qk-l2-norm",
    "--rotary-interleaved",
    "--multi-latent-attention",
    "--apply-layernorm-1p",
    "--sequence-parallel",
    "--fp16",
    "--bf16",
    "--use-flash-attn",
    "--overlap-grad-reduce",
    "--overlap-param-gather",
    "--tp-comm-overlap",
    "--recompute-activations",
    "--use-distributed-optimizer",
    "--use-mcore-models",
    "--use-legacy-models",
    "--moe-grouped-gemm",
    "--moe-permute-fusion",
    "--moe-router-enable-expert-bias",
    "--moe-router-pre-softmax",
    "--moe-use-legacy-grouped-gemm",
    "--squared-relu",
    "--quick-geglu",
    "--recompute",
    "--use-precision-aware-optimizer",
    "--use-torch-fsdp2",
    "--use-custom-fsdp",
    "--use-megatron-fsdp",
    "--torch-fsdp2-no-reshard-after-forward",
    "--align-grad-reduce",
    "--align-param-gather",
    "--cross-entropy-loss-fusion",
    "--moe-router-fusion",
    "--moe-shared-expert-overlap",
    "--moe-router-force-load-balancing",
    "--moe-enable-deepep",
    "--account-for-embedding-in-pipeline-split",
    "--account-for-loss-in-pipeline-split",
    "--use-rope-scaling",
    "--use-tp-pp-dp-mapping",
    "--use-cpu-initialization",
    "--use-dist-ckpt",
    "--use-pytorch-profiler",
    "--profile",
    "--finetune",
    "--no-bias-gelu-fusion",
    "--no-bias-swiglu-fusion",
    "--no-bias-dropout-fusion",
    "--no-persist-layer-norm",
    "--no-async-tensor-model-parallel-allreduce",
    "--distribute-saved-activations",
    "--no-check-for-nan-in-loss-and-grad",
    "--manual-gc",
    "--eod-mask-loss",
    "--reset-position-ids",
    "--reset-attention-mask",
    "--override-opt_param-scheduler",
    "--overlap-moe-expert-parallel-comm",
    "--delay-wgrad-compute",
    "--enable-cuda-graph",
    "--mla-down-proj-fusion",
    "--async-save",
    "--auto-detect-ckpt-format",
    "--exit-on-missing-checkpoint",
    "--log-params-norm",
    "--log-progress",
    "--log-memory-to-tensorboard",
    "--log-validation-ppl-to-tensorboard",
    "--no-load-optim",
    "--no-load-rng",
    "--no-save-optim",
    "--no-masked-softmax-fusion",
    "--attention-softmax-in-fp32",
    "--accumulate-allreduce-grads-in-fp32",
    "--no-gradient-accumulation-fusion",
    "--no-rope-fusion",
    "--mock-data",
    "--deepspeed",
    "--checkpoint-activations",
    "--embed-layernorm",
    "--sync-tp-duplicated-parameters",
    "--abort-on-unmet-fused-kernel-constraints",
    "--grad-reduce-in-bf16",
    "--fp8-param-gather",
    "--deepspeed-activation-checkpointing",
    "--no-pipeline-parallel",
    "--log-throughput",
    "--log-timers-to-tensorboard",
    "--no-create-attention-mask-in-dataloader",
  ]),
  aliases: {
    "--num-gpus-per-node": "--nproc-per-node",
    "--ffn-size": "--ffn-hidden-size",
    "--num-key-value-heads": "--num-query-groups",
    "--rope-theta": "--rotary-base",
  },
  lists: new Set(
    `--rampup-batch-size --data-path --train-data-path --valid-data-path --test-data-path --moe-layer-freq --window-size --window-attn-skip-freq --no-rope-freq
     --data-args-path --timing-log-option --cuda-graph-scope --profile-ranks --recompute-modules
     --split --blend`.split(/\s+/),
  ),
};

/** Training, data, checkpoints and logs: not what one step computes. */
export const withoutBearing = new RegExp(
  `^--(${[
    "lr.*|min-lr|weight-decay.*|adam-.*|clip-grad|init-method-std|train-(iters|samples|data.*)|seed",
    "(start|end)-weight-decay|eval-.*|split|(valid|test)-data.*|data-(?!parallel-s).*|mock-data|vocab-file|merge-file",
    "tokenizer-.*|load|save|save-interval|no-(load|save)-.*|ckpt-.*|exit-.*|log-.*|tensorboard-.*|wandb-.*",
    "distributed-(backend|timeout.*)|master-(addr|port)|node-rank|rdzv-.*|max-restarts|hostfile|include",
    "num-workers|dataloader-type|timing-.*|attention-dropout|hidden-dropout|use-mcore-models|dist-ckpt.*",
    "use-legacy-models|use-cpu-initialization|use-checkpoint-.*|sync-tp-.*|abort-on-.*|pp-partition-method",
    "transformer-impl|manual-gc.*|no-masked-softmax-fusion|attention-softmax-in-fp32|loss-scale.*",
    "initial-loss-scale|hysteresis|no-rope-fusion|auto-detect-ckpt-format|finetune|override-.*",
    "accumulate-allreduce-grads-in-fp32|no-gradient-accumulation-fusion",
    "moe-token-dispatcher-type|moe-grouped-gemm|moe-permute-fusion",
    "moe-router-dtype|moe-use-legacy-grouped-gemm|no-create-attention-mask-in-dataloader|num-dataset-.*",
    "deepspeed|deepspeed-config|grad-reduce-in-bf16|fp8-(amax-.*|param-gather|margin|interval)|deepspeed-activation-checkpointing|num-nodes|nnodes",
    "calculate-per-token-loss|cross-entropy-.*|.*-fusion|use-precision-.*|(main|exp-avg.*)-(grads|params)-dtype|exp-avg.*",
    "train-sync-interval|check-(for|weight)-.*|no-check-for-.*|profile.*|use-pytorch-profiler|manual-gc.*|async-save",
    "context-parallel-ranks-.*|bias-.*-fusion|no-bias-.*|no-persist-layer-norm|optimizer",
    "moe-router-(fusion|force-load-balancing)|moe-shared-expert-overlap|moe-enable-deepep|sgd-momentum|one-logger.*",
    "apply-query-key-layer-scaling|attention-backend|empty-unused-memory-level|deterministic-mode",
    "eod-mask-loss|reset-(position-ids|attention-mask)|rerun-mode",
    "align-(grad-reduce|param-gather)|delay-wgrad-compute|enable-cuda-graph|cuda-graph-.*|mla-down-proj-fusion",
    "no-async-tensor-model-parallel-allreduce|local-rank|max-position-embeddings|gradient-.*|use-tp-pp-dp-mapping",
  ].join("|")})$`,
);

/** Names by which a flag that is not understood changes the model. */
export const changesModel =
  /^--(?!.*(fusion|recompute|tokenizer|overlap))[\w-]*(layer|hidden|head|ffn|expert|moe|embed|attention|attn|norm|glu|gelu|relu|activation|rope|rotary|vocab|softmax|window|mamba|hybrid|mlp|bias|latent|lora|gated|linear|residual|mtp|spec$|encoder|decoder|sink)/;

/** The flag without which another has no effect. */
export function needs(flag: string): string | undefined {
  if (flag === "--num-query-groups") return "--group-query-attention";
  if (/^--(q-lora-rank|kv-lora-rank|qk-head-dim|qk-pos-emb-head-dim|v-head-dim)$/.test(flag)) {
    return "--multi-latent-attention";
  }
  if (flag === "--data-parallel-sharding-strategy") return "--use-megatron-fsdp";
  if (flag === "--num-distributed-optimizer-instances") return "--use-distributed-optimizer";
  if (flag === "--torch-fsdp2-no-reshard-after-forward") return "--use-torch-fsdp2";
  if (/^--(moe-|expert-(model|tensor)-parallel)/.test(flag)) return "--num-experts";
  return undefined;
}

export const notExpressible: Readonly<Record<string, string>> = {
  "--fp8-format": "matrices in eight bits",
  "--apply-layernorm-1p": "norms with an offset of one",
  "--moe-token-drop-policy": "a policy for dropped tokens",
  "--moe-pad-expert-input-to-capacity": "experts padded to capacity",
  "--rampup-batch-size": "a batch that grows",
  "--no-pipeline-parallel": "stages without a pipeline",
  "--mtp-num-layers": "layers that predict further tokens",
  "--overlap-moe-expert-parallel-comm": "expert communication beside computation",
  "--optimizer-cpu-offload": "an optimizer on the host",
};
