// Expands words as a shell does: quotes, variables, arithmetic, and the fields that an unquoted value splits into.

import type { ParsedScript, Word, WordPart } from "unbash";
import { evaluateArithmetic } from "./arithmetic.ts";
import { braceExpanded } from "./brace.ts";
import { type GlobToken, globTokens } from "./glob.ts";
import { parameterOf } from "./parameter.ts";
import { quotedRegex } from "./regex.ts";
import type { Script, Shell } from "./shell.ts";
import type { SourceText } from "./source_text.ts";
import {
  firstUnknown,
  type WordPiece,
  type Scalar,
  textOf,
  type Unknown,
  unknownPiece,
} from "./value.ts";

/** Where a word is expanded. */
export interface Scope {
  readonly script: Script;
  readonly shell: Shell;
  readonly text: SourceText;
  /** The output of a command substitution, where it is known without running a program. */
  readonly substitute: (script: ParsedScript) => Scalar | undefined;
}

/** Text that an unquoted expansion made is split into fields, all other text is not. */
interface Fragment extends WordPiece {
  readonly splits: boolean;
}
/** Between two elements of an array, whether or not their text has blanks. */
const border = "border";
type Fragments = readonly (Fragment | typeof border)[];

/** The fields of words: an unquoted empty value is none, `"${A[@]}"` as many as A has elements. */
export function expandWords(words: readonly Word[], scope: Scope): Scalar[] {
  return words
    .flatMap(braceExpanded)
    .flatMap((word) => fieldsOf(fragmentsOf(partsOf(word), false, scope), scope));
}

/** One value, as an assignment takes it: nothing is split. */
export function expandValue(word: Word, scope: Scope): Scalar {
  return joined(fragmentsOf(partsOf(word), true, scope));
}

/** Of parts inside double quotes, or of the body of a here-document. */
export function expandQuoted(parts: readonly WordPart[], scope: Scope): Scalar {
  return joined(fragmentsOf(parts, true, scope));
}

/** As a pattern: what is quoted stands for itself. Undefined where a part is unknown. */
export function expandPattern(word: Word, scope: Scope): readonly GlobToken[] | Unknown {
  const tokens: GlobToken[] = [];
  for (const part of partsOf(word)) {
    const pieces = joined(fragmentsOf([part], true, scope));
    const unknown = firstUnknown(pieces);
    if (unknown !== undefined) return unknown;
    const quoted = part.type.endsWith("Quoted") || part.type === "LocaleString";
    tokens.push(...globTokens(textOf(pieces), quoted));
  }
  return tokens;
}

/** As a regular expression. Undefined where a part is unknown. */
export function expandRegex(word: Word, scope: Scope): string | Unknown {
  let source = "";
  for (const part of partsOf(word)) {
    if (part.type === "Literal" || part.type === "Glob" || part.type === "ExtendedGlob") {
      source += part.text;
      continue;
    }
    const pieces = joined(fragmentsOf([part], true, scope));
    const unknown = firstUnknown(pieces);
    if (unknown !== undefined) return unknown;
    const isQuoted = part.type.endsWith("Quoted") || part.type === "LocaleString";
    source += isQuoted ? quotedRegex(textOf(pieces)) : textOf(pieces);
  }
  return source;
}

/** A substitution has no line ends at its end. */
function withoutLastLines(pieces: Scalar): Scalar {
  const last = pieces.at(-1);
  if (last === undefined || !last.text.endsWith("\n")) return pieces;
  return [...pieces.slice(0, -1), { ...last, text: last.text.replace(/\n+$/, "") }];
}

function partsOf(word: Word): readonly WordPart[] {
  return (
    word.parts ?? [
      { type: "Literal", pos: word.pos, end: word.end, value: word.value, text: word.text },
    ]
  );
}

function joined(fragments: Fragments): Scalar {
  return fragments.map((each) =>
    each === border ? { text: " ", offset: 0 } : withoutSplits(each),
  );
}

function withoutSplits({ text, offset, unknown }: Fragment): WordPiece {
  return {
    text,
    offset,
    ...(unknown === undefined ? {} : { unknown }),
  };
}

