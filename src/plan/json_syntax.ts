// Where a text stops being JSON. `JSON.parse` decides; its messages name a position only sometimes.

export interface JsonError {
  readonly message: string;
  /** Characters from the start of the text. */
  readonly offset: number;
}

/** Undefined where the text is JSON. */
export function jsonError(text: string): JsonError | undefined {
  const message = failure(text);
  if (message === undefined) return undefined;
  // Every prefix up to the fault could still become JSON, none after it can.
  let viable = 0;
  let broken = text.length + 1;
  while (broken - viable > 1) {
    const middle = Math.floor((viable + broken) / 2);
    if (mayContinue(text.slice(0, middle))) viable = middle;
    else broken = middle;
  }
  const what =
    viable >= text.length ? "the text ends too early" : `unexpected ${shown(text[viable])}`;
  return { message: `this is not JSON: ${what}`, offset: Math.min(viable, text.length) };
}

function failure(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function mayContinue(prefix: string): boolean {
  const message = failure(prefix);
  if (message === undefined || message.includes("Unexpected end")) return true;
  const position = /at position (\d+)/.exec(message)?.[1];
  return position !== undefined && Number(position) >= prefix.length;
}

function shown(character: string | undefined): string {
  return character === undefined ? "end" : JSON.stringify(character);
}
