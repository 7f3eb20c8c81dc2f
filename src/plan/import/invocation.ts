// A program as it is started: the words that a reader of its command line gets, and what the launchers before
// it say of ranks. Shell text, lists of Kubernetes and Compose, and files of flags all become invocations.

import type { Diagnostic, Position } from "../diagnostic.ts";
import { importNote } from "./note.ts";
import type { WrittenFile } from "./shell/shell.ts";
import type { Scalar, Unknown } from "./shell/value.ts";

export interface Word {
  readonly text: string;
  /** Characters from the start of the source. */
  readonly offset: number;
  /** The first part of the word that the source does not decide; it stands in `text` as it is written. */
  readonly unknown?: Unknown;
  /** The word in parts that keep their places, where it was made of several. */
  readonly pieces?: Scalar;
}

/** A count that a launcher gives. */
export interface Given {
  readonly count: number;
  readonly offset: number;
}

/** What launchers say of the ranks or GPUs that a program gets. */
export interface Launch {
  /** Processes on all machines, each of them a rank. */
  readonly ranks?: Given;
  readonly nodes?: Given;
  /** GPUs of all machines that the program may use. */
  readonly gpus?: Given;
  /** What the job around the program is given; only a launcher within it makes use of that. */
  readonly job?: Pick<Launch, "ranks" | "nodes" | "gpus">;
  /** Launchers from the outermost in, with their options that are in no plan. */
  readonly launchers: readonly { readonly name: string; readonly options: readonly Word[] }[];
  /** Where a launcher's count is no number, or its options need a word. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface Invocation {
  /** Name of the source, for positions. */
  readonly source: string;
  /** `vllm`, `pretrain_gpt.py`, `sglang.launch_server`; empty for flags without a program. */
  readonly program: string;
  /** Arguments of the program. */
  readonly words: readonly Word[];
  readonly offset: number;
  readonly environment: (name: string) => Word | undefined;
  readonly launch: Launch;
  readonly position: (offset: number) => Position;
  /** Values that the text compares a variable with, to name some that it may have. */
  readonly valuesOf: (variable: string) => readonly string[];
  /** Files that the text itself writes. */
  readonly files: ReadonlyMap<string, WrittenFile>;
  /** Conditions that the text does not decide, and on which the start depends. */
  readonly conditions: readonly Unknown[];
  /** What there is to say of the text around the program. */
  readonly diagnostics: readonly Diagnostic[];
}

export const noLaunch: Launch = { launchers: [], diagnostics: [] };

/** An error that names the variable to set, with a value that it may have. */
export function notDecided(
  what: string,
  { written, why, variable, alternatives = [] }: Unknown,
  position: Position,
  values: readonly string[],
  example: string,
): Diagnostic {
  const either = alternatives.map((text) => text.trim() || "nothing").slice(0, 4);
  const between = either.length > 1 ? ` (${either.map(short).join(" or ")})` : "";
  const message = `${what} is ${short(written)}, which ${why}${between}`;
  // A value that the text itself compares with can be given as it is.
  const own = values[0] ?? (variable !== undefined && written === `$${variable}` ? either[0] : "");
  const value = own === undefined || own === "" || own === "nothing" ? example : own;
  const others = values.slice(1, 6);
  const or = others.length === 0 ? "" : ` (or ${others.join(", ")})`;
  return importNote(
    "error",
    "variable-not-set",
    message,
    { position },
    variable === undefined
      ? "replace it by its value"
      : `add \`--set ${variable}=${quotedForShell(value)}\`${or}, with the value that you use`,
  );
}

function quotedForShell(value: string): string {
  return /^[\w.,:/@+-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`;
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > 80 ? `${line.slice(0, 80)}…` : line;
}
