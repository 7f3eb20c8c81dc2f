// Reads keys of a JSON source one by one: says where a value is missing or of the wrong type, and
// remembers which keys were read, so that the rest can be listed instead of dropped.

import type { Diagnostic, Position } from "../diagnostic.ts";
import { type Path, type PlanDocument, positionAt, positionOf, valueAt } from "../document.ts";
import { jsonError } from "../json_syntax.ts";
import { maxPlanCharacters, parseText } from "../syntax.ts";
import { note, shown, type Source } from "./note.ts";
import { LineCounter } from "yaml";

export interface JsonFields {
  /** Value of a key; the key counts as read. `null` and absent are undefined. */
  readonly value: (...path: Path) => unknown;
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
  /** Keys at the top that nothing has read. */
  readonly unread: () => string[];
  readonly position: (path: Path) => Position | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

export interface JsonSource {
  /** Absent where the text is no JSON object. */
  readonly fields?: JsonFields;
  readonly diagnostics: readonly Diagnostic[];
}

/** Never throws. */
export const readJson = ({ name, text }: Source): JsonSource => {
  const broken = text.length > maxPlanCharacters ? undefined : jsonError(text);
  if (broken !== undefined) {
    const position = offsetPosition(name, text, broken.offset);
    const hint = "give the file as the tool wrote it";
    return { diagnostics: [note("error", "not-json", broken.message, { position }, hint)] };
  }
  const { document, diagnostics } = parseText(text, name);
  if (document.value === undefined) return { diagnostics };
  if (!isObject(document.value)) {
    const position = positionOf(document, []);
    const message = `an object with keys is needed, found ${shown(document.value)}`;
    return { diagnostics: [note("error", "wrong-type", message, { position })] };
  }
  return { fields: fieldsOf(document), diagnostics: [] };
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const offsetPosition = (file: string, text: string, offset: number): Position => {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
    lines.addNewLine(at + 1);
  }
  return positionAt(file, lines, offset);
};

const fieldsOf = (document: PlanDocument): JsonFields => {
  const diagnostics: Diagnostic[] = [];
  const read = new Set<string>();
  const position = (path: Path) => positionOf(document, path);
  const report: JsonFields["report"] = (severity, code, message, path, hint) => {
    diagnostics.push(note(severity, code, message, { path, position: position(path) }, hint));
  };
  const value: JsonFields["value"] = (...path) => {
    read.add(String(path[0]));
    return valueAt(document.value, path) ?? undefined;
  };
  const wrong = (path: Path, wanted: string, found: unknown): undefined => {
    report(
      "error",
      "wrong-type",
      `${path.join(".")} must be ${wanted}, found ${shown(found)}`,
      path,
    );
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
    unread: () => Object.keys(Object(document.value)).filter((key) => !read.has(key)),
    position,
    diagnostics,
  };
};

const isNumber = (found: unknown): found is number => typeof found === "number";
const isFlag = (found: unknown): found is boolean => typeof found === "boolean";
const isText = (found: unknown): found is string => typeof found === "string";
/** The largest size that a plan takes. */
const maxCount = 0x7fffffff;
export const isCount = (found: unknown): found is number =>
  typeof found === "number" && Number.isInteger(found) && found > 0 && found <= maxCount;
