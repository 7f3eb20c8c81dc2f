// A narrower model, the last resort: hidden size, heads and inner widths in proportion, whole heads on each tensor rank.
// Heads stay as wide as they are, which the kernels of attention are made for.

import { expertTensorOf } from "../mesh.ts";
import type { DeltaHeads } from "../layers/gated_delta.ts";
import type { Model } from "../plan.ts";
import type { PlanFile } from "../schema.ts";
import { degreesOf, modelOf } from "../stages_from_degrees.ts";
import type { Dimension } from "./dimension.ts";
import { multipleDown } from "./dimension.ts";

export const width: Dimension = {
  name: "hidden size",
  full: ({ model }) => model?.hidden,
  least(file) {
    const { model } = file;
    return model === undefined ? 1 : hiddenWith(modelOf(model), leastHeads(file));
  },
  reduce(file, size) {
    const { model } = file;
    if (model === undefined || size >= model.hidden) return file;
    const whole = modelOf(model);
    const heads = possibleHeads(file).find((own) => hiddenWith(whole, own) <= size);
    return narrowed(file, heads ?? leastHeads(file));
  },
  changesLayers: "layers are narrower",
};

function leastHeads(file: PlanFile): number {
  return possibleHeads(file).at(-1) ?? file.model?.heads ?? 1;
}

/** The most first, the model's own among them. */
function possibleHeads(file: PlanFile): number[] {
  const { model } = file;
  if (model === undefined) return [];
  const { tensor } = degreesOf(file);
  const { heads, kvHeads } = modelOf(model);
  const all = Array.from({ length: Math.floor(heads / tensor) }, (_, i) => heads - i * tensor);
  return all.filter((own) => {
    const kv = kvHeadsWith(heads, kvHeads, own);
    return (
      own === heads ||
      (kv !== undefined && own % kv === 0 && (kv % tensor === 0 || tensor % kv === 0))
    );
  });
}

/** Queries share keys and values as they did, as long as there are enough of them. */
function kvHeadsWith(heads: number, kvHeads: number, own: number): number | undefined {
  const together = heads / kvHeads;
  if (own % together === 0) return own / together;
  return own < together ? 1 : undefined;
}

/** Kernels move four values at a time. */
const quad = 4;

function hiddenWith({ hidden, heads }: Model, own: number): number {
  if (own >= heads) return hidden;
  return multipleDown((hidden * own) / heads, hidden % (2 * quad) === 0 ? 2 * quad : 1);
}

function narrowed(file: PlanFile, heads: number): PlanFile {
  const { model } = file;
  if (model === undefined || heads >= model.heads) return file;
  const degrees = degreesOf(file);
  const whole = modelOf(model);
  const hidden = hiddenWith(whole, heads);
  const share = hidden / whole.hidden;
  const { input = 1, output = 1 } = model.quantizationBlock ?? {};
  const inner = (size: number, parts: number): number =>
    Math.min(size, multipleDown(size * share, parts * Math.max(quad, input, output)));
  const rank = (size: number): number => Math.min(size, multipleDown(size * share, 2 * quad));
  const { moe, latent, otherParameters, otherMixers, gatedDelta } = model;
  return {
    ...file,
    model: {
      ...model,
      hidden,
      heads,
      kvHeads: kvHeadsWith(whole.heads, whole.kvHeads, heads) ?? 1,
      headDim: whole.headDim,
      ffn: inner(whole.ffn, degrees.tensor),
      ...(moe === undefined
        ? {}
        : {
            moe: {
              ...moe,
              ffn: inner(whole.moe?.ffn ?? whole.ffn, expertTensorOf(degrees)),
              ...(moe.sharedFfn === undefined
                ? {}
                : { sharedFfn: inner(moe.sharedFfn, degrees.tensor) }),
            },
          }),
      ...(latent === undefined
        ? {}
        : {
            latent: {
              ...latent,
              keyValueRank: rank(latent.keyValueRank),
              ...(latent.queryRank === undefined ? {} : { queryRank: rank(latent.queryRank) }),
            },
          }),
      ...(otherMixers === undefined
        ? {}
        : {
            otherMixers: otherMixers.map((mixer) => ({
              ...mixer,
              parameters: squared(mixer.parameters, share),
            })),
          }),
      ...(gatedDelta === undefined
        ? {}
        : { gatedDelta: { ...gatedDelta, ...deltaHeadsWith(gatedDelta, share, degrees.tensor) } }),
      ...(otherParameters === undefined
        ? {}
        : {
            otherParameters: Object.fromEntries(
              Object.entries(otherParameters).map(([what, n]) => [what, squared(n, share)]),
            ),
          }),
    },
  };
}

/** Values share keys as they did, and each tensor rank has as many heads. */
function deltaHeadsWith(
  { keyHeads, valueHeads }: Pick<DeltaHeads, "keyHeads" | "valueHeads">,
  share: number,
  tensor: number,
): Pick<DeltaHeads, "keyHeads" | "valueHeads"> {
  const own = Math.min(keyHeads, multipleDown(keyHeads * share, tensor));
  return { keyHeads: own, valueHeads: (own * valueHeads) / keyHeads };
}

/** Parameters that nothing more is known of are those of matrices. */
function squared(parameters: number, share: number): number {
  return Math.max(1, Math.round(parameters * share ** 2));
}
