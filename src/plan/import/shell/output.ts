// What a command reads from the text itself, and what the simplest commands write.

import type { Command, Redirection, Word } from "unbash";
import { expandQuoted, expandValue, expandWords, type Scope } from "./expand.ts";
import { knownText, literal, type Scalar } from "./value.ts";

/** What a command reads from a here-document or here-string. */
export const inputOf = (redirects: readonly Redirection[], scope: Scope): Scalar | undefined => {
  for (const redirect of redirects) {
    if (redirect.type === "HereString" && redirect.target !== undefined) {
      return expandValue(redirect.target, scope);
    }
    if (redirect.type !== "HereDoc") continue;
    const { parts, text, pos } = redirect.body;
    return parts === undefined ? literal(text, scope.text.at(pos)) : expandQuoted(parts, scope);
  }
  return undefined;
};

/** The output of `echo`, `cat << EOF`, `seq` and `expr`; of any other program it is not known. */
export const outputOf = (command: Command, scope: Scope): Scalar | undefined => {
  const name = command.name?.value ?? "";
  if (name === "cat") return inputOf(command.redirects, scope);
  if (name !== "echo" && name !== "seq" && name !== "expr") return undefined;
  const words = expandWords(
    command.args.filter((each): each is Word => each.type === "Word"),
    scope,
  );
  if (name === "echo") {
    return words.flatMap((word, index) => (index === 0 ? word : [...literal(" ", 0), ...word]));
  }
  const texts = words.map((word) => knownText(word) ?? "");
  const output = name === "seq" ? sequence(texts) : calculated(texts);
  return output === undefined ? undefined : literal(output, scope.text.at(command.pos));
};

/** A loop over more than these is followed no further. */
const maxNumbers = 64;

const sequence = (words: readonly string[]): string | undefined => {
  if (words.length > 2 || !words.every((word) => /^\d{1,4}$/.test(word))) return undefined;
  const [from = 1, to = from] = words.length === 1 ? [1, Number(words[0])] : words.map(Number);
  const count = Math.min(maxNumbers, Math.max(0, to - from + 1));
  return Array.from({ length: count }, (_, index) => from + index).join(" ");
};

const calculated = ([left = "", operator, right = ""]: readonly string[]): string | undefined => {
  if (!/^\d{1,9}$/.test(left) || !/^\d{1,9}$/.test(right)) return undefined;
  const [a, b] = [Number(left), Number(right)];
  if (operator === "+") return String(a + b);
  if (operator === "-") return String(a - b);
  if (operator === "*") return String(a * b);
  return operator === "/" && b > 0 ? String(Math.trunc(a / b)) : undefined;
};
