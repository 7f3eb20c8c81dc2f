// Splits the words after a launcher into its own options and the command that it starts.

import type { Word } from "../invocation.ts";

export interface LauncherOption {
  /** With dashes, underscores as hyphens; `-n` of `-n8`. */
  readonly name: string;
  readonly value?: Word;
  /** As the source has it. */
  readonly words: readonly Word[];
}

export interface OptionGrammar {
  /** Options whose value is the next word. */
  readonly valued: ReadonlySet<string>;
  /** Options that take no value. Of an option in neither set the next word decides. */
  readonly switches: ReadonlySet<string>;
}

export interface SplitOptions {
  readonly options: readonly LauncherOption[];
  readonly rest: readonly Word[];
}

/** @param startsCommand whether a word can only be the command, and no option's value */
export function splitOptions(
  words: readonly Word[],
  { valued, switches }: OptionGrammar,
  startsCommand: (word: string) => boolean,
): SplitOptions {
  const options: LauncherOption[] = [];
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at];
    if (word === undefined || !/^-./.test(word.text)) break;
    if (word.text === "--") {
      at += 1;
      break;
    }
    const equals = word.text.indexOf("=");
    const name = normalised(equals < 0 ? word.text : word.text.slice(0, equals));
    const next = words[at + 1];
    if (equals > 0) {
      const value = {
        ...word,
        text: word.text.slice(equals + 1),
        offset: word.offset + equals + 1,
      };
      options.push({ name, value, words: [word] });
    } else if (valued.has(name)) {
      options.push({
        name,
        ...(next === undefined ? {} : { value: next }),
        words: words.slice(at, at + 2),
      });
      at += 1;
    } else if (attached(name, valued)) {
      const value = { ...word, text: word.text.slice(2), offset: word.offset + 2 };
      options.push({ name: name.slice(0, 2), value, words: [word] });
    } else {
      const takes =
        !switches.has(name) &&
        !isCluster(name, switches) &&
        next !== undefined &&
        !next.text.startsWith("-") &&
        !startsCommand(next.text);
      options.push(takes ? { name, value: next, words: [word, next] } : { name, words: [word] });
      if (takes) at += 1;
    }
  }
  return { options, rest: words.slice(at) };
}

function normalised(name: string): string {
  return name.startsWith("--") ? name.replaceAll("_", "-") : name;
}

/** `-n8`: a short option with its value. */
function attached(name: string, valued: ReadonlySet<string>): boolean {
  return /^-[A-Za-z][^-]/.test(name) && valued.has(name.slice(0, 2));
}

/** `-it`: several switches in one word. */
function isCluster(name: string, switches: ReadonlySet<string>): boolean {
  return (
    /^-[A-Za-z]{2,}$/.test(name) &&
    name
      .slice(1)
      .split("")
      .every((letter) => switches.has(`-${letter}`))
  );
}

export function optionsOf(valued: string, switches = ""): OptionGrammar {
  return {
    valued: new Set(valued.split(/\s+/).filter(Boolean)),
    switches: new Set(switches.split(/\s+/).filter(Boolean)),
  };
}
