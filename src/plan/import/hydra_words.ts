// Words of Hydra's command lines, `key=value`, `+key=value` and `++key=value`, over a job's YAML: the file as the job
// has it, each value with its place.

import { parse } from "yaml";
import type { Diagnostic, Position } from "../diagnostic.ts";
import type { Path } from "../document.ts";
import type { ToolCommand } from "./commands_in.ts";
import { type ImportedFields, fieldsOf, isObject } from "./fields.ts";
import { notDecided, type Word } from "./invocation.ts";
import { importNote, shown } from "./note.ts";

const pattern = /^(?:\+{0,2})((?:[A-Za-z_]\w*\.)+[A-Za-z_]\w*)=(.*)$/s;

export interface HydraReading {
  readonly fields: ImportedFields;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * @param file of the job, where there is one
 * @param nameOf the key of the file that a word's key stands for
 * @param bears whether a key's value has to be known
 */
export function withHydraWords(
  command: ToolCommand,
  file: ImportedFields | undefined,
  nameOf: (key: string) => string,
  bears: (key: string) => boolean,
): HydraReading {
  const diagnostics: Diagnostic[] = [];
  const places = new Map<string, Position>();
  let root: unknown = file?.peek() ?? {};
  for (const word of command.words) {
    const [, key, value = ""] = pattern.exec(word.text) ?? [];
    if (key === undefined) {
      if (!isOption(word)) diagnostics.push(stray(word, command));
      continue;
    }
    const name = nameOf(key);
    const position = command.position(word.offset);
    if (word.unknown !== undefined && bears(name)) {
      const values = command.valuesOf(word.unknown.variable ?? "");
      diagnostics.push({ ...notDecided(key, word.unknown, position, values, "8"), path: [key] });
      continue;
    }
    const path = name.split(".");
    places.set(name, position);
    root = withValue(root, path, valueOf(value));
  }
  const fields = fieldsOf(root, (path) => places.get(path.join(".")) ?? file?.position(path));
  return { fields, diagnostics };
}

/** Hydra's own, which says where its files are. */
function isOption({ text }: Word): boolean {
  return /^(--?[A-Za-z]|hydra[./])/.test(text);
}

function stray({ text, offset }: Word, { position }: ToolCommand): Diagnostic {
  const message = `the word ${shown(text)} is no value of a key, and is not in the plan`;
  return importNote("warning", "word-not-understood", message, { position: position(offset) });
}

function valueOf(text: string): unknown {
  try {
    const value: unknown = parse(text);
    return value;
  } catch {
    return text;
  }
}

function withValue(root: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  const inner = isObject(root) && Object.hasOwn(root, key) ? root[key] : undefined;
  return { ...(isObject(root) ? root : {}), [key]: withValue(inner, rest, value) };
}