function fragmentsOf(
  parts: readonly WordPart[],
  quoted: boolean,
  scope: Scope,
): (Fragment | typeof border)[] {
  return parts.flatMap((part): Fragments => {
    const fragments = fragmentsOfPart(part, quoted, scope);
    for (const each of fragments) scope.script.spend(each === border ? 1 : each.text.length + 1);
    return fragments;
  });
}

function fragmentsOfPart(part: WordPart, quoted: boolean, scope: Scope): Fragments {
  const offset = scope.text.at(part.pos);
  const splits = !quoted;
  const written = (text: string): Fragments => [{ text, offset, splits: false }];
  switch (part.type) {
    case "Literal":
    case "Glob":
      return written(part.value);
    case "SingleQuoted":
    case "AnsiCQuoted":
      return [{ text: part.value, offset: offset + 1, splits: false }];
    case "DoubleQuoted":
    case "LocaleString":
      // Empty quotes are a field of their own.
      return part.parts.length === 0 ? written("") : fragmentsOf(part.parts, true, scope);
    case "SimpleExpansion":
    case "ParameterExpansion":
      return parameterFragments(part, quoted, scope);
    case "ArithmeticExpansion": {
      const result = evaluateArithmetic(part.expression, scope);
      if (typeof result === "number") return [{ text: String(result), offset, splits }];
      const unknown = { ...result, written: part.text };
      return [{ ...unknownPiece(unknown, offset), splits }];
    }
    case "CommandExpansion": {
      const output = part.script && scope.substitute(part.script);
      if (output !== undefined) {
        return withoutLastLines(output).map((piece) => ({ ...piece, splits }));
      }
      const why = "is the output of a program, and none is run";
      return [{ ...unknownPiece({ written: part.text, why }, offset), splits }];
    }
    case "BraceExpansion": {
      // Where a value is assigned or compared, braces are none.
      if (quoted) return written(part.text);
      const why = "is a brace expansion that is not followed";
      return [{ ...unknownPiece({ written: part.text, why }, offset), splits }];
    }
    case "ExtendedGlob":
    case "ProcessSubstitution":
      return written(part.text);
  }
}

function parameterFragments(
  part: Extract<WordPart, { type: "SimpleExpansion" | "ParameterExpansion" }>,
  quoted: boolean,
  scope: Scope,
): Fragments {
  const splits = !quoted;
  const offset = scope.text.at(part.pos);
  const result = parameterOf(part, scope, (word) => expandValue(word, scope));
  if (result.kind === "operand") {
    // The default of ${NAME:-default} is a word of its own, with quotes of its own.
    return fragmentsOf(partsOf(result.word), quoted, scope);
  }
  if (result.kind === "unknown") return [{ ...unknownPiece(result.unknown, offset), splits }];
  if (result.kind === "scalar") return result.pieces.map((piece) => ({ ...piece, splits }));
  const elements = result.elements.map((element): Fragments =>
    element.length === 0
      ? [{ text: "", offset, splits }]
      : element.map((piece) => ({ ...piece, splits })),
  );
  if (result.joined && quoted) {
    return elements.flatMap((element, index) =>
      index === 0 ? element : [{ text: " ", offset, splits: false }, ...element],
    );
  }
  return elements.flatMap((element, index) => (index === 0 ? element : [border, ...element]));
}

function fieldsOf(fragments: Fragments, { script }: Scope): Scalar[] {
  const fields: WordPiece[][] = [];
  let field: WordPiece[] | undefined;
  const close = (): void => {
    if (field !== undefined) fields.push(field);
    field = undefined;
  };
  const add = (piece: WordPiece): void => {
    field ??= [];
    field.push(piece);
  };
  for (const fragment of fragments) {
    if (fragment === border) close();
    else if (!fragment.splits) add(withoutSplits(fragment));
    else if (fragment.unknown !== undefined) {
      const apart = fragment.unknown.alternatives?.some((text) => /^\s|\s\S/.test(text)) === true;
      if (apart) close();
      add(withoutSplits(fragment));
      if (apart) close();
    } else {
      for (const { 0: run, index } of fragment.text.matchAll(/\s+|\S+/g)) {
        if (/\s/.test(run[0] ?? "")) close();
        else add({ text: run, offset: fragment.offset + index });
      }
    }
    script.spend(1);
  }
  close();
  return fields;
}
