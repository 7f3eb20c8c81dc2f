// What becomes of the words that an importer did not use: listed, never dropped. What may change the plan's
// sizes comes first.

import { suggest } from "../suggestion.ts";
import type { CommandFlags, Flag } from "./command_flags.ts";
import { notDecided } from "./invocation.ts";
import { modelNotUnderstood, importNote, otherModel, shown } from "./note.ts";

/** What a tool's importer knows of flags that it does not turn into a plan. */
export interface FlagKnowledge {
  /** Names whose values change neither sizes nor work; the values may be secret and are not shown. */
  readonly withoutBearing: RegExp;
  /** What a flag means that a plan cannot say, by name. */
  readonly notExpressible: Readonly<Record<string, string>>;
  /** Names that a misspelt one may have meant. */
  readonly known: readonly string[];
  /** Flags not understood by whose names a source changes the model that it describes. */
  readonly changesModel?: RegExp;
  /** The flag without which another has no effect. */
  readonly needs?: (flag: string) => string | undefined;
}

/** Names of flags that set degrees, batches or sizes, in any tool. */
const bears =
  /parallel|batch|size|layers?\b|hidden|heads?\b|experts?\b|moe|seq|context|vocab|(^|-)(tp|pp|dp|ep|cp|dtype|nodes|gpus)(-|$)/;

export function listUnread(flags: CommandFlags, knowledge: FlagKnowledge): void {
  const { withoutBearing, notExpressible, known, changesModel, needs } = knowledge;
  const silent: string[] = [];
  const rest: Flag[] = [];
  listOpen(flags, knowledge);
  listDashes(flags, known);
  // Where the program's own sizes are not known, nothing can be said of what depends on them.
  if (flags.diagnostics.some(({ severity }) => severity === "error")) return;
  listLaunchers(flags);
  for (const flag of flags.unread()) {
    if (withoutBearing.test(flag.name)) silent.push(flag.name);
    else rest.push(flag);
  }
  const inOrder = rest.toSorted((a, b) => Number(bears.test(b.name)) - Number(bears.test(a.name)));
  for (const { name, values } of inOrder) {
    const needed = needs?.(name);
    if (needed !== undefined && !flags.has(needed)) {
      const message = `${name} has no effect without ${needed}, which is not given`;
      flags.report(
        "warning",
        "flag-without-effect",
        message,
        name,
        `add ${needed}, or leave it out`,
      );
      continue;
    }
    const what = Object.hasOwn(notExpressible, name) ? notExpressible[name] : undefined;
    if (what !== undefined) {
      const value = values[0] === undefined ? "" : ` (${shown(values[0].text)})`;
      const message = `a plan has no words for ${what}${value}`;
      flags.report("warning", `${name.replace(/^-+/, "")}-not-expressible`, message, name);
      continue;
    }
    const near = suggest(name, known);
    const hint = near === undefined ? undefined : `did you mean ${near}?`;
    if (changesModel?.test(name) === true) {
      flags.report("warning", modelNotUnderstood, otherModel(`the flag ${name}`), name, hint);
      continue;
    }
    const message = `the flag ${name} is not understood, and not in the plan`;
    flags.report("warning", "flag-not-understood", message, name, hint);
  }
  listStrays(flags);
  if (silent.length > 0) {
    const message = `these flags change neither sizes nor work: ${silent.join(", ")}`;
    flags.report("info", "flags-without-bearing", message, silent[0]);
  }
}

/** As many are listed one by one. */
const maxStrays = 20;

function listStrays(flags: CommandFlags): void {
  const strays = flags.strays().filter(({ word }) => !isDashed(word.text));
  for (const { word, after } of strays.slice(0, maxStrays)) {
    const behind = after === undefined ? "" : ` after ${after}`;
    const message = `the word ${shown(word.text)}${behind} belongs to no flag, and is not in the plan`;
    const place = { position: flags.invocation.position(word.offset) };
    flags.add(importNote("warning", "word-not-understood", message, place));
  }
  const rest = strays.slice(maxStrays);
  if (rest.length === 0) return;
  const message = `so do ${rest.length} words more: ${shown(rest.map(({ word }) => word.text).join(" "))}`;
  flags.report("warning", "word-not-understood", message, undefined);
}

/** A launcher's own options: how a program is reached and where it runs. */
function listLaunchers(flags: CommandFlags): void {
  const { launchers } = flags.invocation.launch;
  const listed = launchers.flatMap(({ name, options }) => {
    const names = options.flatMap(({ text }) => (text.startsWith("-") ? [text.split("=")[0]] : []));
    return names.length === 0 ? [] : [`${name} ${names.join(" ")}`];
  });
  if (listed.length === 0) return;
  const message = `these options of launchers are not in the plan: ${listed.join("; ")}`;
  flags.report("info", "launcher-options", message, undefined);
}

/** Words that the text does not decide: an error where they may hold flags that the plan is made of. */
function listOpen(flags: CommandFlags, { known, withoutBearing }: FlagKnowledge): void {
  const { invocation } = flags;
  for (const { unknown, offset, text } of flags.open) {
    if (unknown === undefined) continue;
    const inside = (unknown.alternatives ?? []).flatMap(
      (each) => each.match(/(?:^|\s)--?[A-Za-z][\w-]*/g) ?? [],
    );
    const names = inside.map((each) => flags.nameOf(each.trim()));
    const matter = names.filter(
      (name) => flags.wasRead(name) || (known.includes(name) && !withoutBearing.test(name)),
    );
    const position = invocation.position(offset);
    if (matter.length > 0) {
      const values = unknown.variable === undefined ? [] : invocation.valuesOf(unknown.variable);
      flags.add(notDecided(`whether ${matter[0]} is given`, unknown, position, values, "1"));
      continue;
    }
    const what = names.length === 0 ? "" : ` (${names.join(", ")})`;
    const message = `${shown(text)}, which ${unknown.why}${what}, is taken as nothing`;
    const hint =
      unknown.variable === undefined
        ? "replace it by its words"
        : `give its words as in \`--set ${unknown.variable}='--flag value'\``;
    flags.add(importNote("warning", "words-not-known", message, { position }, hint));
  }
}

/** A flag that begins with a dash of typography is none to its program. */
function isDashed(text: string): boolean {
  return /^(?:[–—−‐‑‒―]+-?|-[–—−‐‑‒―])[A-Za-z]/.test(text);
}

function listDashes(flags: CommandFlags, known: readonly string[]): void {
  for (const { text, offset } of flags.invocation.words) {
    if (!isDashed(text)) continue;
    const name = text.replace(/^[-–—−‐‑‒―]+/, "");
    const long = `--${name}`;
    const meant = known.includes(long) || name.length > 3 ? long : `-${name}`;
    const message = `${shown(text)} begins with a dash, not with a hyphen, and is no flag to its program`;
    const place = { position: flags.invocation.position(offset) };
    flags.add(importNote("error", "dash-for-hyphen", message, place, `write ${meant}`));
  }
}
