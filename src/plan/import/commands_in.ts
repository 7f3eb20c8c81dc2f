// The programs in a shell text that lay a model out, each with its words as the shell hands them over.

import type { Diagnostic, Position } from "../diagnostic.ts";
import { containersIn } from "./containers/containers.ts";
import { dockerfileIn } from "./containers/dockerfile.ts";
import { followContainers, followImage } from "./containers/follow_containers.ts";
import type { Invocation, Launch, Word } from "./invocation.ts";
import { noLaunch } from "./invocation.ts";
import {
  followCommand,
  type LaunchedProgram,
  variableOf,
  wordOf,
} from "./launch/follow_command.ts";
import { launchedBy, launcherOptions } from "./launch/launch.ts";
import { splitOptions } from "./launch/options.ts";
import { sbatchWords, slurmLaunch, slurmOptions, slurmVariables } from "./launch/slurm.ts";
import { linePositions } from "./line_positions.ts";
import { type CommandKind, isCommandKind, importNote, shown, type Source } from "./note.ts";
import { type ScriptFault, runScript } from "./shell/run_script.ts";
import { sourceOf } from "./shell/source_text.ts";
import {
  newScript,
  newShell,
  type Script,
  type Shell,
  TooInvolved,
  type Variable,
} from "./shell/shell.ts";
import { reveal, shellSource, withNewlines } from "./shell/shell_source.ts";
import { literal, type Scalar, scalar, textOf } from "./shell/value.ts";
import { toolOf, toolsByFlags } from "./tools.ts";

/** A program that lays a model out, and the tool whose flags it has. */
export interface ToolCommand extends Invocation {
  readonly kind: CommandKind;
  readonly model?: Word;
}

