// What becomes of the flags that an importer did not use: listed, never dropped.

import { suggest } from "../suggestion.ts";
import type { CommandFlags } from "./command_flags.ts";
import { shown } from "./note.ts";

/** What a tool's importer knows of flags that it does not turn into a plan. */
export interface FlagKnowledge {
  /** Names whose values change neither sizes nor work; the values may be secret and are not shown. */
  readonly withoutBearing: RegExp;
  /** What a flag means that a plan cannot say, by name. */
  readonly notExpressible: Readonly<Record<string, string>>;
  /** Names that a misspelt one may have meant. */
  readonly known: readonly string[];
}

export const listUnread = (
  flags: CommandFlags,
  { withoutBearing, notExpressible, known }: FlagKnowledge,
): void => {
  const silent: string[] = [];
  for (const { name, values } of flags.unread()) {
    if (withoutBearing.test(name)) {
      silent.push(name);
      continue;
    }
    const what = Object.hasOwn(notExpressible, name) ? notExpressible[name] : undefined;
    if (what !== undefined) {
      const value = values[0] === undefined ? "" : ` (${shown(values[0])})`;
      const message = `a plan has no words for ${what}${value}`;
      flags.report("warning", `${name.slice(2)}-not-expressible`, message, name);
      continue;
    }
    const near = suggest(name, known);
    const hint = near === undefined ? undefined : `did you mean ${near}?`;
    const message = `the flag ${name} is not understood, and not in the plan`;
    flags.report("warning", "flag-not-understood", message, name, hint);
  }
  if (silent.length > 0) {
    const message = `these flags change neither sizes nor work: ${silent.join(", ")}`;
    flags.report("info", "flags-without-bearing", message, silent[0]);
  }
};
