// One simple command of a shell script: an assignment, a function, what the shell does itself, or a program.

import type { Command, CommandNode, CompoundList } from "unbash";
import { assignFrom, assignmentWord, declare, declares } from "./assignment.ts";
import { ofProgram } from "./branches.ts";
import { type BuiltinCall, builtins } from "./builtins.ts";
import { decideWords, type Status } from "./condition.ts";
import { expandValue, expandWords } from "./expand.ts";
import { followText, type Frame, maxDepth, runBody, scopeOf } from "./frame.ts";
import { inputOf } from "./output.ts";
import { copyOf, endLocals, type Locals } from "./shell.ts";
import { type SourceText, sourceOf } from "./source_text.ts";
import { knownText, literal, type Scalar, textOf } from "./value.ts";

export function runCommand(command: Command, frame: Frame): Status {
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
    if (name === "let") {
      for (const word of all) runText([...literal("((", 0), ...word, ...literal("))", 0)], frame);
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
  followText(sourceOf(pieces), { ...frame, depth: frame.depth + 1 });
}

function callFunction(
  { body, text }: { readonly body: CommandNode | CompoundList; readonly text: SourceText },
  words: readonly Scalar[],
  frame: Frame,
): Status {
  if (frame.depth > maxDepth) return true;
  const { shell } = frame;
  const { positional, locals: outer } = shell;
  const locals: Locals = new Map();
  shell.positional = words;
  shell.locals = locals;
  const status = runBody(body, { ...frame, text, depth: frame.depth + 1 });
  shell.positional = positional;
  endLocals(frame.script, shell, locals);
  if (outer === undefined) delete shell.locals;
  else shell.locals = outer;
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
