// What a launcher leaves to the program behind it: its words, and the variables that it sees.

import type { Word } from "../invocation.ts";
import { newShell, type Shell } from "../shell/shell.ts";
import { literal, scalar } from "../shell/value.ts";
import type { Launcher } from "./launcher.ts";
import { launchers, shells } from "./launchers.ts";

/** A word that can only be the command: of an unknown option it is no value. */
export function startsCommand(word: string): boolean {
  const program = word.split("/").at(-1) ?? word;
  return (
    /\.(py|sh)$/.test(program) ||
    /^python[\d.]*$/.test(program) ||
    shells.has(program) ||
    Object.hasOwn(launchers, program) ||
    /^(vllm|sglang|trtllm-\w+)$/.test(program)
  );
}

const servers: readonly (readonly [image: RegExp, program: readonly string[]])[] = [
  [/vllm-(openai|tpu|cpu)|\/vllm\b|^vllm\b/, ["vllm", "serve"]],
  [/text-generation-inference/, ["text-generation-launcher"]],
];

/** Images whose entry point is a server: the words after them are its flags. */
export function behindImage(
  image: string,
  entry: Word | undefined,
  words: readonly Word[],
): readonly Word[] {
  if (entry !== undefined) return [entry, ...words];
  const [first] = words;
  const offset = first?.offset ?? 0;
  const server = servers.find(([name]) => name.test(image))?.[1];
  if (server === undefined || first === undefined || startsCommand(first.text)) return words;
  return [...server.map((text) => ({ text, offset })), ...words];
}

/** What a program sees of variables: a container and another machine only what they are given. */
export function shellBehind(
  { isolated = false }: Launcher,
  options: readonly { readonly name: string; readonly value?: Word }[],
  shell: Shell,
): Shell {
  if (!isolated) return shell;
  const inner = newShell(new Map());
  for (const { name, value } of options) {
    if ((name !== "-e" && name !== "--env") || value === undefined) continue;
    const equals = value.text.indexOf("=");
    const key = equals < 0 ? value.text : value.text.slice(0, equals);
    const outer = shell.variables.get(key);
    if (equals >= 0) {
      const text = literal(value.text.slice(equals + 1), value.offset + equals + 1);
      inner.variables.set(key, { value: scalar(text), exported: true });
    } else if (outer !== undefined) inner.variables.set(key, outer);
  }
  return inner;
}
