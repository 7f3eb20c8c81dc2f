// Follows a shell script without running it: assignments, conditions and loops as far as the text decides
// them, and hands every program that the script starts to `onCommand`.
//
// Where a condition stays open, both of its branches are followed; what differs after them is unknown.

import {
  type Case,
  type CommandNode,
  type Command,
  type CompoundList,
  type For,
  type If,
  parse,
  type ParsedScript,
  type Pipeline,
  type Statement,
  type While,
} from "unbash";
import { assignFrom, assignmentWord, declare, declares } from "./assignment.ts";
import { evaluateArithmetic } from "./arithmetic.ts";
import { builtins, type BuiltinCall } from "./builtins.ts";
import { decideTest, decideWords, isDecided, not, type Status } from "./condition.ts";
import { expandPattern, expandValue, expandWords, type Scope } from "./expand.ts";
import { globMatches } from "./glob.ts";
import { inputOf, outputOf } from "./output.ts";
import { type SourceText, sourceOf } from "./source_text.ts";
import { assign, continueAsEither, copyOf, type Script, type Shell } from "./shell.ts";
import { knownText, literal, type Scalar, scalar, textOf, type Unknown } from "./value.ts";

/** A program that the script starts. */
export interface StartedCommand {
  /** The program and its arguments. */
  readonly words: readonly Scalar[];
  /** What the program sees, and what the shell has besides. */
  readonly shell: Shell;
  /** A here-document or here-string that it reads. */
  readonly input?: { readonly text: Scalar };
  /** Conditions that the text does not decide, from the outermost in. */
  readonly conditions: readonly Unknown[];
}

export interface ScriptFault {
  readonly message: string;
  readonly offset: number;
}

export interface Follower {
  readonly script: Script;
  readonly onCommand: (command: StartedCommand) => void;
  readonly onFault: (fault: ScriptFault) => void;
}

/** Loops are followed no further: a script does not start more programs than this. */
const maxRounds = 64;
const maxDepth = 16;

interface Frame extends Follower {
  readonly shell: Shell;
  readonly text: SourceText;
  readonly conditions: readonly Unknown[];
  /** Functions and texts within texts. */
  readonly depth: number;
}

/** Follows `text` in `shell`; throws `TooInvolved` where that has no end. */
export function runScript(
  text: SourceText,
  shell: Shell,
  follower: Follower & Partial<Pick<Frame, "conditions" | "depth">>,
): void {
  const { conditions = [], depth = 0 } = follower;
  if (depth > maxDepth) return;
  const script = parse(text.text);
  for (const { message, pos } of script.errors ?? []) {
    follower.onFault({ message, offset: text.at(pos) });
  }
  // Parsing is quick, beside following.
  follower.script.spend(text.text.length / 8);
  runAll(script.commands, { ...follower, shell, text, conditions, depth });
}

function scopeOf(frame: Frame): Scope {
  return {
    script: frame.script,
    shell: frame.shell,
    text: frame.text,
    substitute: (script) => substitute(script, frame),
  };
}

function runAll(statements: readonly Statement[], frame: Frame): Status {
  let status: Status = true;
  for (const { command } of statements) {
    if (frame.shell.stopped !== "no") break;
    status = run(command, frame);
  }
  return status;
}

function runList(list: CompoundList | undefined, frame: Frame): Status {
  return list === undefined ? true : runAll(list.commands, frame);
}

