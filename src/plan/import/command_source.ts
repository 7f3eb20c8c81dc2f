// A source with command lines: which program of it lays the model out, and what that says.

import type { Diagnostic } from "../diagnostic.ts";
import { maxPlanCharacters } from "../syntax.ts";
import { requestsOf } from "./bench_client.ts";
import { type CommandsIn, commandsIn, type ToolCommand } from "./commands_in.ts";
import { importLmdeploy } from "./lmdeploy.ts";
import { importMegatron } from "./megatron.ts";
import type { Invocation } from "./invocation.ts";
import {
  type CommandKind,
  type Imported,
  type ImportedServing,
  importNote,
  type Source,
  sourceKinds,
} from "./note.ts";
import { importNemoCommand } from "./nemo.ts";
import { hasKeys, recogniseFile } from "./recognise.ts";
import { importSglang } from "./sglang.ts";
import { importTensorRtLlm } from "./tensorrt_llm.ts";
import { importTgi } from "./tgi.ts";
import { importTrainer } from "./trainer.ts";
import { importVllm } from "./vllm.ts";

type Reader = (command: ToolCommand, completing: Source | undefined) => Imported;

const readers: Readonly<Record<CommandKind, Reader>> = {
  megatron: importMegatron,
  vllm: importVllm,
  sglang: importSglang,
  "tensorrt-llm": importTensorRtLlm,
  lmdeploy: importLmdeploy,
  tgi: importTgi,
  nemo: importNemoCommand,
  trainer: importTrainer,
};

export interface CommandSource {
  readonly imported: Imported;
  /** Files that the text writes and the command names. */
  readonly configs: readonly Source[];
  /** A source beside, which is read with the command that it completes. */
  readonly used?: Source;
}

/**
 * Never throws.
 * @param beside the other sources
 */
export function importCommands(source: Source, beside: readonly Source[]): CommandSource {
  const found = chosenCommand(source);
  if (!("command" in found)) return { imported: found, configs: [] };
  const { command } = found;
  const configs = command.words.flatMap(({ text, unknown }): Source[] => {
    const path = text.slice(text.indexOf("=") + 1);
    const file = unknown === undefined ? command.files.get(path) : undefined;
    const isConfig = file !== undefined && !file.isOpen && /\.(json|ya?ml|toml)$/.test(path);
    return isConfig ? [{ name: path, text: file.text }] : [];
  });
  const requests = requestsOf(found.clients);
  const isCompleting = (each: Source): boolean => completes(each, command.kind);
  const own = configs.find(isCompleting);
  const completing = own ?? beside.find(isCompleting);
  return {
    imported: withRequests(readers[command.kind](command, completing), requests),
    configs: configs.filter((each) => each !== own),
    ...(own === undefined && completing !== undefined ? { used: completing } : {}),
  };
}

interface Chosen {
  readonly command: ToolCommand;
  readonly clients: readonly Invocation[];
}

/** Files that change what a command says, and are none without it. */
function completes(file: Source, kind: CommandKind): boolean {
  return (
    (kind === "tensorrt-llm" || kind === "nemo") && hasKeys(file) && recogniseFile(file) === kind
  );
}

/** Sent by clients that the same text starts. */
function withRequests(imported: Imported, requests: ImportedServing | undefined): Imported {
  const { workload } = imported;
  return requests === undefined
    ? imported
    : { ...imported, workload: { ...workload, serving: { ...workload.serving, ...requests } } };
}

function chosenCommand(source: Source): Chosen | Imported {
  if (source.text.length > maxPlanCharacters) {
    return nothing(source, [
      importNote(
        "error",
        "file-too-large",
        `a command has at most ${maxPlanCharacters} characters`,
        { position: { file: source.name, line: 1, column: 1 } },
        "give the command alone",
      ),
    ]);
  }
  const found = commandsIn(source);
  const { commands, clients, diagnostics } = found;
  if (commands.length === 0) {
    const requests = requestsOf(clients);
    if (requests !== undefined) return withRequests(nothing(source, diagnostics), requests);
    const broken = diagnostics.some(({ severity }) => severity === "error");
    return nothing(source, broken ? diagnostics : [...diagnostics, notRecognised(source, found)]);
  }
  const chosen = commands.length === 1 ? commands[0] : commands[(source.command ?? 0) - 1];
  if (chosen === undefined) return nothing(source, [...diagnostics, severalCommands(commands)]);
  const said = [...diagnostics, ...chosen.diagnostics, ...underCondition(chosen)];
  const command = { ...chosen, diagnostics: said };
  return { command, clients };
}

function nothing({ name, kind }: Source, diagnostics: readonly Diagnostic[]): Imported {
  return {
    kind: kind ?? "vllm",
    source: name,
    layout: {},
    workload: {},
    optimizations: [],
    assumed: [],
    diagnostics,
  };
}

/** That a condition holds which the text does not decide. */
function underCondition({ conditions, position, offset }: ToolCommand): Diagnostic[] {
  const [condition] = conditions;
  if (condition === undefined) return [];
  const message = `that this program is started depends on ${condition.written}, which ${condition.why}; the plan takes it that it is`;
  return [importNote("info", "started-under-condition", message, { position: position(offset) })];
}

function severalCommands(commands: readonly ToolCommand[]): Diagnostic {
  const listed = commands.slice(0, 6).map(({ program, words, position, offset, model }, index) => {
    const first = [program, model?.text, ...words.slice(0, 6).map(({ text }) => text)];
    return `${index + 1}: ${first
      .filter((text) => text !== undefined)
      .join(" ")
      .slice(0, 80)} (line ${position(offset).line})`;
  });
  const [first] = commands;
  const variable = first?.conditions[0]?.variable;
  const [value] = variable === undefined ? [] : (first?.valuesOf(variable) ?? []);
  const decided =
    value === undefined ? "" : `, or decide which is started, as in \`--set ${variable}=${value}\``;
  return importNote(
    "error",
    "several-commands",
    `the text starts ${commands.length} programs that lay a model out, and a plan has one: ${listed.join("; ")}`,
    first === undefined ? {} : { position: first.position(first.offset) },
    `choose one, as in \`--command 1\`${decided}`,
  );
}

function notRecognised(source: Source, { others }: CommandsIn): Diagnostic {
  const programs = [...new Set(others)].slice(0, 6);
  const what =
    programs.length === 0
      ? "looks like no source that is known"
      : `starts none of the programs whose flags are known: ${programs.join(", ")}`;
  const isFile = !source.name.startsWith("<");
  return importNote(
    "error",
    "source-not-recognised",
    `${source.name} ${what}`,
    { position: { file: source.name, line: 1, column: 1 } },
    `say what it is, as in \`--from vllm${isFile ? `=${source.name}` : ""}\`: ${sourceKinds.join(", ")}`,
  );
}
