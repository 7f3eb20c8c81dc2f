// Which tool a program is. A tool is known by its command; flags decide only where a list comes without one,
// and then only flags that no other tool has.

import type { Word } from "./invocation.ts";
import { type CommandKind, commandKinds } from "./note.ts";

export interface Tool {
  readonly kind: CommandKind;
  /** The model, where the command names it as a word of its own. */
  readonly model?: Word;
  /** The words that are its flags, and those that it names besides. */
  readonly words: readonly Word[];
}

/** Sub-commands and modules that send requests to a server that another command starts. */
const clients =
  /^(vllm (bench (serve|sweep|startup)|chat|complete|collect-env|run-batch-client)|sglang\.(bench_serving|test\..*)|sglang_router\.launch_router|trtllm-(eval|refit).*)/;

/** Whether the program sends requests to a server that another starts. */
export function isClient(program: string, words: readonly Word[]): boolean {
  const verbs = words.slice(0, 2).map(({ text }) => text);
  return (
    clients.test([program, ...verbs].join(" ")) || /^benchmark_serving(_\w+)?\.py$/.test(program)
  );
}

/** Undefined where the program lays no model out. */
export function toolOf(program: string, words: readonly Word[]): Tool | undefined {
  const verbs = words.slice(0, 2).map(({ text }) => text);
  if (isClient(program, words)) return undefined;
  if (program === "vllm" || program === "vllm.entrypoints.cli.main") return vllm(words, verbs);
  if (/^vllm\.(entrypoints|v1\.entrypoints)\./.test(program)) return { kind: "vllm", words };
  if (/^benchmark_(latency|throughput)\.py$/.test(program)) return { kind: "vllm", words };
  if (/^sglang\.(launch_server|bench_\w+)$|^sglang_router\.launch_server$/.test(program)) {
    return { kind: "sglang", words };
  }
  if (program === "sglang") {
    return verbs[0] === "serve" ? withModel("sglang", words.slice(1)) : undefined;
  }
  if (program === "trtllm-serve") {
    const rest = verbs[0] === "serve" ? words.slice(1) : words;
    return /^(disaggregated|mm_embedding_serve)/.test(rest[0]?.text ?? "")
      ? undefined
      : withModel("tensorrt-llm", rest);
  }
  if (program === "lmdeploy" && verbs[0] === "serve" && verbs[1] === "api_server") {
    return withModel("lmdeploy", words.slice(2));
  }
  if (program === "text-generation-launcher") return { kind: "tgi", words };
  if (program === "trtllm-build") return { kind: "tensorrt-llm", words };
  if (program === "trtllm-bench") {
    // Options stand before and behind its sub-command.
    const verb = words.findIndex(({ text }) => /^(throughput|latency|build)$/.test(text));
    return { kind: "tensorrt-llm", words: words.filter((_, index) => index !== verb) };
  }
  if (program === "convert_checkpoint.py" && has(words, /^--tp[-_]size/)) {
    return { kind: "tensorrt-llm", words };
  }
  // Scripts of Megatron Bridge have names like those of Megatron-LM.
  if (has(words, own.nemo) && !has(words, own.megatron)) {
    return has(words, otherHydra)
      ? undefined
      : { kind: "nemo", words: withoutVerbs(program, words) };
  }
  if (/^pretrain_\w+\.py$/.test(program) || has(words, own.megatron)) {
    return { kind: "megatron", words };
  }
  return has(words, own.trainer) ? { kind: "trainer", words } : undefined;
}

/** `nemo llm pretrain …` */
function withoutVerbs(program: string, words: readonly Word[]): readonly Word[] {
  return program === "nemo" ? words.slice(words.findIndex(({ text }) => /^-|=/.test(text))) : words;
}

/** Keys of other tools whose command lines are Hydra's. */
const otherHydra = /^\+{0,2}(actor_rollout_ref|actor|rollout|algorithm|policy)\./;

function vllm(words: readonly Word[], [verb, second]: readonly string[]): Tool | undefined {
  if (verb === "serve") return withModel("vllm", words.slice(1));
  if (verb === "run-batch") return { kind: "vllm", words: words.slice(1) };
  return verb === "bench" && /^(latency|throughput)$/.test(second ?? "")
    ? { kind: "vllm", words: words.slice(2) }
    : undefined;
}

/** The model is the first word, or stands after --model. */
function withModel(kind: CommandKind, words: readonly Word[]): Tool {
  const [first, ...rest] = words;
  return first === undefined || first.text.startsWith("-")
    ? { kind, words }
    : { kind, model: first, words: rest };
}

/** Flags that one tool alone has. */
const own = {
  megatron:
    /^--(num[-_]layers|hidden[-_]size|num[-_]attention[-_]heads|tensor[-_]model[-_]parallel[-_]size|pipeline[-_]model[-_]parallel[-_]size|expert[-_]model[-_]parallel[-_]size)(=|$)/,
  vllm: /^(-tp|-pp|-dp|--max[-_]model[-_]len|--max[-_]num[-_]seqs|--gpu[-_]memory[-_]utilization|--enable[-_]expert[-_]parallel|--max[-_]num[-_]batched[-_]tokens)(=|$)/,
  sglang:
    /^--(tp|tp[-_]size|dp[-_]size|ep[-_]size|pp[-_]size|mem[-_]fraction[-_]static|context[-_]length|enable[-_]dp[-_]attention|max[-_]running[-_]requests|model[-_]path|chunked[-_]prefill[-_]size)(=|$)/,
  "tensorrt-llm":
    /^--(kv[-_]cache[-_]free[-_]gpu[-_]memory[-_]fraction|extra[-_]llm[-_]api[-_]options|max[-_]beam[-_]width)(=|$)/,
  lmdeploy: /^--(session[-_]len|cache[-_]max[-_]entry[-_]count)(=|$)/,
  tgi: /^--(num[-_]shard|max[-_]batch[-_]prefill[-_]tokens)(=|$)/,
  nemo: /^\+{0,2}(trainer|model|train|ddp|data)\.[\w.]+=/,
  trainer:
    /^--(per[-_]device[-_]train[-_]batch[-_]size|gradient[-_]accumulation[-_]steps|deepspeed|model[-_]name[-_]or[-_]path|fsdp)(=|$)/,
} satisfies Readonly<Record<CommandKind, RegExp>>;

function has(words: readonly Word[], flag: RegExp): boolean {
  return words.some(({ text }) => flag.test(text));
}

/** The tools whose own flags are among the words of a list without a program. */
export function toolsByFlags(words: readonly Word[]): CommandKind[] {
  return commandKinds.filter((kind) => has(words, own[kind]));
}
