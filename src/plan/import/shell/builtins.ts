// Commands that a shell carries out itself, as far as they change what follows.

import type { Status } from "./condition.ts";
import type { Scope } from "./expand.ts";
import { assign } from "./shell.ts";
import { type Scalar, scalar, textOf, unknownPiece } from "./value.ts";

export interface BuiltinCall {
  readonly name: string;
  /** Its arguments. */
  readonly words: readonly Scalar[];
  readonly scope: Scope;
  readonly input?: Scalar;
}

type Builtin = (call: BuiltinCall) => Status;

const succeed: Builtin = () => true;

function stop(stopped: "break" | "continue" | "return" | "exit"): Builtin {
  return ({ scope }) => {
    scope.shell.stopped = stopped;
    return true;
  };
}

/** `set -- a b` gives the script arguments. */
const set: Builtin = ({ words, scope }) => {
  const dashes = words.findIndex((word) => textOf(word) === "--");
  if (dashes >= 0) scope.shell.positional = words.slice(dashes + 1);
  return true;
};

const shift: Builtin = ({ words: [count], scope: { shell } }) => {
  const by = Number(count === undefined ? 1 : textOf(count));
  shell.positional = shell.positional?.slice(Number.isInteger(by) && by >= 0 ? by : 1);
  return true;
};

const unset: Builtin = ({ words, scope }) => {
  for (const word of words) {
    const [, name = "", index] = /^(\w+)(?:\[(\w+)\])?$/.exec(textOf(word)) ?? [];
    const known = scope.shell.variables.get(name);
    if (index === undefined) scope.shell.variables.delete(name);
    else if (known?.value.kind === "array") {
      const elements = new Map(known.value.elements);
      elements.delete(index);
      scope.shell.variables.set(name, { ...known, value: { kind: "array", elements } });
    }
  }
  return true;
};

/** What is read is not known, unless it is one here-string for one name. */
const read: Builtin = ({ words, scope, input }) => {
  const names = words.map(textOf).filter((word) => /^[A-Za-z_]\w*$/.test(word));
  for (const name of names) {
    const unknown = { written: `$${name}`, why: "is read from elsewhere", variable: name };
    const offset = words[0]?.[0]?.offset ?? 0;
    const value =
      names.length === 1 && input !== undefined ? input : [unknownPiece(unknown, offset)];
    assign(scope.script, scope.shell, name, scalar(value));
  }
  return true;
};

/** `printf -v NAME …` prints into a variable: a plain word as it is, and forms as nobody knows. */
const print: Builtin = ({ words: [option = [], target = [], format = [], ...values], scope }) => {
  const name = textOf(target);
  if (textOf(option) !== "-v" || !/^[A-Za-z_]\w*$/.test(name)) return true;
  const [only] = values;
  const isPlain = values.length === 1 && /^%[ds]$/.test(textOf(format));
  const unknown = { written: `$${name}`, why: "is printed in a form that is not followed" };
  const offset = target[0]?.offset ?? 0;
  const printed = isPlain && only !== undefined ? only : [unknownPiece(unknown, offset)];
  assign(scope.script, scope.shell, name, scalar(printed));
  return true;
};

export const builtins: Readonly<Record<string, Builtin>> = {
  ":": succeed,
  "[": succeed,
  test: succeed,
  true: succeed,
  false: () => false,
  echo: succeed,
  printf: print,
  cd: succeed,
  pushd: succeed,
  popd: succeed,
  shopt: succeed,
  trap: succeed,
  ulimit: succeed,
  umask: succeed,
  wait: succeed,
  eval: succeed,
  source: succeed,
  ".": succeed,
  hash: succeed,
  alias: succeed,
  getopts: () => ({ written: "getopts", why: "reads the script's arguments" }),
  break: stop("break"),
  continue: stop("continue"),
  return: stop("return"),
  exit: stop("exit"),
  set,
  shift,
  unset,
  read,
  mapfile: read,
  readarray: read,
  let: succeed,
};
