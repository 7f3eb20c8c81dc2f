// A `vllm serve` command line: a layout and limits on requests. The model it only names.

import { type CommandFlags, type FlagGrammar, labelOf, readFlags } from "./command_flags.ts";
import type { ToolCommand } from "./commands_in.ts";
import { type Imported, type ImportedWorkload, type Layout } from "./note.ts";
import { visibleGpus } from "./visible_gpus.ts";
import { listNamedConfig } from "./named_config.ts";
import { batchFromLimit, serverDtype } from "./server_flags.ts";
import {
  benchFlags,
  requestsOfClient,
  type ServingFlags,
  settingsOfServer,
} from "./serving_flags.ts";
import { listUnread } from "./unread_flags.ts";

const grammar: FlagGrammar = {
  lists: new Set(
    `--served-model-name --lora-modules --allowed-origins --allowed-methods --allowed-headers --middleware
     --api-key --cudagraph-capture-sizes --compile-sizes`.split(/\s+/),
  ),
  switches: new Set([
    "--enforce-eager",
    "--no-enforce-eager",
    "--trust-remote-code",
    "--enable-prefix-caching",
    "--no-enable-prefix-caching",
    "--enable-chunked-prefill",
    "--no-enable-chunked-prefill",
    "--enable-expert-parallel",
    "--no-enable-expert-parallel",
    "--enable-auto-tool-choice",
    "--enable-lora",
    "--disable-log-requests",
    "--disable-log-stats",
    "--disable-custom-all-reduce",
    "--enable-eplb",
    "--async-scheduling",
    "--headless",
    "--enable-reasoning",
    "--data-parallel-hybrid-lb",
    "--data-parallel-external-lb",
  ]),
  aliases: {
    "-tp": "--tensor-parallel-size",
    "-pp": "--pipeline-parallel-size",
    "-dp": "--data-parallel-size",
    "-dpl": "--data-parallel-size-local",
    "-q": "--quantization",
    "-pcp": "--prefill-context-parallel-size",
    "-dcp": "--decode-context-parallel-size",
    "-ep": "--enable-expert-parallel",
  },
};

/** How a server is reached and found, not what it computes; values may be secret and are not shown. */
const withoutBearing =
  /^--(host|port|api-key|uvicorn.*|ssl.*|root-path|allowed-.*|served-model-name|tokenizer.*|revision|code-revision|download-dir|load-format|chat-template.*|tool-call-parser|reasoning-parser|enable-auto-tool-choice|enable-reasoning|disable-log.*|trust-remote-code|seed|hf-token|generation-config|override-generation-config|response-role|lora-modules|data-parallel-(address|rpc-port|backend|start-rank)|distributed-executor-backend|headless|data-parallel-(hybrid|external)-lb|nnodes|node-rank|master-.*)$/;

/** What vLLM does besides, and a plan has no words for. */
const notExpressible: Readonly<Record<string, string>> = {
  "--quantization": "quantized weights",
  "--kv-cache-dtype": "a KV cache of another type",
  "--gpu-memory-utilization": "the share of memory that the server reserves",
  "--max-num-batched-tokens": "a limit on tokens per step",
  "--enable-prefix-caching": "prefixes that are computed once",
  "--enable-chunked-prefill": "prompts computed in parts",
  "--no-enable-chunked-prefill": "prompts computed whole",
  "--speculative-config": "speculative decoding",
  "--speculative-model": "speculative decoding",
  "--enable-lora": "adapters on the weights",
  "--cpu-offload-gb": "weights offloaded to the host",
  "--swap-space": "cache swapped to the host",
  "--block-size": "a cache in blocks",
  "--enforce-eager": "kernels launched one by one",
  "--compilation-config": "compilation",
  "--rope-scaling": "scaled rotary positions",
  "--hf-overrides": "changes to the model's config",
  "--enable-eplb": "experts moved for balance",
  "--decode-context-parallel-size": "context parallelism in decoding",
  "--data-parallel-size-local": "replicas placed per machine",
  "--disable-custom-all-reduce": "another all-reduce",
  "--async-scheduling": "scheduling beside the step",
};

