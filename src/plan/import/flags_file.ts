// Files that give a tool's flags as keys: vLLM's --config, Megatron-LM's MODEL_ARGS. They become the command that
// they stand for, each word where its key stands.

import type { Position } from "../diagnostic.ts";
import type { Path } from "../document.ts";
import type { ToolCommand } from "./commands_in.ts";
import { type ImportedFields, isObject, readFields } from "./fields.ts";
import { noLaunch, type Word } from "./invocation.ts";
import { importMegatron } from "./megatron.ts";
import { type CommandKind, type Imported, type Source } from "./note.ts";
import { importVllm } from "./vllm.ts";

export interface FlagEntry {
  /** With or without dashes before it, in any spelling. */
  readonly flag: string;
  readonly value: unknown;
  readonly position: Position | undefined;
}

/** Keys of an object as flags. */
export function entriesOf(fields: ImportedFields, path: Path = []): FlagEntry[] {
  return Object.entries(Object(path.length === 0 ? fields.peek() : fields.value(...path))).map(
    ([flag, value]) => ({ flag, value, position: fields.position([...path, flag]) }),
  );
}

/** As the tool itself would take it: `true` is a switch, a list several values, `null` nothing. */
export function commandOf(
  kind: CommandKind,
  source: string,
  entries: readonly FlagEntry[],
  more: Partial<Pick<ToolCommand, "model" | "launch" | "diagnostics" | "program">> = {},
): ToolCommand {
  const start: Position = { file: source, line: 1, column: 1 };
  const positions: Position[] = [];
  const words: Word[] = [];
  for (const { flag, value, position } of entries) {
    const offset = positions.push(position ?? start) - 1;
    const values = valuesOf(value);
    if (values === undefined) continue;
    const name = flag.startsWith("-") ? flag : `--${flag.replaceAll("_", "-")}`;
    words.push({ text: name, offset }, ...values.map((text) => ({ text, offset })));
  }
  return {
    kind,
    source,
    program: "",
    words,
    offset: 0,
    environment: () => undefined,
    launch: noLaunch,
    position: (offset) => positions[offset] ?? start,
    valuesOf: () => [],
    files: new Map(),
    conditions: [],
    diagnostics: [],
    ...more,
  };
}

function valuesOf(value: unknown): readonly string[] | undefined {
  if (value === null || value === undefined) return undefined;
  if (value === true) return [];
  if (Array.isArray(value)) return value.map(String);
  return [typeof value === "string" ? value : JSON.stringify(value)];
}

export function importVllmFile(source: Source): Imported {
  const { fields, diagnostics } = readFields(source);
  const entries = fields === undefined ? [] : entriesOf(fields);
  const isModel = ({ flag }: FlagEntry) => /^(--)?model([-_]tag)?$/.test(flag);
  const model = entries.find(isModel)?.value;
  return importVllm(
    commandOf(
      "vllm",
      source.name,
      entries.filter((each) => !isModel(each)),
      {
        diagnostics,
        ...(typeof model === "string" ? { model: { text: model, offset: 0 } } : {}),
      },
    ),
  );
}

/** What a file of its tests has beside the flags: how a test is run, and what it compares. */
const besideArguments = /^(ENV_VARS|TEST_TYPE|MODE|BEFORE_SCRIPT|AFTER_SCRIPT|METRICS|[A-Z_]+)$/;

export function importMegatronFile(source: Source): Imported {
  const { fields, diagnostics } = readFields(source);
  if (fields === undefined) {
    return importMegatron(commandOf("megatron", source.name, [], { diagnostics }));
  }
  const isNested = isObject(fields.peek("MODEL_ARGS"));
  const entries = isNested
    ? entriesOf(fields, ["MODEL_ARGS"])
    : entriesOf(fields).flatMap((entry): FlagEntry[] =>
        // The --yaml-cfg of the same tool sorts its flags into objects.
        isObject(entry.value) ? entriesOf(fields, [entry.flag]) : [entry],
      );
  const rest = isNested ? fields.unread().filter((key) => !key.startsWith("MODEL_ARGS")) : [];
  for (const key of rest.filter((each) => !besideArguments.test(each))) {
    const message = `the key "${key}" is not understood, and not in the plan`;
    fields.report("warning", "key-not-understood", message, [key]);
  }
  return importMegatron(
    commandOf("megatron", source.name, entries, {
      diagnostics: [...diagnostics, ...fields.diagnostics],
    }),
  );
}
