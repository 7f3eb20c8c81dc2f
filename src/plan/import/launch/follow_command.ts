// From a command as the shell starts it to the program behind its launchers: `srun bash -c "torchrun …"` is
// followed down to the Python script, and what each launcher says of ranks is kept.

import type { Position } from "../../diagnostic.ts";
import type { Launch, Word } from "../invocation.ts";
import type { Follower, StartedCommand } from "../shell/frame.ts";
import { runScript } from "../shell/run_script.ts";
import { copyOf, exportedOf, newShell, type Shell } from "../shell/shell.ts";
import { sourceOf } from "../shell/source_text.ts";
import {
  firstUnknown,
  literal,
  type Scalar,
  scalar,
  textOf,
  type Unknown,
} from "../shell/value.ts";
import { launchedBy, launcherOptions } from "./launch.ts";
import { behindImage, shellBehind, startsCommand } from "./behind_launcher.ts";
import type { Launcher } from "./launcher.ts";
import { launcherModules, launchers, shells } from "./launchers.ts";
import { splitOptions } from "./options.ts";

/** A program, with all launchers before it taken away. */
export interface LaunchedProgram {
  readonly program: string;
  readonly words: readonly Word[];
  readonly offset: number;
  readonly shell: Shell;
  readonly launch: Launch;
  readonly conditions: readonly Unknown[];
}

export interface CommandPlace {
  readonly follower: Omit<Follower, "onCommand">;
  readonly position: (offset: number) => Position;
  readonly valuesOf: (variable: string) => readonly string[];
  readonly onProgram: (program: LaunchedProgram) => void;
}

export function wordOf(pieces: Scalar): Word {
  const unknown = firstUnknown(pieces);
  return {
    text: textOf(pieces),
    offset: pieces[0]?.offset ?? 0,
    pieces,
    ...(unknown === undefined ? {} : { unknown }),
  };
}

/** Of an exported variable, the value. */
export function variableOf({ variables }: Shell, name: string): Word | undefined {
  const variable = variables.get(name);
  return variable?.exported === true && variable.value.kind === "scalar"
    ? wordOf(variable.value.pieces)
    : undefined;
}

export function followCommand(started: StartedCommand, launch: Launch, place: CommandPlace): void {
  unwrap(runningOf(started, launch, 0), place);
}

function runningOf(started: StartedCommand, launch: Launch, depth: number): Running {
  return {
    words: started.words.map(wordOf),
    shell: started.shell,
    launch,
    conditions: started.conditions,
    ...(started.input === undefined ? {} : { input: started.input.text }),
    depth,
  };
}

interface Running {
  readonly words: readonly Word[];
  readonly shell: Shell;
  readonly launch: Launch;
  readonly conditions: readonly Unknown[];
  readonly input?: Scalar;
  readonly depth: number;
}

const maxDepth = 16;

function unwrap(running: Running, place: CommandPlace): void {
  const { words, shell, launch, depth } = running;
  const [first, ...rest] = words;
  if (first === undefined || depth > maxDepth) return;
  const next = (more: Partial<Running>): void => {
    unwrap({ ...running, depth: depth + 1, ...more }, place);
  };
  const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(first.text) ?? [];
  if (name !== undefined && value !== undefined) {
    next({ words: rest, shell: withVariable(shell, name, literal(value, first.offset)) });
    return;
  }
  const program = first.text.split("/").at(-1) ?? first.text;
  if (shells.has(program)) {
    followShell(running, place);
    return;
  }
  if (/^python[\d.]*$/.test(program)) {
    followPython(running, place);
    return;
  }
  const launcher = Object.hasOwn(launchers, program) ? launchers[program] : undefined;
  if (launcher !== undefined) followLauncher(program, launcher, running, place);
  else if (program.endsWith(".sh") && place.follower.script.files.has(first.text)) {
    next({ words: [{ text: "bash", offset: first.offset }, ...words] });
  } else {
    place.onProgram({
      program,
      words: rest,
      offset: first.offset,
      shell,
      launch,
      conditions: running.conditions,
    });
  }
}

function withVariable(shell: Shell, name: string, value: Scalar): Shell {
  const copy = copyOf(shell);
  copy.variables.set(name, { value: scalar(value), exported: true });
  return copy;
}

/** Runs a text as a shell of its own does, which sees the exported variables alone. */
function runText(
  pieces: Scalar,
  { shell, launch, conditions, depth }: Running,
  positional: readonly Word[] | undefined,
  place: CommandPlace,
): void {
  const inner = newShell(exportedOf(shell));
  inner.positional = positional?.map(({ text, offset }) => literal(text, offset));
  runScript(sourceOf(pieces), inner, {
    ...place.follower,
    onCommand: (started) => unwrap(runningOf(started, launch, depth + 1), place),
    conditions,
    depth,
  });
}

