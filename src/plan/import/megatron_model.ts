// The model in a Megatron-LM argument list, with the defaults of that tool where the list is silent.

import type { Bias } from "../plan.ts";
import type { ModelFile } from "../schema_model.ts";
import type { CommandFlags } from "./command_flags.ts";
import { denseLayersKey, denseLayersOf } from "./hf_experts.ts";
import { positionsOf } from "./megatron_positions.ts";
import { layersChosen } from "./layer_pattern.ts";
import { modelNotUnderstood, otherModel, shown } from "./note.ts";

export interface DescribedModel {
  readonly model?: ModelFile;
  readonly assumed: readonly string[];
}

/** Without any of the sizes the list is taken for a layout; the model then comes from another source. */
const sizes = ["--num-layers", "--hidden-size", "--num-attention-heads"] as const;

export function megatronModel(flags: CommandFlags): DescribedModel {
  if (!sizes.some((flag) => flags.has(flag))) return { assumed: [] };
  const layers = needed(flags, "--num-layers");
  const hidden = needed(flags, "--hidden-size");
  const heads = needed(flags, "--num-attention-heads");
  if (layers === undefined || hidden === undefined || heads === undefined) return { assumed: [] };
  const quick = flags.has("--quick-geglu");
  const gated = flags.has("--swiglu") || quick;
  // The number of groups counts only with the switch; without it, it is listed.
  const grouped = flags.has("--group-query-attention");
  const kvHeads = grouped ? (flags.count("--num-query-groups") ?? 1) : heads;
  const ffn = flags.count("--ffn-hidden-size") ?? (gated ? gatedFfn(hidden) : 4 * hidden);
  const headDim = flags.count("--kv-channels");
  const latent = flags.has("--multi-latent-attention") ? latentOf(flags) : {};
  const { vocabulary, assumed } = vocabularyOf(flags);
  const tied = !flags.has("--untie-embeddings-and-output-weights");
  const experts = expertsOf(flags, layers, ffn);
  const biases = biasesOf(flags, experts.moe !== undefined);
  const activation = flags.has("--squared-relu")
    ? ("relu2" as const)
    : quick
      ? ("quick-gelu" as const)
      : undefined;
  const qkNorm = flags.has("--qk-layernorm");
  const epsilon = flags.number("--norm-epsilon") ?? flags.number("--layernorm-epsilon");
  const positions = positionsOf(flags, layers, headDim ?? Math.floor(hidden / heads));
  const model: ModelFile = {
    layers,
    hidden,
    heads,
    kvHeads,
    ...(headDim === undefined ? {} : { headDim }),
    ...latent,
    ffn,
    gated,
    norm: flags.text("--normalization") === "RMSNorm" ? "rms" : "layer",
    ...(epsilon === undefined || epsilon <= 0 || epsilon === 1e-5 ? {} : { normEpsilon: epsilon }),
    ...(vocabulary === undefined ? {} : { vocabulary, ...(tied ? { tiedEmbeddings: true } : {}) }),
    ...positions,
    ...(biases.length === 0 ? {} : { biases }),
    ...(flags.has("--qk-l2-norm") ? { qkNorm: "l2" } : qkNorm ? { qkNorm } : {}),
    ...softmaxOf(flags, positions.otherFeatures),
    ...windowOf(flags, layers),
    ...(activation === undefined ? {} : { activation }),
    ...experts,
  };
  return { model, assumed };
}

/** The denominator of attention's softmax has one exponential more: of a learned sink per head, or of 0. */
function softmaxOf(
  flags: CommandFlags,
  features: readonly string[] = [],
): Pick<ModelFile, "sinks" | "otherFeatures"> {
  const kind = flags.text("--softmax-type");
  if (kind === "learnable") return { sinks: true };
  if (kind === undefined || kind === "vanilla") return {};
  return { otherFeatures: [...features, `softmax-${kind.slice(0, 40)}`] };
}

