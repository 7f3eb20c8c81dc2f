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
  const options = words.map(textOf).filter((word) => word.startsWith("-"));
  const has = (letter: string) => options.some((word) => word.slice(1).includes(letter));
  const exports = name === "export" || has("x");
  const isLocal = /^(local|declare|typeset)$/.test(name) && !has("g");
  const refers = has("n") && name !== "export";
  const { shell, script } = scope;
  for (const each of command.args) {
    if (each.type !== "Assignment") continue;
    const target = refers ? textOf(valuePieces(each, scope)) : undefined;
    const known = target === undefined ? undefined : shell.variables.get(target)?.value;
    if (target === undefined) {
      const outer = shell.variables.get(each.name);
      assignFrom(each, scope, exports ? true : undefined);
      if (isLocal) hide(shell, each.name, outer);
      continue;
    }
    if (isLocal) hide(shell, each.name, shell.variables.get(each.name), target);
    script.used.add(target);
    assign(script, shell, each.name, known ?? scalar([]));
  }
  for (const word of words) declareWord(word, { scope, exports, isLocal });
}

/** A word that is made, `export "$NAME=4"`, or a name alone. */
function declareWord(
  word: Scalar,
  {
    scope: { shell, script },
    exports,
    isLocal,
  }: { readonly scope: Scope; readonly exports: boolean; readonly isLocal: boolean },
): void {
  const text = textOf(word);
  if (text.startsWith("-")) return;
  const [start = "", name = ""] = /^([A-Za-z_]\w*)=/.exec(text) ?? [];
  const [first] = word;
  if (first?.unknown !== undefined && start === "") {
    script.notRead.push({ path: text, offset: first.offset });
    return;
  }
  const key = start === "" ? text : name;
  if (isLocal && shell.locals !== undefined) {
    hide(shell, key, shell.variables.get(key));
    shell.variables.delete(key);
  }
  if (start !== "") assign(script, shell, name, scalar(behind(word, start.length)));
  const known = shell.variables.get(key);
  if (exports && known !== undefined) shell.variables.set(key, { ...known, exported: true });
}

/** The pieces without the first characters. */
function behind(word: Scalar, count: number): Scalar {
  let left = count;
  return word.flatMap((piece) => {
    const cut = Math.min(left, piece.text.length);
    left -= cut;
    if (cut === piece.text.length) return [];
    return [{ ...piece, text: piece.text.slice(cut), offset: piece.offset + cut }];
  });
}

function hide(
  { locals }: Scope["shell"],
  name: string,
  before: Variable | undefined,
  refersTo?: string,
): void {
  if (locals === undefined || locals.has(name)) return;
  locals.set(name, { before, ...(refersTo === undefined ? {} : { refersTo }) });
}

function valuePieces({ value }: Assignment, scope: Scope): Scalar {
  return value.type === "ArrayValue" ? [] : expandValue(value, scope);
}

/** As a word of another command: `env TP=4 …`. */
export function assignmentWord(each: Assignment, scope: Scope): Scalar {
  const { name, append, pos } = each;
  return [
    { text: `${name}${append === true ? "+" : ""}=`, offset: scope.text.at(pos) },
    ...valuePieces(each, scope),
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
