// A Dockerfile as the shell script that its last image starts: variables, then ENTRYPOINT and CMD in either form.

import { literal, type WordPiece, type Scalar } from "../shell/value.ts";

export interface ImageStart {
  /** On which the last image is built, whose program takes the words where the file names none. */
  readonly image: string;
  readonly script: Scalar;
  /** Whether the words are the arguments of the program of `image`. */
  readonly isArguments: boolean;
}

interface Instruction {
  readonly name: string;
  /** Continued lines are one, each character in its place. */
  readonly text: string;
  readonly offset: number;
}

interface Stage {
  readonly image: string;
  readonly variables: WordPiece[];
  entry?: Instruction | undefined;
  command?: Instruction | undefined;
}

/** Undefined where the text is no Dockerfile, or its image starts nothing of its own. */
export function dockerfileIn(text: string): ImageStart | undefined {
  const instructions = instructionsIn(text);
  if (instructions.find(({ name }) => name !== "ARG")?.name !== "FROM") return undefined;
  const { image, variables, entry, command } = lastStage(instructions);
  // A program in shell form takes no further words.
  const parts = entry !== undefined && wordsOf(entry) === undefined ? [entry] : [entry, command];
  const words = parts.flatMap((part): Scalar =>
    part === undefined
      ? []
      : [...(wordsOf(part) ?? literal(part.text, part.offset)), ...literal(" ", part.offset)],
  );
  if (words.length === 0) return undefined;
  return { image, script: [...variables, ...words], isArguments: entry === undefined };
}

function lastStage(instructions: readonly Instruction[]): Stage {
  const named = new Map<string, Stage>();
  let stage: Stage = { image: "", variables: [] };
  for (const each of instructions) {
    switch (each.name) {
      case "FROM": {
        const [image = "", as, name] = each.text
          .split(/\s+/)
          .filter((word) => !word.startsWith("--"));
        const base = named.get(image) ?? {
          image,
          variables: stage.image === "" ? stage.variables : [],
        };
        stage = { ...base, variables: [...base.variables] };
        if (name !== undefined && /^as$/i.test(as ?? "")) named.set(name, stage);
        break;
      }
      case "ENV":
      case "ARG":
        stage.variables.push(...assignmentOf(each));
        break;
      case "ENTRYPOINT":
        // What the base is started with does not go with another program.
        stage.command = undefined;
        stage.entry = each;
        break;
      case "CMD":
        stage.command = each;
        break;
    }
  }
  return stage;
}

/** As a shell takes it; an ARG without a value is left to whoever builds. */
function assignmentOf({ name, text, offset }: Instruction): Scalar {
  const older = /^([A-Za-z_]\w*)\s+(?=\S)/.exec(text);
  if (name === "ARG" && !text.includes("=")) return [];
  const start = literal(name === "ENV" ? "export " : "", offset);
  const end = literal("\n", offset);
  if (older === null || name === "ARG") return [...start, ...literal(text, offset), ...end];
  const value = text.slice(older[0].length);
  return [
    ...start,
    ...literal(`${older[1]}="`, offset),
    ...literal(value, offset + older[0].length),
    ...literal('"', offset),
    ...end,
  ];
}

/** The words of the form of a list, each as one word to a shell; undefined where it is text for a shell. */
function wordsOf({ text, offset }: Instruction): Scalar | undefined {
  if (!/^\[.*\]\s*$/s.test(text)) return undefined;
  try {
    const listed: unknown = JSON.parse(text);
    if (!Array.isArray(listed) || !listed.every((each) => typeof each === "string")) {
      return undefined;
    }
  } catch {
    return undefined;
  }
  return [...text.matchAll(/"(?:[^"\\]|\\.)*"/g)].flatMap(({ 0: written, index }) => {
    const word = String(JSON.parse(written)).replaceAll("'", String.raw`'\''`);
    return [
      ...literal("'", offset + index),
      ...literal(word, offset + index + 1),
      ...literal("' ", offset + index),
    ];
  });
}

function instructionsIn(text: string): Instruction[] {
  const found: Instruction[] = [];
  const lines = [...text.matchAll(/.*(?:\n|$)/g)];
  let delimiter: string | undefined;
  let open: Instruction | undefined;
  for (const { 0: line, index } of lines) {
    if (delimiter !== undefined) {
      if (line.trim() === delimiter) delimiter = undefined;
      continue;
    }
    const isBlank = /^\s*(#.*)?$/.test(line.trimEnd());
    const [start, name = ""] = /^\s*([A-Za-z]+)\s+/.exec(line) ?? [""];
    if (open === undefined && isBlank) continue;
    const continued = /\\\s*$/.test(line);
    // Comments between continued lines are none of them.
    const own = isBlank ? blank(line) : line.replace(/\\(\s*)$/, " $1").replace(/\n$/, " ");
    open =
      open === undefined
        ? { name: name.toUpperCase(), text: own.slice(start.length), offset: index + start.length }
        : { ...open, text: open.text + own };
    if (continued || isBlank) continue;
    delimiter = /<<-?["']?(\w+)["']?/.exec(
      open.name === "RUN" || open.name === "COPY" ? open.text : "",
    )?.[1];
    found.push({ ...open, text: open.text.trimEnd() });
    open = undefined;
  }
  if (open !== undefined) found.push({ ...open, text: open.text.trimEnd() });
  return found;
}

function blank(line: string): string {
  return line.replaceAll(/./gs, " ");
}
