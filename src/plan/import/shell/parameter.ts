// What `$NAME`, `${NAME:-default}` and the other forms of a parameter stand for.

import type { ParameterExpansionPart, SimpleExpansionPart, Word } from "unbash";
import { globMatches, globTokens } from "./glob.ts";
import { assign, type Script, type Shell } from "./shell.ts";
import type { SourceText } from "./source_text.ts";
import {
  firstUnknown,
  knownText,
  literal,
  type Scalar,
  scalar,
  scalarOf,
  textOf,
  type Unknown,
} from "./value.ts";

export type Parameter =
  | { readonly kind: "scalar"; readonly pieces: Scalar }
  /** `joined`: of `[*]` and `$*`, which quotes make one word. */
  | { readonly kind: "elements"; readonly elements: readonly Scalar[]; readonly joined: boolean }
  | { readonly kind: "unknown"; readonly unknown: Unknown }
  /** The word after an operator takes its place. */
  | { readonly kind: "operand"; readonly word: Word };

interface Place {
  readonly script: Script;
  readonly shell: Shell;
  readonly text: SourceText;
}

/** @param expand a word as one value */
export function parameterOf(
  part: SimpleExpansionPart | ParameterExpansionPart,
  place: Place,
  expand: (word: Word) => Scalar,
): Parameter {
  if (part.type === "SimpleExpansion") return read(part.text.slice(1), undefined, part.text, place);
  const { parameter, index, operation, prefix, text } = part;
  const key = index && knownText(expand(index));
  if (index !== undefined && key === undefined) return unknown(text, "has an index not known");
  const value = read(parameter, key, text, place);
  if (prefix === "#") return lengthOf(value, text);
  if (prefix === "!") {
    const name = value.kind === "scalar" ? knownText(value.pieces) : undefined;
    return name === undefined || !isName(name)
      ? unknown(text, "names a variable that is not known")
      : read(name, undefined, `\${${name}}`, place);
  }
  if (operation === undefined) return value;
  switch (operation.type) {
    case "Default":
      return orDefault(value, part, place, expand);
    case "Remove": {
      const pattern = knownText(expand(operation.operand));
      return edited(value, text, (whole) =>
        pattern === undefined ? undefined : without(whole, pattern, operation.operator),
      );
    }
    case "Replace": {
      const [pattern, replacement] = [operation.pattern, operation.replacement].map((word) =>
        knownText(expand(word)),
      );
      return edited(value, text, (whole) =>
        pattern === undefined || replacement === undefined || /[*?[]/.test(pattern)
          ? undefined
          : replaced(whole, pattern, replacement, operation.operator),
      );
    }
    case "CaseModification":
      return edited(value, text, (whole) =>
        operation.operator === "^^"
          ? whole.toUpperCase()
          : operation.operator === ",,"
            ? whole.toLowerCase()
            : undefined,
      );
    case "Slice": {
      const [start, length] = [operation.offset, operation.length].map((word) =>
        word === undefined ? Infinity : Number(knownText(expand(word)) || Number.NaN),
      );
      return sliced(value, text, start ?? 0, length ?? Infinity);
    }
    case "Transform":
    case "Names":
    case "Unknown":
      return unknown(text, "is a form of expansion that is not followed");
  }
}

function unknown(written: string, why: string): Parameter {
  return {
    kind: "unknown",
    unknown: { written, why },
  };
}

function isName(text: string): boolean {
  return /^[A-Za-z_]\w*$/.test(text);
}

function read(
  name: string,
  key: string | undefined,
  written: string,
  { script, shell, text }: Place,
): Parameter {
  script.used.add(name);
  if (name === "@" || name === "*") {
    return { kind: "elements", elements: shell.positional ?? [], joined: name === "*" };
  }
  const given = script.pinned.get(name);
  if (given !== undefined && (key === "@" || key === "*")) {
    const elements = given.split(/\s+/).filter(Boolean);
    return {
      kind: "elements",
      elements: elements.map((element) => literal(element, text.at(0))),
      joined: key === "*",
    };
  }
  if (given !== undefined) return { kind: "scalar", pieces: literal(given, text.at(0)) };
  const position = /^\d+$/.test(name) ? shell.positional?.[Number(name) - 1] : undefined;
  if (position !== undefined) return { kind: "scalar", pieces: position };
  if (name === "#" && shell.positional !== undefined) {
    return { kind: "scalar", pieces: literal(String(shell.positional.length), text.at(0)) };
  }
  const variable = shell.variables.get(name);
  if (variable === undefined) {
    const why = /^\d+$|^#$/.test(name) ? "is an argument of the script" : "the text does not set";
    return {
      kind: "unknown",
      unknown: { written, why, unset: true, ...(name === "#" ? {} : { variable: name }) },
    };
  }
  const { value } = variable;
  if (key === "@" || key === "*") {
    const elements = value.kind === "array" ? [...value.elements.values()] : [value.pieces];
    return { kind: "elements", elements, joined: key === "*" };
  }
  if (key === undefined || value.kind === "scalar") {
    return { kind: "scalar", pieces: decidedBy(name, scalarOf(value)) };
  }
  const index = /^-\d+$/.test(key) ? [...value.elements.keys()].at(Number(key)) : key;
  return { kind: "scalar", pieces: value.elements.get(index ?? key) ?? [] };
}

/** What is not known for itself would be known with the variable. */
function decidedBy(name: string, pieces: Scalar): Scalar {
  return pieces.map((piece) =>
    piece.unknown === undefined || piece.unknown.variable !== undefined
      ? piece
      : { ...piece, unknown: { ...piece.unknown, variable: name } },
  );
}

function orDefault(
  value: Parameter,
  { operation, parameter }: ParameterExpansionPart,
  { script, shell }: Place,
  expand: (word: Word) => Scalar,
): Parameter {
  if (operation?.type !== "Default") return value;
  const { operator, operand } = operation;
  const unset = value.kind === "unknown" && value.unknown.unset === true;
  const pieces = value.kind === "scalar" ? value.pieces : undefined;
  const isEmpty =
    (pieces !== undefined && knownText(pieces) === "") ||
    (value.kind === "elements" && value.elements.length === 0);
  const absent = unset || (operator.startsWith(":") && isEmpty);
  const empty: Parameter = { kind: "scalar", pieces: [] };
  if (operator.endsWith("?")) return value;
  if (operator.endsWith("+")) {
    if (absent) return empty;
    return value.kind === "unknown" ? value : { kind: "operand", word: operand };
  }
  if (!absent) return value;
  const fallback = expand(operand);
  if (unset && isName(parameter)) script.defaults.set(parameter, textOf(fallback));
  if (operator.endsWith("=")) assign(script, shell, parameter, scalar(fallback));
  return { kind: "operand", word: operand };
}

function lengthOf(value: Parameter, written: string): Parameter {
  if (value.kind === "elements") {
    // An element that is not known may be several.
    return value.elements.some((element) => firstUnknown(element) !== undefined)
      ? unknown(written, "is the length of something not known")
      : { kind: "scalar", pieces: literal(String(value.elements.length), 0) };
  }
  const text = value.kind === "scalar" ? knownText(value.pieces) : undefined;
  return text === undefined
    ? unknown(written, "is the length of something not known")
    : { kind: "scalar", pieces: literal(String(text.length), 0) };
}

/** Another text in the place of the value, where that is known. */
function edited(
  value: Parameter,
  written: string,
  edit: (whole: string) => string | undefined,
): Parameter {
  if (value.kind !== "scalar") return value;
  const whole = knownText(value.pieces);
  if (whole === undefined) {
    const found = firstUnknown(value.pieces);
    return found === undefined ? value : { kind: "unknown", unknown: { ...found, written } };
  }
  const text = edit(whole);
  if (text === undefined) return unknown(written, "is a form of expansion that is not followed");
  return { kind: "scalar", pieces: literal(text, value.pieces[0]?.offset ?? 0) };
}

/** Longer texts are no paths and no names. */
const maxEdited = 2000;

function without(whole: string, pattern: string, operator: string): string | undefined {
  if (whole.length > maxEdited || pattern.length > 100) return undefined;
  const tokens = globTokens(pattern, false);
  const fromStart = operator.startsWith("#");
  const ends = Array.from({ length: whole.length + 1 }, (_, length) => length);
  const longest = operator.length === 2;
  const lengths = longest ? ends.toReversed() : ends;
  const matched = lengths.find((length) =>
    globMatches(fromStart ? whole.slice(0, length) : whole.slice(whole.length - length), tokens),
  );
  if (matched === undefined) return whole;
  return fromStart ? whole.slice(matched) : whole.slice(0, whole.length - matched);
}

function replaced(whole: string, from: string, to: string, operator: string): string {
  if (from === "") return whole;
  if (operator === "//") return whole.split(from).join(to);
  if (operator === "/#") return whole.startsWith(from) ? to + whole.slice(from.length) : whole;
  if (operator === "/%") return whole.endsWith(from) ? whole.slice(0, -from.length) + to : whole;
  const at = whole.indexOf(from);
  return at < 0 ? whole : whole.slice(0, at) + to + whole.slice(at + from.length);
}

function sliced(value: Parameter, written: string, start: number, length: number): Parameter {
  if (!Number.isInteger(start) || Number.isNaN(length) || length < 0) {
    return unknown(written, "is a form of expansion that is not followed");
  }
  if (value.kind !== "elements") {
    return edited(value, written, (whole) => {
      const from = start < 0 ? whole.length + start : start;
      return from < 0 ? "" : whole.slice(from, from + length);
    });
  }
  return { ...value, elements: value.elements.slice(start).slice(0, length) };
}
