// TensorRT-LLM: `trtllm-serve`, `trtllm-bench` and the older build. A layout and limits; the model it names.

import { type CommandFlags, type FlagGrammar, labelOf, readFlags } from "./command_flags.ts";
import type { ToolCommand } from "./commands_in.ts";
import { withOptions } from "./llm_options.ts";
import { type Imported, type ImportedWorkload, type Layout, shown, type Source } from "./note.ts";
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

const grammar: FlagGrammar = {
  switches: new Set(
    `--trust-remote-code --streaming --enable-chunked-context --enable-attention-dp --remove-input-padding
     --fail-fast-on-attention-window-too-large --verbose --enable-chunked-prefill --disable-overlap-scheduler
     --enable-block-reuse --print-iter-log`.split(/\s+/),
  ),
  aliases: {
    "--tp": "--tensor-parallel-size",
    "--tp-size": "--tensor-parallel-size",
    "--tensor-parallel-size": "--tensor-parallel-size",
    "--pp": "--pipeline-parallel-size",
    "--pp-size": "--pipeline-parallel-size",
    "--ep": "--expert-parallel-size",
    "--ep-size": "--expert-parallel-size",
    "--moe-expert-parallel-size": "--expert-parallel-size",
    "--moe-tp-size": "--moe-tensor-parallel-size",
    "--cp": "--context-parallel-size",
    "--cp-size": "--context-parallel-size",
    "--extra-llm-api-options": "--config",
    "-m": "--model",
  },
};

const withoutBearing =
  /^--(host|port|trust-remote-code|tokenizer|revision|log-level|backend|reasoning-parser|tool-parser|chat-template|metadata-server.*|server-role|num-postprocess-workers|workspace|report-json|iteration-log|output-json|dataset|streaming|engine-dir|num-requests|warmup|seed|checkpoint-dir|model-dir|output-dir|gemm-plugin|gpt-attention-plugin|workers|custom-module-dirs|served-model-name|print-iter-log|enable-iter-perf-stats|stream-interval|trust-remote-code|perf-metrics-max-requests|return-perf-metrics|load-format|checkpoint-format|tokenizer-mode|skip-tokenizer-init|postprocess-tokenizer-dir|garbage-collection-gen0-threshold)$/;

const notExpressible: Readonly<Record<string, string>> = {
  "--quantization": "quantized weights",
  "--kv-cache-dtype": "a KV cache of another type",
  "--kv-cache-free-gpu-memory-fraction": "the share of memory that the cache reserves",
  "--kv-cache-free-gpu-mem-fraction": "the share of memory that the cache reserves",
  "--free-gpu-memory-fraction": "the share of memory that the cache reserves",
  "--max-num-tokens": "a limit on tokens per step",
  "--enable-chunked-context": "prompts computed in parts",
  "--enable-chunked-prefill": "prompts computed in parts",
  "--max-beam-width": "beams",
  "--cluster-size": "experts placed by clusters",
  "--moe-cluster-parallel-size": "experts placed by clusters",
  "--disable-kv-cache-reuse": "prefixes that are computed each time",
  "--medusa-choices": "speculative decoding",
  "--speculative-config": "speculative decoding",
  "--quant-config": "quantized weights",
  "--sparse-attention-config": "attention to a part of the tokens",
  "--cuda-graph-config": "launches recorded in graphs",
  "--torch-compile-config": "compilation",
  "--moe-config": "a choice of kernels for experts",
  "--attn-backend": "a choice of attention kernels",
  "--attention-dp-config": "how requests are dealt to the groups of attention",
  "--scheduler-config": "an order of requests",
  "--disable-overlap-scheduler": "host work that overlaps with the GPU's",
  "--enable-block-reuse": "prefixes that are kept",
  "--tokens-per-block": "a cache in blocks",
  "--lora-config": "adapters on the weights",
  "--use-paged-context-fmha": "a choice of attention kernels",
};

