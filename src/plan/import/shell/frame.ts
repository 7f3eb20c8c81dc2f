// Where a shell script is being followed: its shell, its text, and what has been decided on the way there.

import {
  type CommandNode,
  type CompoundList,
  parse,
  type ParsedScript,
  type Statement,
} from "unbash";
import type { Status } from "./condition.ts";
import type { Scope } from "./expand.ts";
import { outputOf } from "./output.ts";
import type { SourceText } from "./source_text.ts";
import { copyOf, type Script, type Shell } from "./shell.ts";
import type { Scalar, Unknown } from "./value.ts";

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

/** Of functions and texts within texts. */
export const maxDepth = 16;

export interface Frame extends Follower {
  readonly shell: Shell;
  readonly text: SourceText;
  readonly conditions: readonly Unknown[];
  /** Functions and texts within texts. */
  readonly depth: number;
  readonly run: (node: Statement["command"], frame: Frame) => Status;
}

/** Throws `TooInvolved` where that has no end. */
export function followText(text: SourceText, frame: Omit<Frame, "text">): void {
  if (frame.depth > maxDepth) return;
  const script = parse(text.text);
  for (const { message, pos } of script.errors ?? []) {
    frame.onFault({ message, offset: text.at(pos) });
  }
  // Parsing is quick, beside following.
  frame.script.spend(text.text.length / 8);
  runAll(script.commands, { ...frame, text });
}

function runAll(statements: readonly Statement[], frame: Frame): Status {
  let status: Status = true;
  for (const { command, background } of statements) {
    if (frame.shell.stopped !== "no") break;
    // What runs beside the script has a shell of its own.
    const own = background === true ? { ...frame, shell: copyOf(frame.shell) } : frame;
    status = frame.run(command, own);
  }
  return status;
}

export function runList(list: CompoundList | undefined, frame: Frame): Status {
  return list === undefined ? true : runAll(list.commands, frame);
}

export function runBody(body: CommandNode | CompoundList, frame: Frame): Status {
  return body.type === "CompoundList" ? runList(body, frame) : frame.run(body, frame);
}

export function scopeOf(frame: Frame): Scope {
  return {
    script: frame.script,
    shell: frame.shell,
    text: frame.text,
    substitute: (script) => substitute(script, frame),
  };
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