export interface CommandsIn {
  readonly commands: readonly ToolCommand[];
  /** Programs that are none of the tools whose flags are known. */
  readonly others: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Never throws. */
export function commandsIn(source: Source): CommandsIn {
  const position = linePositions(source);
  const script = newScript(source.set ?? new Map());
  const programs: LaunchedProgram[] = [];
  const faults: ScriptFault[] = [];
  const plain = withNewlines(source.text);
  const text = shellSource(plain);
  const job = jobOf(text, script, position);
  const shell = newShell(job.variables);
  const valuesOf = (variable: string) => [...(script.compared.get(variable) ?? [])];
  const follower = { script, onFault: (fault: ScriptFault) => faults.push(fault) };
  const place = {
    follower,
    position,
    valuesOf,
    onProgram: (each: LaunchedProgram) => programs.push(each),
  };
  const diagnostics: Diagnostic[] = [...job.launch.diagnostics];
  try {
    const containers = containersIn(plain);
    const image = containers === undefined ? dockerfileIn(plain) : undefined;
    if (containers !== undefined) followContainers(containers, place);
    else if (image !== undefined) followImage(image, place);
    else {
      runScript({ text, at: (offset) => offset }, shell, {
        ...follower,
        onCommand: (started) => {
          followCommand(started, job.launch, place);
        },
      });
    }
  } catch (error) {
    if (!(error instanceof TooInvolved)) throw error;
    const hint = "give the command alone, without the script around it";
    const message = "the script is too involved to be followed to its end";
    const start = { position: position(0) };
    return {
      commands: [],
      others: [],
      diagnostics: [importNote("error", "script-too-involved", message, start, hint)],
    };
  }
  diagnostics.push(...faults.slice(0, 5).map((fault) => notShell(fault, position)));
  const found = programs.map(revealed);
  const commands = toolCommands(found, shell, source, script).map(
    ({ kind, model, words, program }): ToolCommand => ({
      kind,
      ...(model === undefined ? {} : { model }),
      source: source.name,
      program: program.program,
      words,
      offset: program.offset,
      environment: (name) => variableOf(program.shell, name),
      launch: program.launch,
      position,
      valuesOf,
      files: script.files,
      conditions: program.conditions,
      diagnostics: [],
    }),
  );
  return {
    commands: different(commands),
    others: found.map(({ program }) => program).filter((program) => !program.startsWith("-")),
    diagnostics: [
      ...diagnostics,
      ...remarks(script, position),
      // Lists without a program are themselves what is read.
      ...(commands.every(({ program }) => program === "")
        ? []
        : [...unusedLists(script, shell, position), ...orphans(found, position)]),
    ],
  };
}

function jobOf(text: string, script: Script, position: (offset: number) => Position) {
  const { options } = splitOptions(sbatchWords(text), slurmOptions, () => false);
  const none = { launch: noLaunch, variables: new Map<string, Variable>() };
  if (options.length === 0) return none;
  const read = launcherOptions("sbatch", options, { position, valuesOf: () => [] });
  const job = slurmLaunch(read, {});
  const variables = [...slurmVariables(job)].map(([name, { count, offset }]) => {
    const value = scalar(literal(String(count), offset));
    return [name, { value, exported: true }] as const;
  });
  const { tasksPerNode: _tasks, ...given } = job;
  script.spend(options.length);
  return {
    launch: { ...launchedBy(noLaunch, read, {}), job: given } satisfies Launch,
    variables: new Map<string, Variable>(variables),
  };
}

/** Characters that were hidden from the shell come back. */
function revealed(program: LaunchedProgram): LaunchedProgram {
  return {
    ...program,
    program: reveal(program.program),
    words: program.words.map((word) => ({ ...word, text: reveal(word.text) })),
  };
}

interface Found {
  readonly kind: CommandKind;
  readonly model?: Word;
  readonly words: readonly Word[];
  readonly program: LaunchedProgram;
}

function toolCommands(
  programs: readonly LaunchedProgram[],
  shell: Shell,
  { kind: named }: Source,
  script: Script,
): readonly Found[] {
  const forced = isCommandKind(named) ? named : undefined;
  const known = programs.flatMap((program): Found[] => {
    if (program.program.startsWith("-")) return [];
    const tool = toolOf(program.program, program.words);
    return tool === undefined ? [] : [{ ...tool, program }];
  });
  if (forced !== undefined) {
    const own = known.filter(({ kind }) => kind === forced);
    if (own.length > 0) return own;
    const others = programs.filter(
      ({ program, words }) =>
        !program.startsWith("-") && words.some(({ text }) => /^--?[A-Za-z]/.test(text)),
    );
    const all = others.length > 0 ? others : lists(programs, shell, script);
    return all.map((program) => ({ kind: forced, words: program.words, program }));
  }
  if (known.length > 0) return known;
  const trained = programs.filter(({ launch, program }) => isTraining(launch, program));
  if (trained.length > 0) {
    return trained.map((program) => ({ kind: "trainer", words: program.words, program }));
  }
  return lists(programs, shell, script).flatMap((program): Found[] => {
    const [kind, ...more] = toolsByFlags(program.words);
    return kind === undefined || more.length > 0 ? [] : [{ kind, words: program.words, program }];
  });
}

/** A Python script that is none of the known ones, with ranks that a launcher gives it. */
function isTraining({ ranks, launchers }: Launch, program: string): boolean {
  return (
    program.endsWith(".py") &&
    (ranks !== undefined ||
      launchers.some(({ name }) => ["torchrun", "accelerate", "deepspeed"].includes(name)))
  );
}

/** Flags without a program: as they stand, or in the variables of a text that starts nothing. */
function lists(
  programs: readonly LaunchedProgram[],
  shell: Shell,
  script: Script,
): LaunchedProgram[] {
  const bare = programs.filter(({ program }) => /^--?[A-Za-z]/.test(program));
  const base = { program: "", shell, launch: noLaunch, conditions: [] };
  if (bare.length > 0) {
    const words = bare.flatMap((each) => [
      { text: each.program, offset: each.offset },
      ...each.words,
    ]);
    return [{ ...base, words, offset: bare[0]?.offset ?? 0 }];
  }
  const assigned = [...shell.variables.values()].flatMap(({ value }): Scalar[] =>
    value.kind === "array" ? [...value.elements.values()] : [value.pieces],
  );
  if (!assigned.some((value) => /^\s*--?[A-Za-z]/.test(textOf(value)))) return [];
  // The shell splits a value where it is used.
  const inner = newShell(shell.variables);
  const words: Word[] = [];
  for (const value of assigned) {
    if (!/^\s*--?[A-Za-z]|^[\w.,/-]+$/.test(textOf(value)) || isPlainValue(value, shell)) continue;
    runScript(sourceOf(value), inner, {
      script,
      onFault: () => undefined,
      onCommand: (started) => {
        words.push(...started.words.map(wordOf));
      },
    });
  }
  return [{ ...base, words, offset: words[0]?.offset ?? 0 }];
}

/** TP=4 beside the lists of flags is no word of theirs. */
function isPlainValue(value: Scalar, shell: Shell): boolean {
  return (
    [...shell.variables.values()].some(
      (variable) => variable.value.kind === "scalar" && variable.value.pieces === value,
    ) && !/^\s*--?[A-Za-z]/.test(textOf(value))
  );
}

/** Flags that tell the machines of one program apart. */
const ofRank =
  /^--?(node[-_]rank|machine[-_]rank|rank|data[-_]parallel[-_](start[-_]rank|rank|size[-_]local)|headless|host|port|(dist[-_]init|master)[-_](addr|port)|dist[-_]init[-_]addr)(=|$)/;

/** Each command once: the machines of one program are started by commands that differ in their rank. */
function different(commands: readonly ToolCommand[]): ToolCommand[] {
  const seen = new Set<string>();
  return commands.filter((command) => {
    const words = command.words.filter(
      ({ text }, at) => !ofRank.test(text) && !ofRank.test(command.words[at - 1]?.text ?? ""),
    );
    const key = JSON.stringify([
      command.kind,
      command.program,
      command.model?.text,
      words.map(({ text }) => text),
    ]);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function notShell({ message, offset }: ScriptFault, position: (offset: number) => Position) {
  return importNote(
    "error",
    "not-shell",
    `a shell cannot read this: ${message}`,
    { position: position(offset) },
    "give the whole text, and put words with brackets in quotes",
  );
}

/** Flags in a variable that no command uses. */
function unusedLists(
  { used }: Script,
  { variables }: Shell,
  position: (offset: number) => Position,
): Diagnostic[] {
  return [...variables].flatMap(([name, { value }]) => {
    if (used.has(name)) return [];
    const pieces = value.kind === "scalar" ? value.pieces : [...value.elements.values()].flat();
    const flags = textOf(pieces).match(/(?:^|\s)--?[A-Za-z][\w-]*/g) ?? [];
    if (flags.length === 0) return [];
    const listed = flags.map((flag) => flag.trim()).join(", ");
    const message = `no command uses ${name}, so its flags are not in the plan: ${listed}`;
    const place = { position: position(pieces[0]?.offset ?? 0) };
    return [importNote("warning", "flags-not-used", message, place)];
  });
}

function remarks(script: Script, position: (offset: number) => Position): Diagnostic[] {
  const { defaults, notRead, used, pinned } = script;
  const taken = [...defaults].filter(([name]) => used.has(name) && !/^\d+$/.test(name));
  const files = [...new Map(notRead.map((each) => [each.path, each])).values()];
  return [
    ...files.map(({ path, offset }) => {
      const message = `the text reads ${shown(path)}, which is not part of it`;
      const hint = "set what it sets, as in `--set TP=8`, or give the texts as one";
      return importNote("info", "file-not-read", message, { position: position(offset) }, hint);
    }),
    ...(taken.length === 0
      ? []
      : [
          importNote(
            "info",
            "defaults-taken",
            `the text leaves these to the environment, and their defaults count: ${taken
              .map(([name, value]) => `${name}=${shortened(value)}`)
              .join(", ")}`,
            { position: position(0) },
            `another value is given as in \`--set ${taken[0]?.[0]}=8\``,
          ),
        ]),
    ...[...pinned.keys()]
      .filter((name) => !used.has(name))
      .map((name) =>
        importNote("warning", "set-without-use", `${name} is set, but the text does not use it`, {
          position: position(0),
        }),
      ),
  ];
}

function shortened(text: string): string {
  return text.length > 30 ? `${text.slice(0, 30)}…` : text;
}

/** Lines that begin with a flag: a comment or a space after a backslash has cut them off. */
function orphans(
  programs: readonly LaunchedProgram[],
  position: (offset: number) => Position,
): Diagnostic[] {
  return programs
    .filter(({ program }) => /^[-–—−]{1,2}[A-Za-z]/.test(program))
    .map(({ program, words, offset }) => {
      const line = [program, ...words.map(({ text }) => text)].join(" ");
      const message = `these words belong to no program: ${shortened(line)}`;
      const hint = "end the line before with a backslash, with nothing behind it";
      return importNote(
        "error",
        "words-without-program",
        message,
        { position: position(offset) },
        hint,
      );
    });
}