/** What a plan that serves has words for. */
const servingNames: ServingFlags = {
  pageTokens: ["--block-size"],
  maxBatchedTokens: ["--max-num-batched-tokens"],
  chunks: ["--enable-chunked-prefill"],
  wholePrompts: ["--no-enable-chunked-prefill"],
  cacheDtype: ["--kv-cache-dtype"],
};

const known = [
  "--tensor-parallel-size",
  "--pipeline-parallel-size",
  "--data-parallel-size",
  "--prefill-context-parallel-size",
  "--enable-expert-parallel",
  "--max-model-len",
  "--max-num-seqs",
  "--dtype",
  "--model",
  ...Object.keys(notExpressible),
];

export function importVllm(command: ToolCommand): Imported {
  const flags = readFlags(command, { ...grammar, known });
  const name = labelOf(command.model) ?? flags.label("--model");
  const layout = layoutOf(flags);
  const workload = workloadOf(flags);
  listNamedConfig(flags, ["--config"]);
  const requests = requestsOfClient(flags, benchFlags);
  listUnread(flags, { withoutBearing, notExpressible, known });
  const serving = { ...settingsOfServer(flags, servingNames), ...requests };
  return {
    kind: "vllm",
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
  context: "--prefill-context-parallel-size",
  expert: "--enable-expert-parallel",
};

function layoutOf(flags: CommandFlags): Layout {
  const experts = flags.has("--enable-expert-parallel");
  flags.has("--no-enable-expert-parallel");
  // Ray and several machines have more GPUs than this one shows.
  const here = flags.text("--distributed-executor-backend") !== "ray" && !flags.has("--nnodes");
  const visible = here ? visibleGpus(flags.invocation) : undefined;
  const tensor = flags.count("--tensor-parallel-size");
  const pipeline = flags.count("--pipeline-parallel-size");
  const data = flags.count("--data-parallel-size");
  // Ranks of their own, unlike those of the decode step, which are among the tensor ranks.
  const context = flags.count("--prefill-context-parallel-size") ?? 1;
  const copies = redundantExperts(flags);
  return {
    ...(tensor === undefined ? {} : { tensor }),
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(data === undefined ? {} : { data }),
    ...(context === 1 ? {} : { context }),
    unevenPipeline: true,
    vocabularyMultiple: 64,
    ...(experts ? { expertOverAll: true } : {}),
    ...(copies === undefined ? {} : { redundantExperts: copies }),
    ...(visible === undefined ? {} : { world: visible }),
  };
}

/** In a config of its own, as JSON or by a dotted flag, and in a flag of older versions. */
function redundantExperts(flags: CommandFlags): number | undefined {
  const config = flags.text("--eplb-config") ?? "";
  const [, inConfig] = /"num_redundant_experts"\s*:\s*(\d{1,6})/.exec(config) ?? [];
  const dotted = flags.count("--eplb-config.num-redundant-experts");
  const copies = dotted ?? flags.count("--num-redundant-experts") ?? Number(inConfig ?? 0);
  return copies > 0 ? copies : undefined;
}

function workloadOf(flags: CommandFlags): ImportedWorkload {
  const dtype = serverDtype(flags);
  const batchPerReplica = batchFromLimit(flags, "--max-num-seqs");
  const maxSequence = lengthOf(flags);
  return {
    mode: "inference",
    ...(batchPerReplica === undefined ? {} : { batchPerReplica }),
    ...(maxSequence === undefined ? {} : { maxSequence }),
    ...(dtype === undefined ? {} : { dtype }),
  };
}

/** vLLM takes 32k for 32,000 and 32K for 32,768. */
function lengthOf(flags: CommandFlags): number | undefined {
  const [, digits, unit = ""] = /^([\d.]+)([kK])$/.exec(flags.text("--max-model-len") ?? "") ?? [];
  if (digits === undefined) return flags.count("--max-model-len");
  const length = Math.round(Number(digits) * (unit === "k" ? 1000 : 1024));
  return Number.isFinite(length) && length > 0 ? length : undefined;
}