/** What a plan that serves has words for. */
const servingNames: ServingFlags = {
  pageTokens: ["--tokens-per-block"],
  maxBatchedTokens: ["--max-num-tokens"],
  chunks: ["--enable-chunked-prefill", "--enable-chunked-context"],
  cacheDtype: ["--kv-cache-dtype"],
};

const known = [
  "--tensor-parallel-size",
  "--tp-size",
  "--pipeline-parallel-size",
  "--pp-size",
  "--expert-parallel-size",
  "--ep-size",
  "--context-parallel-size",
  "--cp-size",
  "--max-batch-size",
  "--max-seq-len",
  "--gpus-per-node",
  ...Object.keys(notExpressible),
];

export function importTensorRtLlm(started: ToolCommand, options?: Source): Imported {
  const command = options === undefined ? started : withOptions(started, options);
  const flags = readFlags(command, { ...grammar, known });
  const name = labelOf(command.model) ?? flags.label("--model") ?? flags.label("--model-path");
  const layout = layoutOf(flags);
  const workload = workloadOf(flags);
  const config = flags.text("--config");
  if (config !== undefined && options === undefined) {
    const message = `options of the server are in ${shown(config)}, which this command only names`;
    const hint = "give that file as a source too: its sizes take the place of the command's";
    flags.report("warning", "config-named", message, "--config", hint);
  }
  const requests = requestsOfClient(flags, benchFlags);
  listUnread(flags, { withoutBearing, notExpressible, known });
  const serving = { ...settingsOfServer(flags, servingNames), ...requests };
  return {
    kind: "tensorrt-llm",
    source: command.source,
    ...(name === undefined ? {} : { name }),
    layout,
    layoutPosition: (key) =>
      flags.position(key === "pipeline" ? "--pipeline-parallel-size" : "--tensor-parallel-size"),
    workload: { ...workload, serving },
    optimizations: ["fused-attention"],
    assumed: [],
    diagnostics: flags.diagnostics,
  };
}

function layoutOf(flags: CommandFlags): Layout {
  const tensor = flags.count("--tensor-parallel-size") ?? 1;
  const sliced = flags.count("--moe-tensor-parallel-size");
  const expert =
    flags.count("--expert-parallel-size") ??
    (sliced === undefined ? undefined : Math.max(1, Math.floor(tensor / sliced)));
  flags.has("--gpus-per-node");
  const slices = slicesOfExperts(flags, tensor, expert);
  if (sliced !== undefined && sliced !== slices) {
    const message = `experts in ${expert} parts, each in ${sliced} slices, are not the tensor group of ${tensor}`;
    flags.report("error", "degrees-contradict", message, "--moe-tensor-parallel-size");
  }
  const context = flags.count("--context-parallel-size") ?? 1;
  const divides = flags.has("--enable-attention-dp") && tensor > 1;
  if (divides) reportDividedAttention(flags, tensor, tensor, "--enable-attention-dp");
  return {
    ...(divides ? { tensor: 1, data: tensor } : { tensor, data: 1 }),
    pipeline: flags.count("--pipeline-parallel-size") ?? 1,
    ...(context === 1 ? {} : { context }),
    unevenPipeline: true,
    // As many rows as the tensor ranks can share.
    vocabularyMultiple: 1,
    ...(expert === undefined && !divides ? {} : { expert: expert ?? 1, expertTensor: slices }),
  };
}

function workloadOf(flags: CommandFlags): ImportedWorkload {
  const batchPerReplica = batchFromLimit(flags, "--max-batch-size") ?? flags.count("--concurrency");
  const maxSequence = flags.count("--max-seq-len");
  const dtype = serverDtype(flags);
  return {
    mode: "inference",
    ...(dtype === undefined ? {} : { dtype }),
    ...(batchPerReplica === undefined ? {} : { batchPerReplica }),
    ...(maxSequence === undefined ? {} : { maxSequence }),
  };
}
