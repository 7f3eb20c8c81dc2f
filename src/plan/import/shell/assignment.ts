// Assignments: of a value or an array, of one element, and what `+=` adds.

import type { Assignment, Command } from "unbash";
import { expandValue, expandWords, type Scope } from "./expand.ts";
import { assign, type Variable } from "./shell.ts";
import { literal, type Scalar, scalar, textOf, type ShellValue } from "./value.ts";

/** Commands whose words are assignments. */
export const declares = new Set(["export", "declare", "local", "readonly", "typeset"]);

export function declare(
  name: string,
  command: Command,
  words: readonly Scalar[],
  scope: Scope,
): void {
  const exports = name === "export" || words.some((word) => /^-\w*x/.test(textOf(word)));
  for (const each of command.args) {
    if (each.type === "Assignment") assignFrom(each, scope, exports ? true : undefined);
  }
  if (!exports) return;
  for (const word of words) {
    const key = textOf(word);
    const known = scope.shell.variables.get(key);
    if (known !== undefined) scope.shell.variables.set(key, { ...known, exported: true });
  }
}

/** As a word of another command: `env TP=4 …`. */
export function assignmentWord({ name, append, value, pos }: Assignment, scope: Scope): Scalar {
  return [
    { text: `${name}${append === true ? "+" : ""}=`, offset: scope.text.at(pos) },
    ...(value.type === "ArrayValue" ? [] : expandValue(value, scope)),
  ];
}

export function assignFrom(assignment: Assignment, scope: Scope, exported?: boolean): void {
  const { script, shell } = scope;
  const { name, append = false, index } = assignment;
  const before: Variable | undefined = shell.variables.get(name);
  const value = valueOf(assignment, scope);
  const set = (next: ShellValue): void => {
    assign(script, shell, name, next, exported ?? before?.exported ?? false);
  };
  if (index !== undefined) {
    const elements = new Map(before?.value.kind === "array" ? before.value.elements : []);
    elements.set(textOf(expandValue(index, scope)), value.kind === "scalar" ? value.pieces : []);
    set({ kind: "array", elements });
  } else if (!append || before === undefined) set(value);
  else if (before.value.kind === "scalar" && value.kind === "scalar") {
    set(scalar([...before.value.pieces, ...value.pieces]));
  } else {
    const elements = new Map(
      before.value.kind === "array" ? before.value.elements : [["0", before.value.pieces]],
    );
    const added = value.kind === "array" ? [...value.elements.values()] : [value.pieces];
    for (const element of added) elements.set(String(elements.size), element);
    script.spend(elements.size);
    set({ kind: "array", elements });
  }
}

function valueOf({ value }: Assignment, scope: Scope): ShellValue {
  if (value.type === "Word") return scalar(expandValue(value, scope));
  const elements = new Map<string, Scalar>();
  for (const word of value.elements) {
    const keyed = /^\[([^\]]*)\]=([\s\S]*)$/.exec(word.value);
    const fields = expandWords([word], scope);
    if (keyed === null) for (const field of fields) elements.set(String(elements.size), field);
    else {
      const at = word.pos + word.text.indexOf("=") + 1;
      elements.set(keyed[1] ?? "", literal(keyed[2] ?? "", scope.text.at(at)));
    }
  }
  return { kind: "array", elements };
}