/** `bash -c "…"`, `bash << EOF`, and `bash FILE` where the text itself writes the file. */
function followShell(running: Running, place: CommandPlace): void {
  const [, ...args] = running.words;
  const at = args.findIndex(({ text }) => !/^[-+]/.test(text));
  const flags = at < 0 ? args : args.slice(0, at);
  const [script, ...positional] = at < 0 ? [] : args.slice(at);
  if (flags.some(({ text }) => /^-\w*c$/.test(text))) {
    // The first word after the text is its $0.
    if (script !== undefined) runText(piecesOf(script), running, positional.slice(1), place);
  } else if (script === undefined) {
    if (running.input !== undefined) runText(running.input, running, [], place);
  } else {
    const file = place.follower.script.files.get(script.text);
    if (file === undefined) {
      place.follower.script.notRead.push({ path: script.text, offset: script.offset });
    } else runText(literal(file.text, file.offset), running, positional, place);
  }
}

function piecesOf({ text, offset, pieces }: Word): Scalar {
  return pieces ?? literal(text, offset);
}

/** Options of the interpreter that take a value. */
const pythonValued = new Set(["-W", "-X", "--check-hash-based-pycs"]);

function followPython(running: Running, place: CommandPlace): void {
  const [, ...args] = running.words;
  let at = 0;
  while (at < args.length) {
    const { text = "" } = args[at] ?? {};
    if (text === "-m" || !text.startsWith("-") || text === "-c" || text === "-") break;
    at += pythonValued.has(text) ? 2 : 1;
  }
  const isModule = args[at]?.text === "-m";
  const [script, ...words] = args.slice(isModule ? at + 1 : at);
  if (script === undefined || script.text.startsWith("-")) return;
  startPython(script, words, isModule, running, place);
}

function startPython(
  script: Word,
  words: readonly Word[],
  isModule: boolean,
  running: Running,
  place: CommandPlace,
): void {
  const launcher = isModule ? launcherModules[script.text] : undefined;
  if (launcher !== undefined) {
    const named = launcher.split(" ").map((text) => ({ text, offset: script.offset }));
    unwrap({ ...running, words: [...named, ...words], depth: running.depth + 1 }, place);
    return;
  }
  const program = isModule ? script.text : (script.text.split("/").at(-1) ?? script.text);
  place.onProgram({
    program,
    words,
    offset: script.offset,
    shell: running.shell,
    launch: running.launch,
    conditions: running.conditions,
  });
}

function followLauncher(
  name: string,
  launcher: Launcher,
  running: Running,
  place: CommandPlace,
): void {
  let split = splitOptions(running.words.slice(1), launcher, startsCommand);
  let verb: string | undefined;
  const found = [...split.options];
  while (launcher.verbs?.includes(split.rest[0]?.text ?? "") === true) {
    verb = split.rest[0]?.text;
    split = splitOptions(split.rest.slice(1), launcher, startsCommand);
    found.push(...split.options);
  }
  // `docker build` and `accelerate config` start nothing.
  if (launcher.verbs !== undefined && verb === undefined) return;
  const options = launcherOptions(name, found, place);
  const { job } = running.launch;
  const outer = { ...job, ...running.launch, ...(usesJob(name) ? job : {}) };
  const environment = (variable: string) => variableOf(running.shell, variable);
  const said = launcher.launch?.(options, outer, environment) ?? {};
  const wrapped = options.value("--wrap");
  const entry = options.value("--entrypoint");
  const named = options.value("--image");
  const isModule = launcher.python === true && options.has("-m", "--module");
  const shell = shellBehind(launcher, options.options, running.shell);
  const launch = launchedBy(running.launch, options, said);
  const skipped = split.rest.slice(0, launcher.skips ?? 0);
  const afterDashes = split.rest.findIndex(({ text }) => text === "--");
  const after =
    name === "kubectl" && afterDashes >= 0
      ? split.rest.slice(afterDashes + 1)
      : split.rest.slice(launcher.skips ?? 0);
  const inner: Running = { ...running, shell, launch, depth: running.depth + 1 };
  if (wrapped !== undefined) {
    runText(piecesOf(wrapped), inner, [], place);
    return;
  }
  if (launcher.remote === true) {
    const text = after.flatMap((word, index) =>
      index === 0 ? piecesOf(word) : [...literal(" ", 0), ...piecesOf(word)],
    );
    runText(text.length === 0 ? (running.input ?? []) : text, inner, [], place);
    return;
  }
  if (launcher.python === true) {
    const [script, ...words] = after;
    if (script === undefined) return;
    const direct = isModule || script.text.endsWith(".py");
    if (direct) startPython(script, words, isModule, inner, place);
    else unwrap({ ...inner, words: after }, place);
    return;
  }
  const image = named?.text ?? skipped[0]?.text ?? "";
  const words = verb === "run" ? behindImage(image, entry, after) : after;
  unwrap({ ...inner, words }, place);
}

/** Launchers that take from the job around them what they are not told. */
function usesJob(name: string): boolean {
  return /^(srun|mpirun|mpiexec|orterun|prterun)/.test(name);
}
