// An SGLang server's command line: a layout and limits on requests. The model it only names.
//
// Its data parallelism is of two kinds. By itself it starts whole replicas. With --enable-dp-attention it
// divides the tensor group: attention runs in `dp` groups of `tp / dp` GPUs, and the experts on all of them.

import { type CommandFlags, type FlagGrammar, labelOf, readFlags } from "./command_flags.ts";
import type { ToolCommand } from "./commands_in.ts";
import { type Imported, type ImportedWorkload, type Layout } from "./note.ts";
import {
  batchFromLimit,
  reportDividedAttention,
  serverDtype,
  slicesOfExperts,
} from "./server_flags.ts";
import {
  benchFlags,
  requestsOfClient,
  type ServingFlags,
  settingsOfServer,
} from "./serving_flags.ts";
import { listUnread } from "./unread_flags.ts";
import { visibleGpus } from "./visible_gpus.ts";

const grammar: FlagGrammar = {
  lists: new Set([
    "--cuda-graph-bs",
    "--lora-paths",
    "--lora-target-modules",
    "--bucket-inter-token-latency",
  ]),
  switches: new Set(
    `--enable-dp-attention --enable-dp-lm-head --enable-ep-moe --enable-deepep-moe --enable-eplb
     --trust-remote-code --skip-tokenizer-init --disable-radix-cache --disable-cuda-graph
     --disable-cuda-graph-padding --enable-torch-compile --enable-metrics --enable-mixed-chunk
     --enable-p2p-check --disable-custom-all-reduce --disable-overlap-schedule --log-requests --is-embedding
     --enable-two-batch-overlap --enable-single-batch-overlap --disable-shared-experts-fusion
     --enable-flashinfer-moe --enable-flashinfer-allreduce-fusion --enable-hierarchical-cache
     --enable-memory-saver --enable-multimodal --show-time-cost --disable-outlines-disk-cache
     --enable-cache-report --enable-lora --enable-nccl-nvls --enable-symm-mem --allow-auto-truncate
     --skip-server-warmup --enable-nan-detection --enable-tokenizer-batch-encode`.split(/\s+/),
  ),
  aliases: {
    "--tp": "--tensor-parallel-size",
    "--tp-size": "--tensor-parallel-size",
    "--dp": "--data-parallel-size",
    "--dp-size": "--data-parallel-size",
    "--pp": "--pipeline-parallel-size",
    "--pp-size": "--pipeline-parallel-size",
    "--ep": "--expert-parallel-size",
    "--ep-size": "--expert-parallel-size",
    "--attn-cp-size": "--attention-context-parallel-size",
    "--moe-dp": "--moe-data-parallel-size",
    "--moe-dp-size": "--moe-data-parallel-size",
    "--model": "--model-path",
  },
};

const withoutBearing =
  /^--(host|port|api-key|trust-remote-code|served-model-name|tokenizer.*|revision|download-dir|load-format|chat-template|tool-call-parser|reasoning-parser|log-.*|decode-log-interval|nccl-.*|dist-.*|node-rank|random-seed|file-storage.*|enable-metrics|enable-p2p-check|watchdog-timeout|show-time-cost|skip-server-warmup|enable-cache-report|crash-dump.*|base-gpu-id|schedule-.*|stream-.*|enable-multimodal|is-embedding|model-impl|hicache.*|weight-version|warmups|sampling-defaults|preferred-sampling-params)$/;

const notExpressible: Readonly<Record<string, string>> = {
  "--quantization": "quantized weights",
  "--kv-cache-dtype": "a KV cache of another type",
  "--mem-fraction-static": "the share of memory that the server reserves",
  "--chunked-prefill-size": "prompts computed in parts",
  "--max-prefill-tokens": "a limit on tokens per step",
  "--max-total-tokens": "a limit on tokens in the cache",
  "--speculative-algorithm": "speculative decoding",
  "--speculative-algo": "speculative decoding",
  "--speculative-draft-model-path": "speculative decoding",
  "--speculative-num-steps": "speculative decoding",
  "--speculative-eagle-topk": "speculative decoding",
  "--speculative-num-draft-tokens": "speculative decoding",
  "--enable-torch-compile": "compilation",
  "--disable-cuda-graph": "kernels launched one by one",
  "--cuda-graph-max-bs": "batches that are captured",
  "--cuda-graph-bs": "batches that are captured",
  "--disable-radix-cache": "prefixes that are computed each time",
  "--attention-backend": "a choice of attention kernels",
  "--moe-a2a-backend": "a choice of dispatch for experts",
  "--moe-runner-backend": "a choice of kernels for experts",
  "--deepep-mode": "a choice of dispatch for experts",
  "--enable-eplb": "experts moved for balance",
  "--enable-two-batch-overlap": "two batches that overlap",
  "--moe-dense-tp-size": "a tensor degree of dense layers alone",
  "--attention-context-parallel-size":
    "prompts whose tokens are divided among the tensor ranks, in attention alone",
  "--moe-data-parallel-size": "copies of the experts within the tensor group",
  "--enable-dp-lm-head": "an output layer per replica",
  "--disaggregation-mode": "prefill and decode on servers of their own",
  "--json-model-override-args": "changes to the model's config",
  "--page-size": "a cache in blocks",
  "--lora-paths": "adapters on the weights",
  "--cpu-offload-gb": "weights offloaded to the host",
  "--disable-custom-all-reduce": "another all-reduce",
};

