// The state of a shell that is followed without being run: its variables, and what following it has cost.

import type { CompoundList, Function as FunctionNode } from "unbash";
import type { SourceText } from "./source_text.ts";
import {
  literal,
  mergeScalars,
  type Scalar,
  scalar,
  type Unknown,
  type ShellValue,
} from "./value.ts";

export interface Variable {
  readonly value: ShellValue;
  /** Commands see it. */
  readonly exported: boolean;
}

export interface Shell {
  variables: Map<string, Variable>;
  readonly functions: Map<string, ShellFunction>;
  /** `$1` and on; undefined where nothing says with which arguments the script is called. */
  positional: readonly Scalar[] | undefined;
  /** Of the function that runs: what its own variables have hidden. */
  locals?: Locals;
  /** What ends the statements that follow. */
  stopped: "no" | "break" | "continue" | "return" | "exit";
}

/** By name; absent where there was none outside. */
export interface Hidden {
  readonly before: Variable | undefined;
  /** The outer variable that the name stands for (`local -n`). */
  readonly refersTo?: string;
}

export type Locals = Map<string, Hidden>;

export interface ShellFunction {
  readonly body: FunctionNode["body"] | CompoundList;
  readonly text: SourceText;
}

export function newShell(variables: ReadonlyMap<string, Variable>): Shell {
  return {
    variables: new Map(variables),
    functions: new Map(),
    positional: undefined,
    stopped: "no",
  };
}

export function copyOf(shell: Shell): Shell {
  return {
    ...shell,
    variables: new Map(shell.variables),
    functions: new Map(shell.functions),
  };
}

/** The variables of a function end with it; what they stand for keeps their value. */
export function endLocals(script: Script, shell: Shell, locals: Locals): void {
  const values = new Map(
    [...locals.keys()].map((name) => [name, shell.variables.get(name)?.value]),
  );
  for (const [name, { before }] of locals) {
    if (before === undefined) shell.variables.delete(name);
    else shell.variables.set(name, before);
  }
  for (const [name, { refersTo }] of locals) {
    const value = values.get(name);
    if (refersTo !== undefined && value !== undefined) assign(script, shell, refersTo, value);
  }
}

/** What a program that is started from here sees: the exported variables. */
export function exportedOf({ variables }: Shell): Map<string, Variable> {
  return new Map([...variables].filter(([, { exported }]) => exported));
}

/** Continues as all of the ends at once: where they differ, a variable is unknown. */
export function continueAsEither(
  shell: Shell,
  ends: readonly Shell[],
  unknownOf: (name: string) => Unknown,
): void {
  // A branch that ends the script is the one for wrong use: the text goes on where it is not taken.
  const going = ends.filter(({ stopped }) => stopped === "no");
  const [first] = going.length === 0 ? ends : going;
  if (first === undefined) return;
  shell.stopped = first.stopped;
  shell.positional = first.positional;
  for (const { functions } of going) {
    for (const [name, body] of functions) shell.functions.set(name, body);
  }
  const names = new Set(going.flatMap(({ variables }) => [...variables.keys()]));
  const merged = new Map<string, Variable>();
  for (const name of names) {
    const found = going.map(({ variables }) => variables.get(name));
    merged.set(name, mergeVariables(found, unknownOf(name)));
  }
  shell.variables = merged;
}

function mergeVariables(found: readonly (Variable | undefined)[], unknown: Unknown): Variable {
  const [first] = found;
  const exported = found.some((each) => each?.exported === true);
  if (first !== undefined && found.every((each) => each?.value === first.value)) {
    return { value: first.value, exported };
  }
  const values = found.map((each) => each?.value ?? scalar([]));
  if (!values.some(({ kind }) => kind === "array")) {
    const scalars = values.map((value) => (value.kind === "scalar" ? value.pieces : []));
    return { value: scalar(mergeScalars(scalars, unknown)), exported };
  }
  // Elements are merged one by one: an array that is only longer at one end keeps its first elements.
  const keys = new Set(
    values.flatMap((value) => (value.kind === "array" ? [...value.elements.keys()] : [])),
  );
  const elements = new Map<string, Scalar>();
  for (const key of keys) {
    const each = values.map((value) =>
      value.kind === "array" ? value.elements.get(key) : undefined,
    );
    elements.set(
      key,
      mergeScalars(
        each.map((element) => element ?? []),
        unknown,
      ),
    );
  }
  return { value: { kind: "array", elements }, exported };
}

/** How much a text may cost to follow, in characters that are made and statements that are passed. */
const maxCost = 500_000;

/** The text cannot be followed to its end. */
export class TooInvolved extends Error {}

export interface WrittenFile {
  readonly text: string;
  readonly offset: number;
  /** A part of it is not known: it is as the source has it. */
  readonly isOpen: boolean;
}

/** What the whole text shares, whatever shells it starts. */
export interface Script {
  /** Given by the user: whatever the text assigns to these names does not count. */
  readonly pinned: ReadonlyMap<string, string>;
  /** Values that conditions compare a variable with that the text does not set. */
  readonly compared: Map<string, Set<string>>;
  /** Names that an expansion has asked for. */
  readonly used: Set<string>;
  /** Variables that have the default of `${NAME:-default}`, as the text does not set them. */
  readonly defaults: Map<string, string>;
  /** What the text writes to files, by path. */
  readonly files: Map<string, WrittenFile>;
  /** Files of variables or functions that the text reads and does not hold. */
  readonly notRead: { readonly path: string; readonly offset: number }[];
  readonly spend: (cost: number) => void;
}

export function newScript(pinned: ReadonlyMap<string, string>): Script {
  let cost = 0;
  return {
    pinned,
    compared: new Map(),
    used: new Set(),
    defaults: new Map(),
    files: new Map(),
    notRead: [],
    spend: (more) => {
      cost += more;
      if (cost > maxCost) throw new TooInvolved();
    },
  };
}

export function assign(
  { pinned }: Script,
  shell: Shell,
  name: string,
  value: ShellValue,
  exported = shell.variables.get(name)?.exported ?? false,
): void {
  const given = pinned.get(name);
  const kept = given === undefined ? value : scalar(literal(given, 0));
  shell.variables.set(name, { value: kept, exported });
}
