// An LMDeploy server's command line: a layout and limits on requests. The model it only names.
//
// Its two engines read the same degrees otherwise. PyTorch's has as many ranks as `ep`, or else `tp`, and divides
// attention among `dp` groups of them. TurboMind's has `dp` × `tp` ranks, or as many as it is shown: then as many groups
// of attention as that falls short share each rank's other layers.

import { type CommandFlags, type FlagGrammar, labelOf, readFlags } from "./command_flags.ts";
import type { ToolCommand } from "./commands_in.ts";
import type { Imported, ImportedWorkload, Layout } from "./note.ts";
import { batchFromLimit, reportDividedAttention, serverDtype } from "./server_flags.ts";
import {
  benchFlags,
  requestsOfClient,
  type ServingFlags,
  settingsOfServer,
} from "./serving_flags.ts";
import { listUnread } from "./unread_flags.ts";
import { visibleGpus } from "./visible_gpus.ts";

const grammar: FlagGrammar = {
  lists: new Set(
    "--allow-origins --allow-methods --allow-headers --api-keys --adapters --node-rank --devices".split(
      " ",
    ),
  ),
  switches: new Set(
    `--allow-credentials --enable-prefix-caching --eager-mode --disable-fastapi-docs --ssl --async
     --trust-remote-code --enable-microbatch --enable-eplb --disable-vision-encoder
     --enable-return-routed-experts --allow-terminate-by-client --enable-abort-handling`.split(
      /\s+/,
    ),
  ),
  aliases: {},
};

const withoutBearing =
  /^--(server-name|server-port|allow-.*|proxy-url|backend|log-level|api-keys?|ssl|model-name|max-log-len|disable-fastapi-docs|chat-template|revision|download-dir|tool-call-parser|reasoning-parser|trust-remote-code|device|dist-init-addr|dp-rank|node-rank|communicator|hf-overrides|logprobs-mode|enable-abort-handling|role)$/;

const notExpressible: Readonly<Record<string, string>> = {
  "--cache-max-entry-count": "the share of memory that the cache reserves",
  "--cache-block-seq-len": "a cache in blocks",
  "--enable-prefix-caching": "prefixes that are kept",
  "--quant-policy": "a KV cache of another type",
  "--model-format": "quantized weights",
  "--max-prefill-token-num": "a limit on tokens per step",
  "--num-tokens-per-iter": "a limit on tokens per step",
  "--max-prefill-iters": "prompts computed in parts",
  "--rope-scaling-factor": "scaled rotary positions",
  "--adapters": "adapters on the weights",
  "--eager-mode": "launches that are not recorded in graphs",
  "--enable-microbatch": "two batches that overlap",
  "--enable-eplb": "experts moved for balance",
  "--vision-max-batch-size": "pictures",
  "--cp": "context parallelism of a server",
  "--speculative-algorithm": "speculative decoding",
  "--speculative-num-draft-tokens": "speculative decoding",
};

/** What a plan that serves has words for. */
const servingNames: ServingFlags = {
  pageTokens: ["--cache-block-seq-len"],
  maxBatchedTokens: ["--max-prefill-token-num"],
};

const known = [
  "--tp",
  "--dp",
  "--ep",
  "--session-len",
  "--max-batch-size",
  "--dtype",
  "--nnodes",
  "--backend",
  ...Object.keys(notExpressible),
];

export function importLmdeploy(command: ToolCommand): Imported {
  const flags = readFlags(command, { ...grammar, known });
  const name = labelOf(command.model);
  const layout = layoutOf(flags);
  const workload = workloadOf(flags);
  const requests = requestsOfClient(flags, benchFlags);
  listUnread(flags, { withoutBearing, notExpressible, known });
  const serving = { ...settingsOfServer(flags, servingNames), ...requests };
  return {
    kind: "lmdeploy",
    source: command.source,
    ...(name === undefined ? {} : { name }),
    layout,
    layoutPosition: (key) => flags.position(key === "data" ? "--dp" : "--tp"),
    workload: { ...workload, serving },
    optimizations: ["fused-attention"],
    assumed: [],
    diagnostics: flags.diagnostics,
  };
}

function layoutOf(flags: CommandFlags): Layout {
  const tensor = flags.count("--tp") ?? 1;
  const data = flags.count("--dp") ?? 1;
  const expert = flags.count("--ep") ?? 1;
  const isPyTorch = flags.text("--backend") === "pytorch" || expert > 1;
  const world = flags.count("--nnodes") === undefined ? visibleGpus(flags.invocation) : undefined;
  const shown = world === undefined ? {} : { world };
  if (!isPyTorch && data > 1 && flags.text("--backend") === undefined) {
    const message =
      "the degrees are read as TurboMind reads them, the engine that the server prefers";
    const hint = "give --backend, as PyTorch's divides the tensor group";
    flags.report("warning", "engine-not-given", message, "--dp", hint);
  }
  const ranks = expert > 1 ? expert : tensor;
  const gpus = isPyTorch ? ranks : Math.min(data * tensor, world ?? data * tensor);
  const groups = gpus / data;
  if (!Number.isInteger(groups)) {
    const message = `attention in ${data} groups does not divide ${gpus} GPUs`;
    flags.report("error", "degrees-contradict", message, "--dp", "choose a divisor");
    return { ...shown, tensor, data };
  }
  // Experts, and TurboMind's MLPs, are sliced over whole tensor groups.
  const slices = expert > 1 ? 1 : tensor;
  if (groups < tensor) reportDividedAttention(flags, data, tensor, "--dp");
  if (groups > tensor) {
    const message = `dense layers are in ${tensor === 1 ? "one piece" : `${tensor} slices`}; the plan has them in as many slices as attention, ${groups}`;
    flags.report("warning", "dense-slices-not-expressible", message, "--ep");
  }
  return { ...shown, tensor: groups, data, expert, expertTensor: slices };
}

function workloadOf(flags: CommandFlags): ImportedWorkload {
  const dtype = serverDtype(flags);
  const batchPerReplica = batchFromLimit(flags, "--max-batch-size");
  const maxSequence = flags.count("--session-len");
  return {
    mode: "inference",
    ...(batchPerReplica === undefined ? {} : { batchPerReplica }),
    ...(maxSequence === undefined ? {} : { maxSequence }),
    ...(dtype === undefined ? {} : { dtype }),
  };
}
