// Which of the programs that a text starts lay a model out, and by whose flags.

import type { CommandKind, Source } from "./note.ts";
import { isCommandKind } from "./note.ts";
import { type Launch, noLaunch, type Word } from "./invocation.ts";
import { type LaunchedProgram, wordOf } from "./launch/follow_command.ts";
import { runScript } from "./shell/run_script.ts";
import { newShell, type Script, type Shell } from "./shell/shell.ts";
import { sourceOf } from "./shell/source_text.ts";
import { type Scalar, textOf } from "./shell/value.ts";
import { toolOf, toolsByFlags } from "./tools.ts";

/** A program, and the tool whose flags it has. */
export interface Found {
  readonly kind: CommandKind;
  readonly model?: Word;
  readonly words: readonly Word[];
  readonly program: LaunchedProgram;
}

export function toolCommands(
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
