// The programs in a shell text that lay a model out, each with its words as the shell hands them over.

import type { Diagnostic, Position } from "../diagnostic.ts";
import { containersIn } from "./containers/containers.ts";
import { dockerfileIn } from "./containers/dockerfile.ts";
import { followContainers, followImage } from "./containers/follow_containers.ts";
import type { Invocation, Launch, Word } from "./invocation.ts";
import { noLaunch } from "./invocation.ts";
import { followCommand, type LaunchedProgram, variableOf } from "./launch/follow_command.ts";
import { launchedBy, launcherOptions } from "./launch/launch.ts";
import { splitOptions } from "./launch/options.ts";
import { sbatchWords, slurmLaunch, slurmOptions, slurmVariables } from "./launch/slurm.ts";
import { linePositions } from "./line_positions.ts";
import { type CommandKind, importNote, type Source } from "./note.ts";
import { notShell, orphans, remarks, unusedLists } from "./command_remarks.ts";
import type { ScriptFault } from "./shell/frame.ts";
import { runScript } from "./shell/run_script.ts";
import { newScript, newShell, type Script, TooInvolved, type Variable } from "./shell/shell.ts";
import { reveal, shellSource, withNewlines } from "./shell/shell_source.ts";
import { literal, scalar } from "./shell/value.ts";
import { toolCommands } from "./tool_commands.ts";
import { isClient } from "./tools.ts";

/** A program that lays a model out, and the tool whose flags it has. */
export interface ToolCommand extends Invocation {
  readonly kind: CommandKind;
  readonly model?: Word;
}

export interface CommandsIn {
  readonly commands: readonly ToolCommand[];
  /** Programs that send requests to a server. */
  readonly clients: readonly Invocation[];
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
      clients: [],
      others: [],
      diagnostics: [importNote("error", "script-too-involved", message, start, hint)],
    };
  }
  diagnostics.push(...faults.slice(0, 5).map((fault) => notShell(fault, position)));
  const found = programs.map(revealed);
  const invoked = invocations(source, script, position, valuesOf);
  const commands = toolCommands(found, shell, source, script).map(
    ({ kind, model, words, program }): ToolCommand => ({
      ...invoked(program, words),
      kind,
      ...(model === undefined ? {} : { model }),
    }),
  );
  return {
    commands: different(commands),
    clients: found
      .filter(({ program, words }) => isClient(program, words))
      .map((program) => invoked(program, program.words)),
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

/** Programs as they are started. */
function invocations(
  source: Source,
  script: Script,
  position: Invocation["position"],
  valuesOf: Invocation["valuesOf"],
) {
  return (program: LaunchedProgram, words: readonly Word[]): Invocation => ({
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
  });
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

/** Flags that tell the machines of one program apart. */
const ofMachine =
  /^--?(node[-_]rank|machine[-_]rank|rank|data[-_]parallel[-_](start[-_]rank|rank|size[-_]local)|headless|(dist[-_]init|master)[-_](addr|port))(=|$)/;
const ofRank = new RegExp(`${ofMachine.source}|^--(host|port)(=|$)`);

/** Each command once: the machines of one program are started by commands that differ in their rank. */
function different(commands: readonly ToolCommand[]): ToolCommand[] {
  const seen = new Map<string, ToolCommand[]>();
  for (const command of commands) {
    const words = command.words.filter(
      ({ text }, at) => !ofRank.test(text) && !ofRank.test(command.words[at - 1]?.text ?? ""),
    );
    const key = JSON.stringify([
      command.kind,
      command.program,
      command.model?.text,
      words.map(({ text }) => text),
    ]);
    seen.set(key, [...(seen.get(key) ?? []), command]);
  }
  return [...seen.values()].flatMap(([first, ...more]) =>
    first === undefined ? [] : [withCopies(first, more)],
  );
}

/** Servers that differ in their port alone are copies, each of them whole. */
function withCopies(first: ToolCommand, more: readonly ToolCommand[]): ToolCommand {
  const portOf = ({ words, conditions }: ToolCommand) => {
    const at = words.findIndex(({ text }) => /^--port(=|$)/.test(text));
    const isAlone = conditions.length === 0 && !words.some(({ text }) => ofMachine.test(text));
    return at < 0 || !isAlone ? undefined : `${words[at]?.text} ${words[at + 1]?.text}`;
  };
  const ports = new Set([first, ...more].map(portOf));
  if (ports.size === 1 || ports.has(undefined)) return first;
  const message = `${ports.size} servers are started, each of them whole; the plan is of one`;
  const place = { position: first.position(first.offset) };
  const note = importNote("warning", "replicas-not-expressible", message, place);
  return { ...first, diagnostics: [...first.diagnostics, note] };
}
