// TensorRT-LLM's options in YAML, which `--config` (`--extra_llm_api_options`) names: flags by other means, that take
// the place of those on the command line.

import type { Position } from "../diagnostic.ts";
import type { ToolCommand } from "./commands_in.ts";
import { type ImportedFields, isObject, readFields } from "./fields.ts";
import { commandOf, entriesOf, type FlagEntry } from "./flags_file.ts";
import type { Source } from "./note.ts";

/** The command with the options of a file behind its own, where the last counts. */
export function withOptions(command: ToolCommand, file: Source): ToolCommand {
  const options = optionsCommand(file);
  // Places in the file are below 0, those of the command's text from 0 on.
  const words = options.words.map((word) => ({ ...word, offset: -1 - word.offset }));
  return {
    ...command,
    words: [...command.words, ...words],
    position: (offset): Position =>
      offset < 0 ? options.position(-1 - offset) : command.position(offset),
    diagnostics: [...command.diagnostics, ...options.diagnostics],
  };
}

export function optionsCommand(source: Source): ToolCommand {
  const { fields, diagnostics } = readFields(source);
  const entries =
    fields === undefined ? [] : entriesOf(fields).flatMap((each) => flat(fields, each));
  return commandOf("tensorrt-llm", source.name, entries, { diagnostics });
}

/** Some options are in an object of their own where the command has one flag. */
function flat(fields: ImportedFields, entry: FlagEntry): FlagEntry[] {
  return /^(kv_cache_config|parallel_config)$/.test(entry.flag) && isObject(entry.value)
    ? entriesOf(fields, [entry.flag]).map((each) => ({
        ...each,
        flag: each.flag === "dtype" ? "kv_cache_dtype" : each.flag,
      }))
    : [entry];
}
