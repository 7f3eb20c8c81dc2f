// Reads the flags of a program one by one, as `fields` reads keys: values are typed, faults have a
// position, and words that nothing reads can be listed.

import type { Diagnostic, Position } from "../diagnostic.ts";
import { type Invocation, notDecided, type Word } from "./invocation.ts";
import { isCount } from "./fields.ts";
import { importNote, shown } from "./note.ts";
import type { Unknown } from "./shell/value.ts";

export interface CommandFlags {
  readonly invocation: Invocation;
  /** Whether the flag is there and not switched off, with or without a value. */
  readonly has: (flag: string) => boolean;
  /** The value; where the source does not decide it, an error. */
  readonly text: (flag: string) => string | undefined;
  /** A name for people: where the source does not decide it, it is left out. */
  readonly label: (flag: string) => string | undefined;
  /** A whole number above 0; anything else is reported. */
  readonly count: (flag: string) => number | undefined;
  readonly number: (flag: string) => number | undefined;
  /** All values of a flag that takes several. */
  readonly list: (flag: string) => readonly string[];
  readonly report: (
    severity: Diagnostic["severity"],
    code: string,
    message: string,
    flag: string | undefined,
    hint?: string,
  ) => void;
  readonly add: (diagnostic: Diagnostic) => unknown;
  /** Flags that nothing has asked for, with what follows them. */
  readonly unread: () => readonly Flag[];
  /** Words that are no flags, and no values of flags. */
  readonly strays: () => readonly Stray[];
  /** Words that only running the script would tell. */
  readonly open: readonly Word[];
  readonly wasRead: (flag: string) => boolean;
  readonly nameOf: (written: string) => string;
  readonly position: (flag: string) => Position | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

export interface Flag {
  /** With dashes, such as --num-layers. */
  readonly name: string;
  readonly values: readonly Word[];
  readonly offset: number;
}

export interface Stray {
  readonly word: Word;
  /** The flag and the value before it. */
  readonly after?: string;
}

export interface FlagGrammar {
  /** Flags that take no value; of all others the words that follow are values. */
  readonly switches: ReadonlySet<string>;
  /** Short and older names. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Names that a beginning of one may stand for, as Python's argparse takes it. */
  readonly known?: readonly string[];
  /** Flags that take several values. */
  readonly lists?: ReadonlySet<string>;
}

function isFlag(word: string): boolean {
  return /^--?[A-Za-z]/.test(word);
}

/** What a switch is followed by where it is written with a value. */
function isTruth(text: string): boolean {
  return /^(true|false|yes|no|on|off)$/i.test(text);
}
function isOff(text: string | undefined): boolean {
  return /^(false|no|off|0)$/i.test(text ?? "");
}

/** Never throws. */
export function readFlags(invocation: Invocation, grammar: FlagGrammar): CommandFlags {
  const { flags, words, open } = group(invocation.words, grammar);
  const diagnostics: Diagnostic[] = [...invocation.launch.diagnostics, ...invocation.diagnostics];
  const read = new Set<string>();
  const byName = lastOfEach(flags, grammar);
  const position = (flag: string): Position | undefined => {
    const found = byName.get(flag);
    return found && invocation.position(found.offset);
  };
  const report: CommandFlags["report"] = (severity, code, message, flag, hint) => {
    const place =
      flag === undefined
        ? { position: invocation.position(invocation.offset) }
        : { path: [flag], position: position(flag) };
    diagnostics.push(importNote(severity, code, message, place, hint));
  };
  for (const flag of flags) {
    const last = byName.get(flag.name);
    if (last === flag || written(last) === written(flag)) continue;
    const message = `${flag.name} is given twice; the last counts: ${shown(written(last))}`;
    report("warning", "flag-given-twice", message, flag.name, "keep one of the two");
  }
  const valueOf = (flag: string, example: string): Word | undefined => {
    read.add(flag);
    const value = byName.get(flag)?.values[0];
    const unknown: Unknown | undefined = value?.unknown;
    if (value === undefined || unknown === undefined) return value;
    const values = unknown.variable === undefined ? [] : invocation.valuesOf(unknown.variable);
    const place = position(flag) ?? invocation.position(value.offset);
    diagnostics.push({ ...notDecided(flag, unknown, place, values, example), path: [flag] });
    return undefined;
  };
  const typed = (flag: string, wanted: string, fits: (value: number) => boolean) => {
    const word = valueOf(flag, "8");
    const given = byName.get(flag);
    if (given === undefined || (word === undefined && given.values[0] !== undefined)) {
      return undefined;
    }
    const number = word === undefined || word.text.trim() === "" ? Number.NaN : Number(word.text);
    if (fits(number)) return number;
    const message = `${flag} must be ${wanted}, found ${shown(word?.text)}`;
    report("error", "wrong-type", message, flag);
    return undefined;
  };
  return {
    invocation,
    has: (flag) => {
      read.add(flag);
      const given = byName.get(flag);
      const off = grammar.switches.has(flag) && isOff(given?.values[0]?.text);
      return given !== undefined && !off;
    },
    text: (flag) => valueOf(flag, "VALUE")?.text,
    label: (flag) => {
      read.add(flag);
      return labelOf(byName.get(flag)?.values[0]);
    },
    count: (flag) => typed(flag, "a whole number above 0", isCount),
    number: (flag) => typed(flag, "a number", Number.isFinite),
    list: (flag) => {
      read.add(flag);
      return byName.get(flag)?.values.map(({ text }) => text) ?? [];
    },
    report,
    add: (diagnostic) => diagnostics.push(diagnostic),
    unread: () => [...byName.values()].filter(({ name: flag }) => !read.has(flag)),
    strays: () => [
      ...words.map((word) => ({ word })),
      ...[...byName.values()].flatMap((flag) => straysBehind(flag, grammar)),
    ],
    open,
    wasRead: (flag) => read.has(flag),
    nameOf: (text) => canonical(text, grammar),
    position,
    diagnostics,
  };
}

/** Of a switch and its opposite the last counts too. */
function lastOfEach(flags: readonly Flag[], { switches }: FlagGrammar): Map<string, Flag> {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  for (const [name, flag] of byName) {
    const opposite = byName.get(name.replace(/^--no-/, "--"));
    if (opposite === undefined || opposite === flag || !switches.has(name)) continue;
    byName.delete((flags.lastIndexOf(opposite) < flags.lastIndexOf(flag) ? opposite : flag).name);
  }
  return byName;
}

/** Words behind a flag's value. */
function straysBehind(
  { name, values: [value, ...more] }: Flag,
  { lists, switches }: FlagGrammar,
): ReturnType<CommandFlags["strays"]> {
  if (lists?.has(name) === true || value === undefined) return [];
  const after = switches.has(name) ? name : `${name} ${value.text}`;
  return more.map((word) => ({ word, after }));
}

/** The last part of a path, unless a variable is in it. */
export function labelOf(word: Word | undefined): string | undefined {
  if (word?.unknown === undefined) return word?.text;
  const last = word.text.split("/").at(-1) ?? "";
  return /[$`]/.test(last) || last === "" ? undefined : last;
}

function written(flag: Flag | undefined): string {
  return flag?.values.map(({ text }) => text).join(" ") ?? "";
}

function canonical(text: string, grammar: FlagGrammar): string {
  const { aliases, known = [], switches } = grammar;
  const dashed = text.startsWith("--") ? text.replaceAll("_", "-") : text;
  if (Object.hasOwn(aliases, dashed)) return aliases[dashed] ?? dashed;
  if (dashed.length < shortestBeginning || switches.has(dashed)) return dashed;
  const meant = new Set([...known, ...switches].filter((name) => name.startsWith(dashed)));
  const [only] = meant;
  return meant.size === 1 && only !== undefined ? only : dashed;
}

/** Shorter ones begin flags that are not in our lists. */
const shortestBeginning = "--tensor-p".length;

function group(all: readonly Word[], grammar: FlagGrammar) {
  const flags: { name: string; values: Word[]; offset: number }[] = [];
  const words: Word[] = [];
  const open: Word[] = [];
  let values: Word[] | undefined;
  let isSwitch = false;
  for (const word of all) {
    if (isOpen(word) && (values === undefined || values.length > 0 || isSwitch)) {
      open.push(word);
      continue;
    }
    if (!isFlag(word.text)) {
      const takes =
        values !== undefined && (!isSwitch || (isTruth(word.text) && values.length === 0));
      if (takes) values?.push(word);
      else words.push(word);
      continue;
    }
    const equals = word.text.indexOf("=");
    const name = canonical(equals < 0 ? word.text : word.text.slice(0, equals), grammar);
    const own =
      equals < 0
        ? []
        : [{ ...word, text: word.text.slice(equals + 1), offset: word.offset + equals + 1 }];
    flags.push({ name, values: own, offset: word.offset });
    isSwitch = grammar.switches.has(name);
    values = equals < 0 ? own : undefined;
  }
  return { flags, words, open };
}

/** Nothing of the word is known: it may be flags, values, or nothing. */
function isOpen({ text, unknown }: Word): boolean {
  return unknown !== undefined && text.trim() === unknown.written.trim();
}