function run(node: Statement["command"], frame: Frame): Status {
  frame.script.spend(1);
  switch (node.type) {
    case "AndOr":
      return runAndOr(node.commands, node.operators, frame);
    case "Pipeline":
      return runPipeline(node, frame);
    case "Command":
      return runCommand(node, frame);
    case "If":
      return runIf([node, ...node.elif], node.else, frame);
    case "For":
    case "Select":
      return runFor(node, frame);
    case "ArithmeticFor": {
      evaluateArithmetic(node.initialize, scopeOf(frame));
      const test = () => arithmeticStatus(evaluateArithmetic(node.test, scopeOf(frame)));
      return runLoop(test, node.body, frame, () => {
        evaluateArithmetic(node.update, scopeOf(frame));
      });
    }
    case "While":
      return runWhile(node, frame);
    case "Case":
      return runCase(node, frame);
    case "Subshell":
      return runList(node.body, { ...frame, shell: copyOf(frame.shell) });
    case "BraceGroup":
      return runList(node.body, frame);
    case "TestCommand":
      return decideTest(node.expression, scopeOf(frame));
    case "ArithmeticCommand":
      return arithmeticStatus(evaluateArithmetic(node.expression, scopeOf(frame)));
    case "Redirected":
      return run(node.command, frame);
    case "Function": {
      frame.shell.functions.set(node.name.value, { body: node.body, text: frame.text });
      return true;
    }
    case "Coproc":
      return runBody(node.body, frame);
  }
}

function runBody(body: CommandNode | CompoundList, frame: Frame): Status {
  return body.type === "CompoundList" ? runList(body, frame) : run(body, frame);
}

function arithmeticStatus(value: number | Unknown): Status {
  return typeof value === "number" ? value !== 0 : value;
}

/** A program's end is not known; a script is written for the case that it succeeds. */
function runAndOr(
  commands: readonly Statement["command"][],
  operators: readonly ("&&" | "||")[],
  frame: Frame,
): Status {
  let status: Status = true;
  for (const [index, command] of commands.entries()) {
    if (frame.shell.stopped !== "no") return status;
    const operator = operators[index - 1];
    if (operator === undefined) status = run(command, frame);
    else if (isDecided(status)) {
      if (status === (operator === "&&")) status = run(command, frame);
    } else if (status.why === ofProgram) {
      if (operator === "&&") status = run(command, frame);
    } else {
      const open: Unknown = status;
      runBranches([(branch) => run(command, branch), () => true], open, frame);
    }
  }
  return status;
}

const ofProgram = "is how a program ends";

function runPipeline({ commands, prefixes }: Pipeline, frame: Frame): Status {
  let status: Status = true;
  for (const command of commands) {
    const shell = commands.length === 1 ? frame.shell : copyOf(frame.shell);
    status = run(command, { ...frame, shell });
  }
  const negations = prefixes.filter(({ type }) => type === "Negation").length;
  return negations % 2 === 1 ? not(status) : status;
}

/** Follows every branch from the same start, and goes on from all of their ends at once. */
function runBranches(
  branches: readonly ((frame: Frame) => Status)[],
  open: Unknown,
  frame: Frame,
): void {
  const conditions = [...frame.conditions, open];
  const ends = branches.map((branch) => {
    const shell = copyOf(frame.shell);
    frame.script.spend(shell.variables.size);
    branch({ ...frame, shell, conditions });
    return shell;
  });
  continueAsEither(frame.shell, ends, (name) => ({
    written: `$${name}`,
    why: `depends on ${open.written}, which ${open.why}`,
    variable: open.variable ?? name,
  }));
}

type Clause = Pick<If, "clause" | "then">;

function runIf(
  clauses: readonly Clause[],
  otherwise: CompoundList | undefined,
  frame: Frame,
): Status {
  const [first, ...rest] = clauses;
  if (first === undefined) return runList(otherwise, frame);
  const status = runList(first.clause, frame);
  if (!isDecided(status)) {
    const others = (branch: Frame) => runIf(rest, otherwise, branch);
    runBranches([(branch) => runList(first.then, branch), others], status, frame);
    return true;
  }
  return status ? runList(first.then, frame) : runIf(rest, otherwise, frame);
}

