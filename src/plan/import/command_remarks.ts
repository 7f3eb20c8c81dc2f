// What is to be said of a shell text beside its commands: what it reads, leaves open, or has for nothing.

import type { Diagnostic, Position } from "../diagnostic.ts";
import type { LaunchedProgram } from "./launch/follow_command.ts";
import { importNote, shown } from "./note.ts";
import type { ScriptFault } from "./shell/frame.ts";
import type { Script, Shell } from "./shell/shell.ts";
import { textOf } from "./shell/value.ts";

export function notShell({ message, offset }: ScriptFault, position: (offset: number) => Position) {
  return importNote(
    "error",
    "not-shell",
    `a shell cannot read this: ${message}`,
    { position: position(offset) },
    "give the whole text, and put words with brackets in quotes",
  );
}

/** Flags in a variable that no command uses. */
export function unusedLists(
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

export function remarks(script: Script, position: (offset: number) => Position): Diagnostic[] {
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
export function orphans(
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
