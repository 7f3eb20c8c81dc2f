// Reads flags of a command line one by one, as `json_fields` reads keys: values are typed, faults have a
// position, and flags that nothing reads can be listed.

import { LineCounter } from "yaml";
import type { Diagnostic, Position } from "../diagnostic.ts";
import { positionAt } from "../document.ts";
import { maxPlanCharacters } from "../syntax.ts";
import { isCount } from "./json_fields.ts";
import { note, shown, type Source } from "./note.ts";
import { resolved, shellWords, type ShellText } from "./shell_words.ts";

export interface CommandFlags {
  /** Words before, between and after flags that belong to none. */
  readonly words: readonly string[];
  readonly variables: ReadonlyMap<string, string>;
  /** Whether the flag is there, with or without a value. */
  readonly has: (flag: string) => boolean;
  readonly text: (flag: string) => string | undefined;
  /** A whole number above 0; anything else is reported. */
  readonly count: (flag: string) => number | undefined;
  readonly number: (flag: string) => number | undefined;
  readonly report: (
    severity: Diagnostic["severity"],
    code: string,
    message: string,
    flag: string | undefined,
    hint?: string,
  ) => void;
  /** Flags that nothing has asked for, with what follows them. */
  readonly unread: () => readonly Flag[];
  readonly position: (flag: string) => Position | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

export interface Flag {
  /** With dashes, such as --num-layers. */
  readonly name: string;
  readonly values: readonly string[];
  readonly offset: number;
}

export interface FlagGrammar {
  /** Flags that take no value; of all others the words that follow are values. */
  readonly switches: ReadonlySet<string>;
  /** Short and older names. */
  readonly aliases: Readonly<Record<string, string>>;
}

const isFlag = (word: string): boolean => /^--?[A-Za-z]/.test(word);

/** Never throws. */
export const readCommand = ({ name, text }: Source, grammar: FlagGrammar): CommandFlags => {
  const whole = text.slice(0, maxPlanCharacters);
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = whole.indexOf("\n"); at >= 0; at = whole.indexOf("\n", at + 1)) {
    lines.addNewLine(at + 1);
  }
  const shell = shellWords(whole);
  const { flags, words } = group(shell, grammar);
  const diagnostics: Diagnostic[] = [];
  const read = new Set<string>();
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const position = (flag: string): Position | undefined => {
    const found = byName.get(flag);
    return found && positionAt(name, lines, found.offset);
  };
  const report: CommandFlags["report"] = (severity, code, message, flag, hint) => {
    const place =
      flag === undefined
        ? { position: positionAt(name, lines, 0) }
        : { path: [flag], position: position(flag) };
    diagnostics.push(note(severity, code, message, place, hint));
  };
  if (text.length > maxPlanCharacters) {
    report(
      "error",
      "file-too-large",
      `a command has at most ${maxPlanCharacters} characters`,
      undefined,
    );
  }
  for (const flag of flags) {
    const last = byName.get(flag.name);
    if (last === flag || last?.values.join(" ") === flag.values.join(" ")) continue;
    const message = `${flag.name} is given twice; the last counts: ${shown(last?.values.join(" "))}`;
    report("warning", "flag-given-twice", message, flag.name, "keep one of the two");
  }
  const textOf = (flag: string): string | undefined => {
    read.add(flag);
    const value = byName.get(flag)?.values[0];
    return value === undefined ? undefined : resolved(value, shell);
  };
  const typed = (flag: string, wanted: string, fits: (value: number) => boolean) => {
    const value = textOf(flag);
    if (!byName.has(flag)) return undefined;
    const number = value === undefined || value.trim() === "" ? Number.NaN : Number(value);
    if (fits(number)) return number;
    if (value?.includes("$") === true) {
      const hint = "replace it by its value, or set it in the text, as in TP=4";
      report(
        "error",
        "variable-not-set",
        `${flag} is ${value}, which the text does not set`,
        flag,
        hint,
      );
      return undefined;
    }
    report("error", "wrong-type", `${flag} must be ${wanted}, found ${shown(value)}`, flag);
    return undefined;
  };
  return {
    words,
    variables: shell.variables,
    has: (flag) => {
      read.add(flag);
      return byName.has(flag);
    },
    text: textOf,
    count: (flag) => typed(flag, "a whole number above 0", isCount),
    number: (flag) => typed(flag, "a number", Number.isFinite),
    report,
    unread: () => [...byName.values()].filter(({ name: flag }) => !read.has(flag)),
    position,
    diagnostics,
  };
};

const group = (shell: ShellText, { switches, aliases }: FlagGrammar) => {
  const flags: { name: string; values: string[]; offset: number }[] = [];
  const words: string[] = [];
  let open: string[] | undefined;
  for (const { text, offset } of shell.words) {
    if (!isFlag(text)) {
      (open ?? words).push(text);
      continue;
    }
    const [written = "", ...rest] = text.split("=");
    const dashed = written.startsWith("--") ? written.replaceAll("_", "-") : written;
    const name = Object.hasOwn(aliases, dashed) ? (aliases[dashed] ?? dashed) : dashed;
    const values = rest.length === 0 ? [] : [rest.join("=")];
    flags.push({ name, values, offset });
    open = switches.has(name) || rest.length > 0 ? undefined : values;
  }
  return { flags, words };
};
