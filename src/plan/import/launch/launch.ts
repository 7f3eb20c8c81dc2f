// What the options of launchers say of ranks, nodes and GPUs, from the outermost launcher in.

import type { Diagnostic, Position } from "../../diagnostic.ts";
import { type Given, type Launch, notDecided, type Word } from "../invocation.ts";
import { isCount } from "../fields.ts";
import { importNote, shown } from "../note.ts";
import type { LauncherOption } from "./options.ts";

/** Options of one launcher, and where its findings go. */
export interface LauncherOptions {
  readonly name: string;
  readonly options: readonly LauncherOption[];
  /** The last option of these names; it is then in the plan. */
  readonly value: (...names: string[]) => Word | undefined;
  readonly has: (...names: string[]) => boolean;
  /** A whole number above 0; anything else is reported. */
  readonly count: (...names: string[]) => Given | undefined;
  readonly report: (message: string, offset: number, hint?: string) => void;
  /** As `report`, and without a plan. */
  readonly refuse: (message: string, offset: number, hint: string) => void;
  readonly unread: () => readonly Word[];
  readonly diagnostics: readonly Diagnostic[];
}

interface Place {
  readonly position: (offset: number) => Position;
  readonly valuesOf: (variable: string) => readonly string[];
}

export function launcherOptions(
  name: string,
  options: readonly LauncherOption[],
  { position, valuesOf }: Place,
): LauncherOptions {
  const diagnostics: Diagnostic[] = [];
  const read = new Set<LauncherOption>();
  const find = (names: readonly string[]): LauncherOption | undefined => {
    const found = options.filter((option) => names.includes(option.name));
    for (const option of found) read.add(option);
    return found.at(-1);
  };
  const count: LauncherOptions["count"] = (...names) => {
    const option = find(names);
    if (option === undefined) return undefined;
    const { value } = option;
    const offset = value?.offset ?? option.words[0]?.offset ?? 0;
    const what = `${option.name} of ${name}`;
    if (value?.unknown !== undefined) {
      const values = value.unknown.variable === undefined ? [] : valuesOf(value.unknown.variable);
      diagnostics.push(notDecided(what, value.unknown, position(offset), values, "8"));
      return undefined;
    }
    const number = Number(value?.text.trim() || Number.NaN);
    if (isCount(number)) return { count: number, offset };
    const message = `${what} must be a whole number above 0, found ${shown(value?.text)}`;
    diagnostics.push(importNote("error", "wrong-type", message, { position: position(offset) }));
    return undefined;
  };
  return {
    name,
    options,
    value: (...names) => find(names)?.value,
    has: (...names) => find(names) !== undefined,
    count,
    report: (message, offset, hint) => {
      const place = { position: position(offset) };
      diagnostics.push(importNote("warning", "launcher-not-understood", message, place, hint));
    },
    refuse: (message, offset, hint) => {
      const place = { position: position(offset) };
      diagnostics.push(importNote("error", "ranks-not-given", message, place, hint));
    },
    unread: () => options.filter((option) => !read.has(option)).flatMap(({ words }) => words),
    diagnostics,
  };
}

/** The launch with what one launcher more says; what it does not say stays. */
export function launchedBy(
  launch: Launch,
  { name, unread, diagnostics }: LauncherOptions,
  said: Partial<Pick<Launch, "ranks" | "nodes" | "gpus">>,
): Launch {
  return {
    ...launch,
    ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)),
    launchers: [...launch.launchers, { name, options: unread() }],
    diagnostics: [...launch.diagnostics, ...diagnostics],
  };
}

/** The product, at the place of the first; undefined where one of them is. */
export function times(a: Given | undefined, b: Given | undefined): Given | undefined {
  return a && b && { count: a.count * b.count, offset: a.offset };
}

/** GPUs in a list such as `0,1,2` or `device=0,1`; undefined where it is none. */
export function listedDevices(text: string): number | undefined {
  const listed = text
    .trim()
    .replaceAll(/^["']|["']$/g, "")
    .replace(/^device=/, "");
  const ids = listed.split(",").map((id) => id.trim());
  const isList = ids.every((id) => /^(\d+|GPU-[\w-]+|MIG-[\w-]+)$/.test(id));
  return isList ? new Set(ids).size : undefined;
}