function runCase({ word, items }: Case, frame: Frame): Status {
  const scope = scopeOf(frame);
  const subject = expandValue(word, scope);
  const text = knownText(subject);
  const unknown = subject.find((piece) => piece.unknown !== undefined)?.unknown;
  if (text !== undefined) {
    for (const [index, item] of items.entries()) {
      const matches = item.pattern.some((pattern) => {
        const tokens = expandPattern(pattern, scope);
        if (!Array.isArray(tokens)) return false;
        frame.script.spend(text.length * (tokens.length + 1));
        return globMatches(text, tokens);
      });
      if (!matches) continue;
      runList(item.body, frame);
      if (item.terminator === ";&") runList(items[index + 1]?.body, frame);
      return true;
    }
    return true;
  }
  if (unknown === undefined) return true;
  const patterns = items.flatMap(({ pattern }) => pattern.map(({ value }) => value));
  if (unknown.variable !== undefined) {
    const values = frame.script.compared.get(unknown.variable) ?? new Set<string>();
    for (const pattern of patterns) if (!/[*?[\]]/.test(pattern)) values.add(pattern);
    frame.script.compared.set(unknown.variable, values);
  }
  const branches = items.map(
    ({ body }) =>
      (branch: Frame) =>
        runList(body, branch),
  );
  const complete = patterns.includes("*");
  runBranches(complete ? branches : [...branches, () => true], unknown, frame);
  return true;
}

function runFor({ name, wordlist, body }: Pick<For, "name" | "wordlist" | "body">, frame: Frame) {
  const { shell, script } = frame;
  const values =
    wordlist === undefined ? (shell.positional ?? []) : expandWords(wordlist, scopeOf(frame));
  for (const value of values.slice(0, maxRounds)) {
    assign(script, shell, name.value, scalar(value));
    if (!runRound(body, frame)) break;
  }
  return true;
}

/** Whether another round follows. */
function runRound(body: CompoundList, frame: Frame): boolean {
  const { shell } = frame;
  runList(body, frame);
  const goesOn = shell.stopped === "no" || shell.stopped === "continue";
  if (shell.stopped !== "return" && shell.stopped !== "exit") shell.stopped = "no";
  return goesOn;
}

function runWhile({ kind, clause, body }: While, frame: Frame): Status {
  return runLoop(
    () => {
      const status = runList(clause, frame);
      return kind === "until" ? not(status) : status;
    },
    body,
    frame,
  );
}

