// TensorRT-LLM: `trtllm-serve`, `trtllm-bench` and the older build. A layout and limits; the model it names.

import { type CommandFlags, type FlagGrammar, labelOf, readFlags } from "./command_flags.ts";
import type { ToolCommand } from "./commands_in.ts";
import { type Imported, type ImportedWorkload, type Layout, shown } from "./note.ts";
import { batchFromLimit, slicesOfExperts } from "./server_flags.ts";
import { listUnread } from "./unread_flags.ts";

const grammar: FlagGrammar = {
  switches: new Set(
    `--trust-remote-code --streaming --enable-chunked-context --enable-attention-dp --remove-input-padding
     --fail-fast-on-attention-window-too-large --verbose`.split(/\s+/),
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
    "--cp-size": "--context-parallel-size",
    "--extra-llm-api-options": "--config",
    "-m": "--model",
  },
};

const withoutBearing =
  /^--(host|port|trust-remote-code|tokenizer|revision|log-level|backend|reasoning-parser|tool-parser|chat-template|metadata-server.*|server-role|num-postprocess-workers|workspace|report-json|iteration-log|output-json|dataset|streaming|engine-dir|num-requests|warmup|seed|checkpoint-dir|model-dir|output-dir|gemm-plugin|gpt-attention-plugin|workers|custom-module-dirs|served-model-name)$/;

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
  "--context-parallel-size": "context parallelism of a server",
  "--cluster-size": "experts placed by clusters",
  "--moe-cluster-parallel-size": "experts placed by clusters",
  "--disable-kv-cache-reuse": "prefixes that are computed each time",
  "--medusa-choices": "speculative decoding",
  "--use-paged-context-fmha": "a choice of attention kernels",
};

const known = [
  "--tensor-parallel-size",
  "--tp-size",
  "--pipeline-parallel-size",
  "--pp-size",
  "--expert-parallel-size",
  "--ep-size",
  "--max-batch-size",
  "--max-seq-len",
  "--gpus-per-node",
  ...Object.keys(notExpressible),
];

export const importTensorRtLlm = (command: ToolCommand): Imported => {
  const flags = readFlags(command, { ...grammar, known });
  const name = labelOf(command.model) ?? flags.label("--model") ?? flags.label("--model-path");
  const layout = layoutOf(flags);
  const workload = workloadOf(flags);
  const config = flags.text("--config");
  if (config !== undefined) {
    const message = `options of the server are in ${shown(config)}, which this command only names`;
    flags.report("warning", "config-named", message, "--config", "compare it with the plan");
  }
  listUnread(flags, { withoutBearing, notExpressible, known });
  return {
    kind: "tensorrt-llm",
    source: command.source,
    ...(name === undefined ? {} : { name }),
    layout,
    layoutPosition: (key) =>
      flags.position(key === "pipeline" ? "--pipeline-parallel-size" : "--tensor-parallel-size"),
    workload,
    optimizations: ["fused-attention"],
    assumed: [],
    diagnostics: flags.diagnostics,
  };
};

const layoutOf = (flags: CommandFlags): Layout => {
  const tensor = flags.count("--tensor-parallel-size") ?? 1;
  const expert = flags.count("--expert-parallel-size");
  flags.has("--gpus-per-node");
  const slices = slicesOfExperts(flags, tensor, expert);
  return {
    tensor,
    pipeline: flags.count("--pipeline-parallel-size") ?? 1,
    data: 1,
    unevenPipeline: true,
    // As many rows as the tensor ranks can share.
    vocabularyMultiple: 1,
    ...(expert === undefined ? {} : { expert, expertTensor: slices }),
  };
};

const workloadOf = (flags: CommandFlags): ImportedWorkload => {
  const batchPerReplica = batchFromLimit(flags, "--max-batch-size") ?? flags.count("--concurrency");
  const maxSequence = flags.count("--max-seq-len");
  return {
    mode: "inference",
    ...(batchPerReplica === undefined ? {} : { batchPerReplica }),
    ...(maxSequence === undefined ? {} : { maxSequence }),
  };
};
