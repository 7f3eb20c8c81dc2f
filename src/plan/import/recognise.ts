// Of which kind a source is, by what its text looks like.

import type { Diagnostic } from "../diagnostic.ts";
import { jsonError } from "../json_syntax.ts";
import { maxPlanCharacters } from "../syntax.ts";
import { note, type Source, type SourceKind, sourceKinds } from "./note.ts";

const deepspeedKeys = [
  "train_batch_size",
  "train_micro_batch_size_per_gpu",
  "gradient_accumulation_steps",
  "zero_optimization",
  "bf16",
  "fp16",
  "tensor_parallel",
];

/** Undefined where the text looks like none. */
export const recogniseKind = ({ kind, name, text }: Source): SourceKind | undefined => {
  if (kind !== undefined) return kind;
  if (text.trimStart().startsWith("{") || name.toLowerCase().endsWith(".json")) {
    return kindOfJson(text);
  }
  if (/\bvllm\s+serve\b|vllm\.entrypoints/.test(text)) return "vllm";
  if (
    /--(num[-_]layers|tensor[-_]model[-_]parallel[-_]size|pipeline[-_]model)|pretrain_\w+\.py/.test(
      text,
    )
  ) {
    return "megatron";
  }
  if (/\bdeepspeed\b/.test(text)) return "deepspeed";
  return /--tensor[-_]parallel[-_]size|\s-tp\s/.test(text) ? "vllm" : undefined;
};

/** A broken config.json is still one, so that its reader says where it breaks. */
const kindOfJson = (text: string): SourceKind => {
  if (text.length > maxPlanCharacters || jsonError(text) !== undefined) return "huggingface";
  const keys = Object.keys(Object(JSON.parse(text)));
  const isConfig = keys.includes("model_type") || keys.includes("architectures");
  return !isConfig && deepspeedKeys.some((key) => keys.includes(key)) ? "deepspeed" : "huggingface";
};

export const notRecognised = ({ name }: Source): Diagnostic =>
  note(
    "error",
    "source-not-recognised",
    `${name} looks like no source that is known`,
    { position: { file: name, line: 1, column: 1 } },
    `say what it is: ${sourceKinds.join(", ")}`,
  );
