// A job's YAML of LLaMA-Factory or Axolotl: keys that are flags of the Hugging Face Trainer, some under names of their own.

import { readFields } from "./fields.ts";
import { commandOf, entriesOf } from "./flags_file.ts";
import type { Imported, Source } from "./note.ts";
import { importTrainer } from "./trainer.ts";

/** Axolotl's names. */
const renamed: Readonly<Record<string, string>> = {
  base_model: "model_name_or_path",
  micro_batch_size: "per_device_train_batch_size",
  sequence_len: "max_seq_length",
  tensor_parallel_size: "parallelism_config_tp_size",
  context_parallel_size: "parallelism_config_cp_size",
  dp_replicate_size: "parallelism_config_dp_replicate_size",
  dp_shard_size: "parallelism_config_dp_shard_size",
  num_epochs: "num_train_epochs",
};

export function importTrainerFile(source: Source): Imported {
  const { fields, diagnostics } = readFields(source);
  const entries = fields === undefined ? [] : entriesOf(fields);
  return importTrainer(
    commandOf(
      "trainer",
      source.name,
      // `auto` takes what the machine has, which today is bf16.
      entries.map(({ flag, value, position }) => ({
        flag: renamed[flag] ?? flag,
        value: flag === "bf16" && value === "auto" ? true : value,
        position,
      })),
      { diagnostics },
    ),
  );
}