function needed(flags: CommandFlags, flag: string): number | undefined {
  if (!flags.has(flag)) {
    const hint = "give it, or leave all sizes out and add the model's config.json";
    flags.report("error", "missing-flag", `${flag} is missing`, undefined, hint);
  }
  return flags.count(flag);
}

/** As the tool does: two thirds of four times hidden, in multiples of 64. */
function gatedFfn(hidden: number): number {
  return Math.max(64, Math.floor((4 * hidden * 2) / 3 / 64) * 64);
}

/** `--window-size 127,0` reaches 127 tokens back; a second flag says which layers see all. */
function windowOf(flags: CommandFlags, layers: number): Pick<ModelFile, "slidingWindow"> {
  const flag = "--window-size";
  const written = flags.list(flag).join();
  const isIn = layersChosen(
    flags,
    "--window-attn-skip-freq",
    layers,
    (layer, n) => (layer + 1) % n !== 0,
  );
  if (flags.text(flag) === undefined) return {};
  const [, back, ahead] =
    /^\(?(-1|\d{1,9}),+(-1|\d{1,9})\)?$/.exec(written.replaceAll(/\s/g, "")) ?? [];
  // Without bounds, and tokens ahead are hidden anyway.
  if (back === "-1" && (ahead === "-1" || ahead === "0")) return {};
  if (back === undefined || back === "-1" || ahead !== "0") {
    flags.report("warning", modelNotUnderstood, otherModel(`${flag} ${shown(written)}`), flag);
    return {};
  }
  const tokens = Number(back) + 1;
  if (isIn === undefined) return { slidingWindow: { tokens, layers } };
  const own = denseLayersOf(layers, isIn);
  return own.length === 0 ? {} : { slidingWindow: { tokens, layers: own } };
}

function latentOf(flags: CommandFlags): Pick<ModelFile, "latent" | "headDim"> {
  const queryRank = flags.count("--q-lora-rank");
  return {
    headDim: flags.count("--qk-head-dim") ?? 128,
    latent: {
      ...(queryRank === undefined ? {} : { queryRank }),
      keyValueRank: flags.count("--kv-lora-rank") ?? 32,
      rotaryDim: flags.count("--qk-pos-emb-head-dim") ?? 64,
      valueDim: flags.count("--v-head-dim") ?? 128,
    },
  };
}

function biasesOf(flags: CommandFlags, hasExperts: boolean): Bias[] {
  const off = flags.has("--disable-bias-linear");
  const ofQueries = flags.has("--add-qkv-bias");
  flags.has("--add-bias-linear");
  if (!off)
    return ["qkv", "attention-output", "mlp", ...(hasExperts ? (["experts"] as const) : [])];
  return ofQueries ? ["qkv"] : [];
}

/** The list gives a vocabulary only where its tokenizer has none of its own. */
function vocabularyOf(flags: CommandFlags) {
  const given =
    flags.count("--padded-vocab-size") ??
    flags.count("--pad-vocab-size-to") ??
    flags.count("--vocab-size");
  if (given !== undefined) return { vocabulary: given, assumed: [] };
  const tokenizer = flags.text("--tokenizer-type");
  if (tokenizer === "GPT2BPETokenizer" || flags.has("--merge-file")) {
    return { vocabulary: 50_257, assumed: ["model.vocabulary"] };
  }
  flags.report(
    "warning",
    "vocabulary-not-given",
    "the tokenizer decides on the vocabulary; the plan's model starts from hidden vectors",
    tokenizer === undefined ? undefined : "--tokenizer-type",
    "add --vocab-size, or set model.vocabulary in the plan",
  );
  return { assumed: [] };
}

/** Megatron-LM divides each layer's index by the frequency: 0 ends its run, and would mean no layer or every one. */
function sparseLayers(flags: CommandFlags, layers: number) {
  const flag = "--moe-layer-freq";
  const [first, ...others] = flags.list(flag);
  if (first !== undefined && others.length === 0 && Number(first) === 0) {
    const hint = "drop --num-experts for a dense model, or give 1 for experts in every layer";
    flags.report("error", "invalid-value", `${flag} must be at least 1, found 0`, flag, hint);
  }
  return layersChosen(flags, flag, layers, (layer, n) => layer % n === 0);
}