/** What a plan that serves has words for. */
const servingNames: ServingFlags = {
  pageTokens: ["--page-size"],
  maxBatchedTokens: ["--max-prefill-tokens"],
  chunkTokens: ["--chunked-prefill-size"],
  cacheDtype: ["--kv-cache-dtype"],
};

const known = [
  "--tensor-parallel-size",
  "--tp-size",
  "--data-parallel-size",
  "--dp-size",
  "--pipeline-parallel-size",
  "--expert-parallel-size",
  "--ep-size",
  "--enable-dp-attention",
  "--enable-ep-moe",
  "--context-length",
  "--max-running-requests",
  "--dtype",
  "--model-path",
  "--nnodes",
  ...Object.keys(notExpressible),
];

export function importSglang(command: ToolCommand): Imported {
  const flags = readFlags(command, { ...grammar, known });
  const name = labelOf(command.model) ?? flags.label("--model-path");
  const layout = layoutOf(flags);
  const workload = workloadOf(flags, layout);
  const requests = requestsOfClient(flags, benchFlags);
  listUnread(flags, { withoutBearing, notExpressible, known });
  const serving = { ...settingsOfServer(flags, servingNames), ...requests };
  return {
    kind: "sglang",
    source: command.source,
    ...(name === undefined ? {} : { name }),
    layout,
    layoutPosition: (key) => flags.position(flagOf[key] ?? "--tensor-parallel-size"),
    workload: { ...workload, serving },
    optimizations: ["fused-attention"],
    assumed: [],
    diagnostics: flags.diagnostics,
  };
}

const flagOf: Readonly<Partial<Record<keyof Layout, string>>> = {
  tensor: "--tensor-parallel-size",
  pipeline: "--pipeline-parallel-size",
  data: "--data-parallel-size",
  expert: "--expert-parallel-size",
};

function layoutOf(flags: CommandFlags): Layout {
  const tensor = flags.count("--tensor-parallel-size") ?? 1;
  const data = flags.count("--data-parallel-size") ?? 1;
  const pipeline = flags.count("--pipeline-parallel-size") ?? 1;
  const nodes = flags.count("--nnodes") ?? 1;
  const divides = flags.has("--enable-dp-attention") && data > 1;
  const degree = flags.count("--expert-parallel-size");
  // DeepEP, and the older switch, spread the experts over the whole tensor group.
  const overAll =
    flags.has("--enable-ep-moe") ||
    flags.has("--enable-deepep-moe") ||
    /^(deepep|mooncake)$/.test(flags.text("--moe-a2a-backend") ?? "");
  const expert = degree ?? (overAll ? tensor : undefined);
  const copies = flags.count("--ep-num-redundant-experts");
  const visible = nodes === 1 ? visibleGpus(flags.invocation) : undefined;
  const rest: Layout = {
    pipeline,
    unevenPipeline: true,
    vocabularyMultiple: 64,
    ...(copies === undefined ? {} : { redundantExperts: copies }),
    ...(visible === undefined ? {} : { world: visible }),
  };
  const slices = slicesOfExperts(flags, tensor, expert);
  if (!divides) {
    return {
      ...rest,
      tensor,
      data,
      ...(expert === undefined ? {} : { expert, expertTensor: slices }),
    };
  }
  if (tensor % data !== 0) {
    const message = `attention in ${data} groups does not divide the tensor group of ${tensor}`;
    const hint = "with --enable-dp-attention, --dp-size divides --tp-size";
    flags.report("error", "degrees-contradict", message, "--data-parallel-size", hint);
  }
  reportDividedAttention(flags, data, tensor, "--enable-dp-attention");
  return {
    ...rest,
    tensor: Math.max(1, Math.floor(tensor / data)),
    data,
    expert: expert ?? 1,
    expertTensor: slices,
  };
}

function workloadOf(flags: CommandFlags, { data = 1 }: Layout): ImportedWorkload {
  const dtype = serverDtype(flags);
  const limit = batchFromLimit(flags, "--max-running-requests");
  // With attention divided, the limit is of all groups together.
  const divided = flags.has("--enable-dp-attention");
  const batchPerReplica =
    limit === undefined ? undefined : divided ? Math.max(1, Math.floor(limit / data)) : limit;
  const maxSequence = flags.count("--context-length");
  return {
    mode: "inference",
    ...(batchPerReplica === undefined ? {} : { batchPerReplica }),
    ...(maxSequence === undefined ? {} : { maxSequence }),
    ...(dtype === undefined ? {} : { dtype }),
  };
}
