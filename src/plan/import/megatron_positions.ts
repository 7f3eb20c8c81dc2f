// How positions enter, in a Megatron-LM argument list.

import type { ModelFile } from "../schema_model.ts";
import type { CommandFlags } from "./command_flags.ts";
import { denseLayersOf } from "./hf_experts.ts";
import { layersChosen } from "./layer_pattern.ts";

export function positionsOf(
  flags: CommandFlags,
  layers: number,
  headDim: number,
): Pick<ModelFile, "positions" | "otherFeatures"> {
  const isAsked = flags.has("--use-rotary-position-embeddings");
  const none = flags.has("--no-position-embedding");
  const kind = flags.text("--position-embedding-type") ?? (isAsked ? "rope" : "learned_absolute");
  // Latent attention has a type of its own, with factors that the list need not give.
  const isLatent = flags.has("--multi-latent-attention");
  const isScaled = isLatent ? flags.text("--rope-type") !== "rope" : kind === "yarn";
  if (isAsked || kind === "rope" || kind === "mrope" || kind === "yarn") {
    const positions = rotaryOf(flags, layers, headDim);
    return { positions, ...(isScaled ? { otherFeatures: ["rotary-scaling-yarn"] } : {}) };
  }
  if (none || kind === "none") return {};
  if (kind !== "learned_absolute") return { otherFeatures: [`positions-${kind.slice(0, 40)}`] };
  const count = flags.count("--max-position-embeddings") ?? flags.count("--seq-length");
  return { positions: { kind: "learned", ...(count === undefined ? {} : { count }) } };
}

function rotaryOf(
  flags: CommandFlags,
  layers: number,
  headDim: number,
): NonNullable<ModelFile["positions"]> {
  const base = flags.number("--rotary-base");
  const share = flags.number("--rotary-percent") ?? 1;
  const dims = share < 1 ? Math.max(2, 2 * Math.floor((headDim * share) / 2)) : undefined;
  const isInterleaved = flags.has("--rotary-interleaved");
  const scaling = scalingOf(flags);
  const isWithout = layersChosen(
    flags,
    "--no-rope-freq",
    layers,
    (layer, n) => (layer + 1) % n === 0,
  );
  const layersWithout = isWithout === undefined ? [] : denseLayersOf(layers, isWithout);
  return {
    kind: "rotary",
    ...(base === undefined ? {} : { base }),
    ...(dims === undefined ? {} : { dims }),
    ...(isInterleaved ? { interleaved: true } : {}),
    ...(scaling === undefined ? {} : { scaling }),
    ...(layersWithout.length === 0 ? {} : { layersWithout }),
  };
}

type Scaling = NonNullable<ModelFile["positions"]>["scaling"];

/** Llama 3's by a switch, linear by a factor. */
function scalingOf(flags: CommandFlags): Scaling | undefined {
  const factor = flags.number("--rope-scaling-factor") ?? 8;
  if (flags.has("--use-rope-scaling")) {
    return {
      kind: "llama3",
      factor,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalPositions: 8192,
    };
  }
  const linear = flags.number("--rotary-seq-len-interpolation-factor");
  return linear === undefined || linear <= 0 ? undefined : { kind: "linear", factor: linear };
}
