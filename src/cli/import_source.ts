// What a user names on the command line as a source: a file, stdin, or the text itself.

import { existsSync } from "node:fs";
import { dirname, relative, sep } from "node:path";
import { buffer as bufferOf } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { EnvironmentError } from "../environment_error.ts";
import { decodeText } from "../plan/decode_text.ts";
import { readBytes } from "../read_input.ts";
import type { Source } from "../plan/import/note.ts";

/** No config and no command is larger. */
const maxBytes = 4_000_000;

/** @param index counts the sources from 1, to name those that have no file */
export async function readSource(given: string, index: number): Promise<Source> {
  if (given === "-") return { name: "<stdin>", text: decodeText(await bufferOf(process.stdin)) };
  if (isText(given)) return { name: `<source ${index}>`, text: given };
  try {
    return { name: given, text: decodeText(await readBytes(given, maxBytes)) };
  } catch (error) {
    throw new EnvironmentError(
      "file-not-readable",
      `cannot read ${given}: ${error instanceof Error ? error.message : String(error)}`,
      "name a file, - for stdin, or put a command line in quotes",
    );
  }
}

/** A command has several words, or a flag; JSON starts with a brace. A file that is there is none of them. */
function isText(given: string): boolean {
  return !existsSync(given) && (/^\s*\{|^--[A-Za-z]/.test(given) || /\S\s+\S/.test(given));
}

// Resolves to the same file from src/cli and from dist/cli.
const schemaFile = fileURLToPath(new URL("../../configs/plan.schema.json", import.meta.url));

/** The plan's JSON Schema, as seen from the folder that the plan is written to. */
export function schemaPath(planFile: string): string {
  const path = relative(dirname(planFile), schemaFile).split(sep).join("/");
  return path.startsWith(".") ? path : `./${path}`;
}
