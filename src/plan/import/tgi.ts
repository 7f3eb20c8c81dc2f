// The launcher of Text Generation Inference: shards of a tensor group, and limits on requests. Its options may stand
// in the environment too.

import { type CommandFlags, type FlagGrammar, labelOf, readFlags } from "./command_flags.ts";
import type { ToolCommand } from "./commands_in.ts";
import { isCount } from "./fields.ts";
import { notDecided } from "./invocation.ts";
import { type Imported, type ImportedWorkload, type Layout, shown } from "./note.ts";
import { batchFromLimit, serverDtype } from "./server_flags.ts";
import {
  benchFlags,
  requestsOfClient,
  type ServingFlags,
  settingsOfServer,
} from "./serving_flags.ts";
import { listUnread } from "./unread_flags.ts";
import { visibleGpus } from "./visible_gpus.ts";

const grammar: FlagGrammar = {
  lists: new Set(["--cors-allow-origin"]),
  switches: new Set(
    `--trust-remote-code --json-output --disable-custom-kernels --enable-cuda-graphs --env --ngrok
     --disable-grammar-support --disable-usage-stats --enable-prefill-logprobs`.split(/\s+/),
  ),
  aliases: { "--max-total-length": "--max-total-tokens", "-p": "--port" },
};

const withoutBearing =
  /^--(hostname|port|prometheus-port|shard-uds-path|master-addr|master-port|huggingface-hub-cache|weights-cache-override|json-output|otlp-.*|cors-allow-origin|api-key|watermark-.*|ngrok.*|tokenizer-config-path|disable-grammar-support|env|max-client-batch-size|usage-stats|disable-usage-stats|payload-limit|revision|trust-remote-code|validation-workers|max-stop-sequences|max-best-of|max-top-n-tokens|enable-prefill-logprobs|graceful-termination-timeout|max-image-fetch-size)$/;

const notExpressible: Readonly<Record<string, string>> = {
  "--quantize": "quantized weights",
  "--kv-cache-dtype": "a KV cache of another type",
  "--speculate": "speculative decoding",
  "--cuda-memory-fraction": "the share of memory that the cache reserves",
  "--cuda-graphs": "launches recorded in graphs",
  "--enable-cuda-graphs": "launches recorded in graphs",
  "--max-batch-prefill-tokens": "a limit on tokens per step",
  "--max-batch-total-tokens": "a limit on tokens that are held",
  "--max-concurrent-requests": "requests that wait",
  "--max-input-tokens": "a limit on prompts",
  "--max-input-length": "a limit on prompts",
  "--waiting-served-ratio": "an order of requests",
  "--max-waiting-tokens": "an order of requests",
  "--rope-scaling": "scaled rotary positions",
  "--rope-factor": "scaled rotary positions",
  "--lora-adapters": "adapters on the weights",
  "--disable-custom-kernels": "a choice of kernels",
};

/** What a plan that serves has words for. */
const servingNames: ServingFlags = {
  maxBatchedTokens: ["--max-batch-prefill-tokens"],
  cacheDtype: ["--kv-cache-dtype"],
};

const known = [
  "--model-id",
  "--num-shard",
  "--sharded",
  "--max-total-tokens",
  "--max-batch-size",
  "--dtype",
  ...Object.keys(notExpressible),
];

export function importTgi(command: ToolCommand): Imported {
  const flags = readFlags(command, { ...grammar, known });
  const name = flags.label("--model-id") ?? labelOf(command.environment("MODEL_ID"));
  const layout = layoutOf(flags);
  const workload = workloadOf(flags);
  const requests = requestsOfClient(flags, benchFlags);
  listUnread(flags, { withoutBearing, notExpressible, known });
  const serving = { ...settingsOfServer(flags, servingNames), ...requests };
  return {
    kind: "tgi",
    source: command.source,
    ...(name === undefined ? {} : { name }),
    layout,
    layoutPosition: () => flags.position("--num-shard"),
    workload: { ...workload, serving },
    optimizations: ["fused-attention"],
    assumed: [],
    diagnostics: flags.diagnostics,
  };
}

/** Shards as given, else as many as GPUs are shown, which a sharded server has to know. */
function layoutOf(flags: CommandFlags): Layout {
  const isSharded = (flags.text("--sharded") ?? variable(flags, "SHARDED"))?.toLowerCase();
  const given = flags.count("--num-shard") ?? shardsOfEnvironment(flags);
  const visible = visibleGpus(flags.invocation);
  const shards = given ?? (isSharded === "false" ? 1 : visible);
  if (shards === undefined && isSharded === "true") {
    const message =
      "the server is sharded over the GPUs that it is shown, and no source says how many";
    flags.report(
      "error",
      "ranks-not-given",
      message,
      "--sharded",
      "add --num-shard 8, with their number",
    );
  }
  return {
    tensor: shards ?? 1,
    data: 1,
    ...(visible === undefined ? {} : { world: visible }),
  };
}

function shardsOfEnvironment(flags: CommandFlags): number | undefined {
  const word = flags.invocation.environment("NUM_SHARD");
  if (word === undefined) return undefined;
  const { position, valuesOf } = flags.invocation;
  if (word.unknown !== undefined) {
    const values = valuesOf(word.unknown.variable ?? "NUM_SHARD");
    flags.add(notDecided("NUM_SHARD", word.unknown, position(word.offset), values, "8"));
    return undefined;
  }
  const number = Number(word.text);
  if (isCount(number)) return number;
  const message = `NUM_SHARD must be a whole number above 0, found ${shown(word.text)}`;
  flags.report("error", "wrong-type", message, undefined);
  return undefined;
}

function variable({ invocation }: CommandFlags, name: string): string | undefined {
  const word = invocation.environment(name);
  return word?.unknown === undefined ? word?.text : undefined;
}

function workloadOf(flags: CommandFlags): ImportedWorkload {
  const dtype = serverDtype(flags);
  const batchPerReplica = batchFromLimit(flags, "--max-batch-size");
  const maxSequence = flags.count("--max-total-tokens");
  return {
    mode: "inference",
    ...(batchPerReplica === undefined ? {} : { batchPerReplica }),
    ...(maxSequence === undefined ? {} : { maxSequence }),
    ...(dtype === undefined ? {} : { dtype }),
  };
}
