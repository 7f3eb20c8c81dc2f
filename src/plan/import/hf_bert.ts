// BERT and RoBERTa: encoders whose norms stand behind the sums, with learned positions and kinds of tokens.

import {
  type DecoderDefaults,
  decoder,
  type Family,
  withFeatures,
  withParameters,
} from "./hf_decoder.ts";
import type { ImportedFields } from "./fields.ts";
import type { ModelFile } from "../schema_model.ts";

const defaults: DecoderDefaults = { tied: true, gated: false, norm: "layer", activation: "gelu" };

export const bert: Family = (fields) => encoder(fields, 0);

/** Its positions begin behind the id of padding. */
export const roberta: Family = (fields) =>
  encoder(fields, (fields.number("pad_token_id") ?? 1) + 1);

function encoder(fields: ImportedFields, offset: number): ModelFile | undefined {
  const model = decoder(fields, defaults);
  const count = fields.needed("max_position_embeddings");
  const kinds = fields.count("type_vocab_size") ?? 2;
  const positioned = fields.text("position_embedding_type") ?? "absolute";
  const causal = fields.flag("is_decoder") ?? false;
  if (model === undefined || count === undefined) return undefined;
  const { hidden } = model;
  const whole: ModelFile = {
    ...model,
    causal,
    biases: ["qkv", "attention-output", "mlp"],
    positions: { kind: "learned", count, ...(offset === 0 ? {} : { offset }) },
    embeddingNorm: true,
  };
  return withFeatures(
    // A pooler of the first token or a head's transform, which are as large.
    withParameters(whole, {
      "token-types": kinds * hidden,
      "head-transform": hidden * (hidden + 1),
    }),
    "norms-of-sums",
    "token-types",
    "head-transform",
    ...(positioned === "absolute" ? [] : [`positions-${positioned.slice(0, 40)}`]),
  );
}
