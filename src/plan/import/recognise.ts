// Of which kind a file is, by what its text looks like. Command lines are known by the program that they start.

import { jsonError } from "../json_syntax.ts";
import { maxPlanCharacters } from "../syntax.ts";
import type { Source, SourceKind } from "./note.ts";

const deepspeedKeys = [
  "train_batch_size",
  "train_micro_batch_size_per_gpu",
  "gradient_accumulation_steps",
  "zero_optimization",
  "bf16",
  "fp16",
  "tensor_parallel",
];

/** Undefined where the text is no file of a known kind: it is then read as a command line. */
export const recogniseFile = ({ kind, name, text }: Source): SourceKind | undefined => {
  if (kind !== undefined) return kind;
  return text.trimStart().startsWith("{") || name.toLowerCase().endsWith(".json")
    ? kindOfJson(text)
    : undefined;
};

/** A broken config.json is still one, so that its reader says where it breaks. */
const kindOfJson = (text: string): SourceKind => {
  if (text.length > maxPlanCharacters || jsonError(text) !== undefined) return "huggingface";
  const keys = Object.keys(Object(JSON.parse(text)));
  const isConfig = keys.includes("model_type") || keys.includes("architectures");
  return !isConfig && deepspeedKeys.some((key) => keys.includes(key)) ? "deepspeed" : "huggingface";
};
