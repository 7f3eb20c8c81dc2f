// Splits a command line, or a script around one, into words as a shell would, as far as flags need it:
// quotes, escapes, continued lines, comments, and variables that the text itself sets.
//
// Nothing is run: a variable set elsewhere stays as it is written.

export interface Word {
  readonly text: string;
  /** Characters from the start of the text. */
  readonly offset: number;
}

export interface ShellText {
  readonly words: readonly Word[];
  /** Set in the text, such as TP=4. */
  readonly variables: ReadonlyMap<string, string>;
}

const assignment = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/;
const separators = new Set([";", "&", "|", "(", ")", "<", ">"]);

/** Words in order; those inside a quoted assignment, such as ARGS="--a 1 --b 2", are words too. */
export const shellWords = (text: string): ShellText => {
  const variables = new Map<string, string>();
  const words = split(text, 0).flatMap((word): Word[] => {
    const [, name, value = ""] = assignment.exec(word.text) ?? [];
    if (name === undefined) return [word];
    if (!variables.has(name)) variables.set(name, value);
    const start = text.indexOf("=", word.offset) + 1;
    // Quotes take a character of their own.
    const quoted = text[start] === '"' || text[start] === "'" ? 1 : 0;
    return /\s/.test(value.trim()) ? split(value, start + quoted) : [];
  });
  return { words, variables };
};

/** `$NAME` and `${NAME}` of a word replaced by what the text sets; the rest is left as written. */
export const resolved = (word: string, { variables }: ShellText): string => {
  let text = word;
  // Values may name variables in turn; a few rounds suffice, and a circle ends.
  for (let round = 0; round < 4 && text.includes("$") && text.length < 1000; round++) {
    text = text.replaceAll(
      /\$(?:\{([A-Za-z_]\w*)(?::?-([^}]*))?\}|([A-Za-z_]\w*))/g,
      (written, braced?: string, fallback?: string, bare?: string) =>
        variables.get(braced ?? bare ?? "") ?? fallback ?? written,
    );
  }
  return text;
};

const split = (text: string, offset: number): Word[] => {
  const words: Word[] = [];
  let word = "";
  let start = -1;
  let quote = "";
  const end = (): void => {
    if (start >= 0) words.push({ text: word, offset: offset + start });
    word = "";
    start = -1;
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    if (quote !== "") {
      if (character === quote) quote = "";
      else if (character === "\\" && quote === '"' && at + 1 < text.length) {
        at += 1;
        if (text[at] !== "\n") word += text[at];
      } else word += character;
      continue;
    }
    if (character === "'" || character === '"') {
      if (start < 0) start = at;
      quote = character;
    } else if (character === "\\") {
      at += text[at + 1] === "\r" ? 2 : 1;
      const escaped = text[at];
      if (escaped === undefined || escaped === "\n") end();
      else {
        if (start < 0) start = at - 1;
        word += escaped;
      }
    } else if (character === "#" && start < 0) {
      const line = text.indexOf("\n", at);
      at = line < 0 ? text.length : line;
    } else if (character === "$" && text[at + 1] === "{") {
      if (start < 0) start = at;
      const close = text.indexOf("}", at);
      const last = close < 0 ? text.length - 1 : close;
      word += text.slice(at, last + 1);
      at = last;
    } else if (/\s/.test(character) || separators.has(character)) end();
    else {
      if (start < 0) start = at;
      word += character;
    }
  }
  end();
  return words;
};
