// Reads keys of a source one by one: JSON, YAML or TOML. Says where a value is missing or of the wrong type, and
// remembers which keys were read, so that the rest can be listed instead of dropped.

import { parse as parseToml, TomlError } from "smol-toml";
import { LineCounter } from "yaml";
import type { Diagnostic, Position } from "../diagnostic.ts";
import { type Path, positionAt, positionOf, valueAt } from "../document.ts";
import { jsonError } from "../json_syntax.ts";
import { maxNesting, maxPlanCharacters, parseText } from "../syntax.ts";
import { strictJson } from "./lenient_json.ts";
import { importNote, shown, type Source } from "./note.ts";

export interface ImportedFields {
  /** Value of a key; the key counts as read, and all below it. `null` and absent are undefined. */
  readonly value: (...path: Path) => unknown;
  /** As `value`, but nothing counts as read. */
  readonly peek: (...path: Path) => unknown;
  /** A whole number above 0; wrong types are reported. */
  readonly count: (...path: Path) => number | undefined;
  /** As `count`, and a missing key is reported. */
  readonly needed: (...path: Path) => number | undefined;
  readonly number: (...path: Path) => number | undefined;
  readonly flag: (...path: Path) => boolean | undefined;
  readonly text: (...path: Path) => string | undefined;
  readonly report: (
    severity: Diagnostic["severity"],
    code: string,
    message: string,
    path: Path,
    hint?: string,
  ) => void;
  /**
   * The object at a path, with the same diagnostics and the same memory of what was read.
   * @param defaults values of keys that the object leaves to the class that wrote it
   */
  readonly within: (path: Path, defaults?: Readonly<Record<string, unknown>>) => ImportedFields;
  /** Keys that nothing has read, as deep as others beside them were read: dotted, from here on. */
  readonly unread: () => string[];
  readonly position: (path: Path) => Position | undefined;
  /** Keys whose value was taken from the defaults. */
  readonly defaulted: () => string[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface ReadSource {
  /** Absent where the text holds no object with keys. */
  readonly fields?: ImportedFields;
  readonly diagnostics: readonly Diagnostic[];
}

export type Format = "json" | "yaml" | "toml";

/** By the file's name, else by what the text begins with. */
export function formatOf({ name, text }: Pick<Source, "name" | "text">): Format {
  const extension = /\.(jsonc?|json5|ya?ml|toml)$/i.exec(name)?.[1]?.toLowerCase() ?? "";
  if (extension.startsWith("json")) return "json";
  if (extension === "toml") return "toml";
  if (/^\s*(?:(?:\/\/.*|\/\*[\s\S]*?\*\/)\s*)*\{/.test(text)) return "json";
  return extension === "" && /^\s*\[[\w."-]+\]\s*(#.*)?$/m.test(text) ? "toml" : "yaml";
}

/** Never throws. */
export function readFields(source: Source): ReadSource {
  const { name, text } = source;
  if (text.slice(0, 100).includes("\0")) {
    const position = { file: name, line: 1, column: 1 };
    const message = "the text has zero bytes between its characters, as UTF-16 without a mark has";
    return {
      diagnostics: [
        importNote(
          "error",
          "not-text",
          message,
          { position },
          "save the file as UTF-8 and give it again",
        ),
      ],
    };
  }
  const format = formatOf(source);
  if (format === "toml" && text.length <= maxPlanCharacters) return readToml(source);
  const isJson = format === "json" && text.length <= maxPlanCharacters;
  const strict = isJson ? strictJson(text) : text;
  const broken = isJson ? jsonError(strict) : undefined;
  if (broken !== undefined) {
    const position = offsetPosition(name, text, broken.offset);
    const hint = "give the file as the tool wrote it";
    return { diagnostics: [importNote("error", "not-json", broken.message, { position }, hint)] };
  }
  const { document, diagnostics } = parseText(strict, name);
  if (document.value === undefined) return { diagnostics };
  return withKeys(document.value, (path) => positionOf(document, path));
}

function readToml({ name, text }: Source): ReadSource {
  try {
    const lines = text.split("\n");
    return withKeys(parseToml(text, { maxDepth: maxNesting }), (path) =>
      tomlPosition(name, lines, path),
    );
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const position = { file: name, line: error.line, column: error.column };
    const message = `this is not TOML: ${error.message.split("\n")[0]?.replace(/^Invalid TOML document: /, "")}`;
    return { diagnostics: [importNote("error", "not-toml", message, { position })] };
  }
}

/** The parser keeps no positions: the line that begins with the key, after the one that opens its table. */
function tomlPosition(file: string, lines: readonly string[], path: Path): Position {
  const key = String(path.at(-1) ?? "");
  const table = path.slice(0, -1).join(".");
  const opened = lines.findIndex((line) => line.trim().startsWith(`[${table}]`));
  const line = lines.findIndex((each, i) => i > opened && each.trim().split(/[\s=]/, 1)[0] === key);
  return { file, line: Math.max(1, (line < 0 ? opened : line) + 1), column: 1 };
}

function withKeys(value: unknown, position: (path: Path) => Position | undefined): ReadSource {
  if (isObject(value)) return { fields: fieldsOf(value, position), diagnostics: [] };
  const message = `an object with keys is needed, found ${shown(value)}`;
  return { diagnostics: [importNote("error", "wrong-type", message, { position: position([]) })] };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function offsetPosition(file: string, text: string, offset: number): Position {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
    lines.addNewLine(at + 1);
  }
  return positionAt(file, lines, offset);
}

/** What all views of one document share. */
interface Reading {
  readonly root: unknown;
  readonly position: (path: Path) => Position | undefined;
  /** Paths that were read, joined. */
  readonly read: Set<string>;
  readonly diagnostics: Diagnostic[];
}

/** Of values that stand elsewhere than in one text. */
export function fieldsOf(root: unknown, position: Reading["position"]): ImportedFields {
  return view({ root, position, read: new Set(), diagnostics: [] }, [], {});
}

function view(
  reading: Reading,
  base: Path,
  defaults: Readonly<Record<string, unknown>>,
): ImportedFields {
  const { root, read, diagnostics } = reading;
  const used = new Set<string>();
  const position = (path: Path) => reading.position([...base, ...path]);
  const report: ImportedFields["report"] = (severity, code, message, path, hint) => {
    const whole = [...base, ...path];
    diagnostics.push(
      importNote(severity, code, message, { path: whole, position: position(path) }, hint),
    );
  };
  const peek: ImportedFields["peek"] = (...path) => {
    const found = valueAt(root, [...base, ...path]);
    // A key that is null says that there is none.
    if (found !== undefined || path.length !== 1) return found ?? undefined;
    const [key = ""] = path;
    return Object.hasOwn(defaults, key) ? defaults[key] : undefined;
  };
  const value: ImportedFields["value"] = (...path) => {
    read.add(joined([...base, ...path]));
    const found = peek(...path);
    const isOwn = valueAt(root, [...base, ...path]) !== undefined;
    if (!isOwn && found !== undefined) used.add(String(path[0]));
    return found;
  };
  const wrong = (path: Path, wanted: string, found: unknown): undefined => {
    const name = path.join(".");
    report("error", "wrong-type", `${name} must be ${wanted}, found ${shown(found)}`, path);
    return undefined;
  };
  const typed =
    <T>(wanted: string, fits: (found: unknown) => found is T) =>
    (...path: Path): T | undefined => {
      const found = value(...path);
      return found === undefined || fits(found) ? found : wrong(path, wanted, found);
    };
  const count = typed("a whole number above 0", isCount);
  return {
    value,
    peek,
    count,
    needed: (...path) => {
      const found = count(...path);
      if (found === undefined && value(...path) === undefined) {
        const hint = "give the whole file, as it is published";
        report("error", "missing-key", `${path.join(".")} is missing`, path, hint);
      }
      return found;
    },
    number: typed("a number", isNumber),
    flag: typed("true or false", isFlag),
    text: typed("a text", isText),
    report,
    within: (path, further = {}) => view(reading, [...base, ...path], further),
    unread: () =>
      unreadBelow(reading, base, valueAt(root, base)).map((path) =>
        path.slice(base.length).join("."),
      ),
    position,
    defaulted: () => [...used],
    diagnostics,
  };
}

function joined(path: Path): string {
  return path.join("\0");
}

function unreadBelow({ read }: Reading, base: Path, value: unknown): Path[] {
  const below = (path: Path, inside: unknown): Path[] =>
    !isObject(inside)
      ? []
      : Object.keys(inside).flatMap((key): Path[] => {
          const own = [...path, key];
          const name = joined(own);
          if (read.has(name)) return [];
          const isEntered = [...read].some((each) => each.startsWith(`${name}\0`));
          return isEntered ? below(own, inside[key]) : [own];
        });
  return below(base, value);
}

function isNumber(found: unknown): found is number {
  return typeof found === "number";
}
function isFlag(found: unknown): found is boolean {
  return typeof found === "boolean";
}
function isText(found: unknown): found is string {
  return typeof found === "string";
}
/** The largest size that a plan takes. */
const maxCount = 0x7fffffff;
export function isCount(found: unknown): found is number {
  return typeof found === "number" && Number.isInteger(found) && found > 0 && found <= maxCount;
}