function runLoop(test: () => Status, body: CompoundList, frame: Frame, after?: () => void): Status {
  const { shell } = frame;
  for (let round = 0; round < maxRounds && shell.stopped === "no"; round++) {
    const status = test();
    if (status === false) break;
    if (!isDecided(status)) {
      // A script is read as it is called without arguments: a loop over them does nothing.
      const ofArguments = /^\$[@#\d]|getopt/.test(status.written);
      if (!ofArguments) {
        runBranches([(branch) => runList(body, branch), () => true], status, frame);
      }
      break;
    }
    if (!runRound(body, frame)) break;
    after?.();
  }
  return true;
}

function runCommand(command: Command, frame: Frame): Status {
  const { shell } = frame;
  const scope = scopeOf(frame);
  const assignments = command.prefix.filter((each) => each.type === "Assignment");
  if (command.name === undefined) {
    for (const each of assignments) assignFrom(each, scope);
    const [only] = assignments;
    // An assignment from a substitution ends as that does.
    return only?.text.includes("$(") === true ? { written: only.text, why: ofProgram } : true;
  }
  const words = expandWords([command.name], scope);
  const name = words.length === 0 ? "" : textOf(words[0] ?? []);
  const args = command.args.flatMap((each): Scalar[] =>
    each.type === "Assignment"
      ? declares.has(name)
        ? []
        : [assignmentWord(each, scope)]
      : expandWords([each], scope),
  );
  const all = [...words.slice(1), ...args];
  if (declares.has(name)) {
    declare(name, command, all, scope);
    return true;
  }
  const called = shell.functions.get(name);
  if (called !== undefined) return callFunction(called, all, frame);
  const input = inputOf(command.redirects, scope);
  const builtin = builtins[name];
  if (builtin !== undefined && Object.hasOwn(builtins, name)) {
    const call: BuiltinCall = {
      name,
      words: all,
      scope,
      ...(input === undefined ? {} : { input }),
    };
    if (name === "[" || name === "test") {
      const inner = name === "[" && textOf(all.at(-1) ?? []) === "]" ? all.slice(0, -1) : all;
      return decideWords(inner, scope);
    }
    if (name === "eval") {
      runText(
        all.flatMap((word, index) => (index === 0 ? word : [...literal(" ", 0), ...word])),
        frame,
      );
      return true;
    }
    if (name === "source" || name === ".") return sourceFile(all, frame);
    return builtin(call);
  }
  keepFile(name, command, all, input, frame);
  const own = copyOf(shell);
  for (const each of assignments) assignFrom(each, { ...scope, shell: own }, true);
  frame.onCommand({
    words: [...words, ...args],
    shell: own,
    ...(input === undefined ? {} : { input: { text: input } }),
    conditions: frame.conditions,
  });
  if (name === "exec") shell.stopped = "exit";
  return { written: `${name} …`, why: ofProgram };
}

/** Follows a text that is made of pieces, each of which keeps its place in the source. */
function runText(pieces: Scalar, frame: Frame): void {
  runScript(sourceOf(pieces), frame.shell, { ...frame, depth: frame.depth + 1 });
}

function callFunction(
  { body, text }: { readonly body: CommandNode | CompoundList; readonly text: SourceText },
  words: readonly Scalar[],
  frame: Frame,
): Status {
  if (frame.depth > maxDepth) return true;
  const { shell } = frame;
  const outer = shell.positional;
  shell.positional = words;
  const status = runBody(body, { ...frame, text, depth: frame.depth + 1 });
  shell.positional = outer;
  if (shell.stopped === "return") shell.stopped = "no";
  return status;
}

/** `cat > FILE << EOF` and `tee FILE << EOF`: later commands may read the file. */
function keepFile(
  name: string,
  { redirects }: Command,
  words: readonly Scalar[],
  input: Scalar | undefined,
  frame: Frame,
): void {
  if (input === undefined || (name !== "cat" && name !== "tee")) return;
  const target = redirects.find(
    (each) => each.type === "Redirect" && (each.operator === ">" || each.operator === ">|"),
  );
  const written = target?.type === "Redirect" ? target.target : undefined;
  const path = written ? textOf(expandValue(written, scopeOf(frame))) : textOf(words.at(-1) ?? []);
  if (path !== "") {
    const isOpen = knownText(input) === undefined;
    frame.script.files.set(path, { text: textOf(input), offset: input[0]?.offset ?? 0, isOpen });
  }
}

function sourceFile([path = []]: readonly Scalar[], frame: Frame): Status {
  const file = frame.script.files.get(textOf(path));
  if (file === undefined) {
    frame.script.notRead.push({ path: textOf(path), offset: path[0]?.offset ?? 0 });
  } else runText(literal(file.text, file.offset), frame);
  return true;
}

/** The output of `$(…)`, where it is known without running a program. */
function substitute(script: ParsedScript, frame: Frame): Scalar | undefined {
  if (frame.depth > maxDepth) return undefined;
  const [only, ...others] = script.commands;
  const inner: Frame = {
    ...frame,
    shell: copyOf(frame.shell),
    // A script in backticks has a text of its own.
    text:
      script.source === undefined
        ? frame.text
        : { text: script.source, at: () => frame.text.at(0) },
    depth: frame.depth + 1,
  };
  const command = others.length === 0 ? only?.command : undefined;
  const output = command?.type === "Command" ? outputOf(command, scopeOf(inner)) : undefined;
  // A program that is started in a substitution is started all the same.
  if (output === undefined) runAll(script.commands, inner);
  return output;
}
