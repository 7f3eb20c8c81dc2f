// Loops of a shell script, as far as the text decides how often they go round.

import type { ArithmeticFor, CompoundList, For, While } from "unbash";
import { evaluateArithmetic } from "./arithmetic.ts";
import { runBranches } from "./branches.ts";
import { arithmeticStatus, isDecided, not, type Status } from "./condition.ts";
import { expandWords } from "./expand.ts";
import { type Frame, runList, scopeOf } from "./frame.ts";
import { assign } from "./shell.ts";
import { scalar } from "./value.ts";

/** Loops are followed no further: a script does not start more programs than this. */
const maxRounds = 64;

export function runFor(
  { name, wordlist, body }: Pick<For, "name" | "wordlist" | "body">,
  frame: Frame,
): Status {
  const { shell, script } = frame;
  const values =
    wordlist === undefined ? (shell.positional ?? []) : expandWords(wordlist, scopeOf(frame));
  for (const value of values.slice(0, maxRounds)) {
    assign(script, shell, name.value, scalar(value));
    if (!runRound(body, frame)) break;
  }
  return true;
}

/** Whether another round follows. */
function runRound(body: CompoundList, frame: Frame): boolean {
  const { shell } = frame;
  runList(body, frame);
  const goesOn = shell.stopped === "no" || shell.stopped === "continue";
  if (shell.stopped !== "return" && shell.stopped !== "exit") shell.stopped = "no";
  return goesOn;
}

export function runArithmeticFor(
  { initialize, test, update, body }: ArithmeticFor,
  frame: Frame,
): Status {
  evaluateArithmetic(initialize, scopeOf(frame));
  return runLoop(
    () => arithmeticStatus(evaluateArithmetic(test, scopeOf(frame))),
    body,
    frame,
    () => {
      evaluateArithmetic(update, scopeOf(frame));
    },
  );
}

export function runWhile({ kind, clause, body }: While, frame: Frame): Status {
  return runLoop(
    () => {
      const status = runList(clause, frame);
      return kind === "until" ? not(status) : status;
    },
    body,
    frame,
  );
}

function runLoop(test: () => Status, body: CompoundList, frame: Frame, after?: () => void): Status {
  const { shell } = frame;
  for (let round = 0; round < maxRounds && shell.stopped === "no"; round++) {
    const status = test();
    if (status === false) break;
    if (!isDecided(status)) {
      // A script is read as it is called without arguments: a loop over them does nothing.
      const ofArguments = /^\$[@#\d]|getopt/.test(status.written);
      if (!ofArguments) {
        runBranches([(branch) => runList(body, branch), () => true], status, frame);
      }
      break;
    }
    if (!runRound(body, frame)) break;
    after?.();
  }
  return true;
}
