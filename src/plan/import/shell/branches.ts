// Branches of a shell script: those that the text decides are followed, and where it does not, all of them.

import type { Case, CompoundList, If, Statement } from "unbash";
import { isDecided, type Status } from "./condition.ts";
import { expandPattern, expandValue } from "./expand.ts";
import { type Frame, runList, scopeOf } from "./frame.ts";
import { globMatches } from "./glob.ts";
import { continueAsEither, copyOf } from "./shell.ts";
import { knownText, type Unknown } from "./value.ts";

export const ofProgram = "is how a program ends";

/** A program's end is not known; a script is written for the case that it succeeds. */
export function runAndOr(
  commands: readonly Statement["command"][],
  operators: readonly ("&&" | "||")[],
  frame: Frame,
): Status {
  let status: Status = true;
  for (const [index, command] of commands.entries()) {
    if (frame.shell.stopped !== "no") return status;
    const operator = operators[index - 1];
    if (operator === undefined) status = frame.run(command, frame);
    else if (isDecided(status)) {
      if (status === (operator === "&&")) status = frame.run(command, frame);
    } else if (status.why === ofProgram) {
      if (operator === "&&") status = frame.run(command, frame);
    } else {
      const open: Unknown = status;
      runBranches([(branch) => branch.run(command, branch), () => true], open, frame);
    }
  }
  return status;
}

/** Follows every branch from the same start, and goes on from all of their ends at once. */
export function runBranches(
  branches: readonly ((frame: Frame) => Status)[],
  open: Unknown,
  frame: Frame,
): void {
  const conditions = [...frame.conditions, open];
  const ends = branches.map((branch) => {
    const shell = copyOf(frame.shell);
    frame.script.spend(shell.variables.size);
    branch({ ...frame, shell, conditions });
    return shell;
  });
  continueAsEither(frame.shell, ends, (name) => ({
    written: `$${name}`,
    why: `depends on ${open.written}, which ${open.why}`,
    variable: open.variable ?? name,
  }));
}

type Clause = Pick<If, "clause" | "then">;

export function runIf(
  clauses: readonly Clause[],
  otherwise: CompoundList | undefined,
  frame: Frame,
): Status {
  const [first, ...rest] = clauses;
  if (first === undefined) return runList(otherwise, frame);
  const status = runList(first.clause, frame);
  if (!isDecided(status)) {
    const others = (branch: Frame) => runIf(rest, otherwise, branch);
    runBranches([(branch) => runList(first.then, branch), others], status, frame);
    return true;
  }
  return status ? runList(first.then, frame) : runIf(rest, otherwise, frame);
}

export function runCase({ word, items }: Case, frame: Frame): Status {
  const scope = scopeOf(frame);
  const subject = expandValue(word, scope);
  const text = knownText(subject);
  const unknown = subject.find((piece) => piece.unknown !== undefined)?.unknown;
  if (text !== undefined) {
    for (const [index, item] of items.entries()) {
      const matches = item.pattern.some((pattern) => {
        const tokens = expandPattern(pattern, scope);
        if (!Array.isArray(tokens)) return false;
        frame.script.spend(text.length * (tokens.length + 1));
        return globMatches(text, tokens);
      });
      if (!matches) continue;
      runList(item.body, frame);
      if (item.terminator === ";&") runList(items[index + 1]?.body, frame);
      return true;
    }
    return true;
  }
  if (unknown === undefined) return true;
  const patterns = items.flatMap(({ pattern }) => pattern.map(({ value }) => value));
  if (unknown.variable !== undefined) {
    const values = frame.script.compared.get(unknown.variable) ?? new Set<string>();
    for (const pattern of patterns) if (!/[*?[\]]/.test(pattern)) values.add(pattern);
    frame.script.compared.set(unknown.variable, values);
  }
  const branches = items.map(
    ({ body }) =>
      (branch: Frame) =>
        runList(body, branch),
  );
  const complete = patterns.includes("*");
  runBranches(complete ? branches : [...branches, () => true], unknown, frame);
  return true;
}
