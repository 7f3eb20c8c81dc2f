// Values of shell variables: text that remembers where in the source it stands, and what of it the source
// does not decide.

/** A part of a value that only running the script, or its environment, would tell. */
export interface Unknown {
  /** As the source has it: `$LAYERS`, `$(nproc)`. */
  readonly written: string;
  /** Why it is not known, to follow "which". */
  readonly why: string;
  /** The variable that would decide it. */
  readonly variable?: string;
  /** Set nowhere in the source: a shell would take it as empty. */
  readonly unset?: boolean;
  /** What it is on either side of a condition that the source does not decide. */
  readonly alternatives?: readonly string[];
}

export interface WordPiece {
  readonly text: string;
  /** Characters from the start of the source. */
  readonly offset: number;
  readonly unknown?: Unknown;
}

/** Pieces in order; together they are the text. */
export type Scalar = readonly WordPiece[];

export interface ScalarValue {
  readonly kind: "scalar";
  readonly pieces: Scalar;
}

export interface ArrayValue {
  readonly kind: "array";
  /** By index or, in an associative array, by key. */
  readonly elements: ReadonlyMap<string, Scalar>;
}

export type ShellValue = ScalarValue | ArrayValue;

export function scalar(pieces: Scalar): ShellValue {
  return { kind: "scalar", pieces };
}

export function literal(text: string, offset: number): Scalar {
  return [{ text, offset }];
}

export function unknownPiece(unknown: Unknown, offset: number): WordPiece {
  return {
    text: unknown.written,
    offset,
    unknown,
  };
}

export function textOf(pieces: Scalar): string {
  return pieces.map(({ text }) => text).join("");
}

/** Undefined where a piece is unknown. */
export function knownText(pieces: Scalar): string | undefined {
  return pieces.some(({ unknown }) => unknown !== undefined) ? undefined : textOf(pieces);
}

export function firstUnknown(pieces: Scalar): Unknown | undefined {
  return pieces.find(({ unknown }) => unknown !== undefined)?.unknown;
}

/** Of an array the first element, as `$NAME` has it. */
export function scalarOf(value: ShellValue): Scalar {
  return value.kind === "scalar" ? value.pieces : (value.elements.values().next().value ?? []);
}

/**
 * One value for both ends of a condition: what they share at the start stays, and what they do not share is
 * unknown with both as alternatives.
 */
export function mergeScalars(ends: readonly Scalar[], unknown: Unknown): Scalar {
  const [first = [], ...others] = ends;
  let shared = 0;
  while (
    shared < first.length &&
    others.every((other) => samePiece(first[shared], other[shared]))
  ) {
    shared += 1;
  }
  const rests = ends.map((each) => textOf(each.slice(shared)));
  const texts = [...new Set(rests)];
  if (texts.length === 1) return first;
  const alternatives = [
    ...new Set(ends.flatMap((each) => alternativesOf(each.slice(shared)))),
  ].slice(0, 16);
  const offset = ends.map((each) => each[shared]?.offset).find((each) => each !== undefined);
  return [...first.slice(0, shared), unknownPiece({ ...unknown, alternatives }, offset ?? 0)];
}

function alternativesOf(pieces: Scalar): readonly string[] {
  return (pieces.length === 1 ? pieces[0]?.unknown?.alternatives : undefined) ?? [textOf(pieces)];
}

function samePiece(a: WordPiece | undefined, b: WordPiece | undefined): boolean {
  return a?.text === b?.text && a?.unknown === b?.unknown;
}
