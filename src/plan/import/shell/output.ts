// What a command reads from the text itself, and what the simplest commands write.

import type { Command, Redirection, Word } from "unbash";
import { expandQuoted, expandValue, expandWords, type Scope } from "./expand.ts";
import { firstUnknown, knownText, literal, type Scalar, textOf, unknownPiece } from "./value.ts";

/** What a command reads from a here-document or here-string. */
export function inputOf(redirects: readonly Redirection[], scope: Scope): Scalar | undefined {
  for (const redirect of redirects) {
    if (redirect.type === "HereString" && redirect.target !== undefined) {
      return expandValue(redirect.target, scope);
    }
    if (redirect.type !== "HereDoc") continue;
    const { parts, text, pos } = redirect.body;
    return parts === undefined ? literal(text, scope.text.at(pos)) : expandQuoted(parts, scope);
  }
  return undefined;
}

const followed = /^(cat|echo|seq|expr|basename|dirname)$/;

/** The output of the simplest commands; of any other program it is not known. */
export function outputOf(command: Command, scope: Scope): Scalar | undefined {
  const name = command.name?.value ?? "";
  if (!followed.test(name)) return undefined;
  const words = expandWords(
    command.args.filter((each): each is Word => each.type === "Word"),
    scope,
  );
  if (name === "cat") return inputOf(command.redirects, scope) ?? fileOf(words, scope);
  if (name === "basename") return lastPartOf(words);
  if (name === "dirname") return words.length === 1 ? folderOf(words[0] ?? []) : undefined;
  if (name === "echo") {
    const first = words.findIndex((word) => !/^-[neE]+$/.test(textOf(word)));
    return words
      .slice(first < 0 ? words.length : first)
      .flatMap((word, index) => (index === 0 ? word : [...literal(" ", 0), ...word]));
  }
  const texts = words.map((word) => knownText(word) ?? "");
  const output = name === "seq" ? sequence(texts) : calculated(texts);
  return output === undefined ? undefined : literal(output, scope.text.at(command.pos));
}

/** A file that the text itself has written. */
function fileOf([path = [], ...others]: readonly Scalar[], { script }: Scope): Scalar | undefined {
  const file = others.length === 0 ? script.files.get(knownText(path) ?? "") : undefined;
  return file === undefined || file.isOpen ? undefined : literal(file.text, file.offset);
}

/** `basename PATH [SUFFIX]`: the folder need not be known. */
function lastPartOf([path = [], suffix = [], ...others]: readonly Scalar[]): Scalar | undefined {
  const end = knownText(suffix);
  if (others.length > 0 || end === undefined || textOf(path).startsWith("-")) return undefined;
  const open = path.findLastIndex(({ unknown }) => unknown !== undefined);
  const known = textOf(path.slice(open + 1)).replace(/\/+$/, "");
  const unknown = path[open]?.unknown;
  if (unknown !== undefined && !known.includes("/")) return [unknownPiece(unknown, 0)];
  const name = known.slice(known.lastIndexOf("/") + 1);
  const isLonger = end !== "" && name !== end && name.endsWith(end);
  return literal(isLonger ? name.slice(0, -end.length) : name, path[0]?.offset ?? 0);
}

/** `dirname PATH` */
function folderOf(path: Scalar): Scalar {
  const unknown = firstUnknown(path);
  if (unknown !== undefined) return [unknownPiece(unknown, 0)];
  const whole = textOf(path).replace(/(?<=.)\/+$/, "");
  const end = whole.lastIndexOf("/");
  const folder = end < 0 ? "." : whole.slice(0, Math.max(1, end));
  return literal(folder, path[0]?.offset ?? 0);
}

/** A loop over more than these is followed no further. */
const maxNumbers = 64;

function sequence(words: readonly string[]): string | undefined {
  if (words.length > 2 || !words.every((word) => /^\d{1,4}$/.test(word))) return undefined;
  const [from = 1, to = from] = words.length === 1 ? [1, Number(words[0])] : words.map(Number);
  const count = Math.min(maxNumbers, Math.max(0, to - from + 1));
  return Array.from({ length: count }, (_, index) => from + index).join(" ");
}

function calculated([left = "", operator, right = ""]: readonly string[]): string | undefined {
  if (!/^\d{1,9}$/.test(left) || !/^\d{1,9}$/.test(right)) return undefined;
  const [a, b] = [Number(left), Number(right)];
  if (operator === "+") return String(a + b);
  if (operator === "-") return String(a - b);
  if (operator === "*") return String(a * b);
  return operator === "/" && b > 0 ? String(Math.trunc(a / b)) : undefined;
}