function expertsOf(flags: CommandFlags, layers: number, ffn: number): Pick<ModelFile, "moe"> {
  const experts = flags.count("--num-experts");
  if (experts === undefined) return {};
  const isSparse = sparseLayers(flags, layers);
  const shared = flags.count("--moe-shared-expert-intermediate-size");
  const capacityFactor = flags.number("--moe-expert-capacity-factor");
  const routingBias = flags.has("--moe-router-enable-expert-bias");
  const topK = flags.count("--moe-router-topk") ?? 2;
  const preSoftmax = flags.has("--moe-router-pre-softmax");
  const score = flags.text("--moe-router-score-function");
  const scale = flags.number("--moe-router-topk-scaling-factor");
  if (score !== undefined && score !== "softmax" && score !== "sigmoid") {
    const message = `routing by ${shown(score)} has no place in a plan; ours takes the softmax or sigmoids`;
    const flag = "--moe-router-score-function";
    flags.report("warning", "router-score-not-expressible", message, flag);
  }
  return {
    moe: {
      experts,
      topK,
      ffn: flags.count("--moe-ffn-hidden-size") ?? ffn,
      // Sigmoids of several choices are scaled to sum to 1 with or without the switch.
      renormalise: score === "sigmoid" ? topK > 1 : !preSoftmax,
      ...denseLayersKey(isSparse ? denseLayersOf(layers, (layer) => !isSparse(layer)) : []),
      ...(capacityFactor !== undefined && capacityFactor > 0 ? { capacityFactor } : {}),
      ...(shared === undefined ? {} : { sharedFfn: shared }),
      ...(routingBias ? { routingBias } : {}),
      ...(score === "sigmoid" ? { scoring: "sigmoid" } : {}),
      ...(scale === undefined || scale <= 0 || scale === 1 ? {} : { routedScale: scale }),
      ...groupLimitOf(flags),
      ...routerLossesOf(flags),
    },
  };
}

/** Of all tokens of a micro-batch, of whichever replica: those of one sequence, or of a whole batch, have no place in a plan. */
function routerLossesOf(
  flags: CommandFlags,
): Partial<Pick<NonNullable<ModelFile["moe"]>, "auxLossCoeff" | "zLossCoeff">> {
  const auxiliary = flags.number("--moe-aux-loss-coeff") ?? 0;
  const z = flags.number("--moe-z-loss-coeff") ?? 0;
  const balanced = flags.text("--moe-router-load-balancing-type") ?? "aux_loss";
  const isOurs = balanced === "aux_loss";
  if (!isOurs && balanced !== "none" && auxiliary > 0) {
    const message = `balancing by ${shown(balanced)} has no place in a plan; ours is aux_loss`;
    const flag = "--moe-router-load-balancing-type";
    flags.report("warning", "router-balance-not-expressible", message, flag);
  }
  return {
    ...(isOurs && auxiliary > 0 ? { auxLossCoeff: auxiliary } : {}),
    ...(z > 0 ? { zLossCoeff: z } : {}),
  };
}

/** A group is judged by as many experts as it may give of the chosen: one or two are in a plan. */
function groupLimitOf(
  flags: CommandFlags,
): Partial<Pick<NonNullable<ModelFile["moe"]>, "groupLimit">> {
  const groups = flags.count("--moe-router-num-groups");
  const topGroups = flags.count("--moe-router-group-topk");
  if (groups === undefined || topGroups === undefined || topGroups >= groups) return {};
  const each = Math.floor((flags.count("--moe-router-topk") ?? 2) / topGroups);
  if (each !== 1 && each !== 2) {
    const message = `groups judged by their best ${each} have no place in a plan; ours takes one or two`;
    flags.report("warning", "router-groups-not-expressible", message, "--moe-router-num-groups");
    return {};
  }
  return { groupLimit: { groups, topGroups, scoredBy: each === 1 ? "best" : "two-best" } };
}
