// Follows a shell script without running it: assignments, conditions and loops as far as the text decides
// them, and hands every program that the script starts to `onCommand`.
//
// Where a condition stays open, both of its branches are followed; what differs after them is unknown.

import type { Pipeline, Statement } from "unbash";
import { evaluateArithmetic } from "./arithmetic.ts";
import { runAndOr, runCase, runIf } from "./branches.ts";
import { arithmeticStatus, decideTest, not, type Status } from "./condition.ts";
import { type Follower, followText, type Frame, runBody, runList, scopeOf } from "./frame.ts";
import { runArithmeticFor, runFor, runWhile } from "./loops.ts";
import { copyOf, type Shell } from "./shell.ts";
import { runCommand } from "./simple_command.ts";
import type { SourceText } from "./source_text.ts";

/** Follows `text` in `shell`; throws `TooInvolved` where that has no end. */
export function runScript(
  text: SourceText,
  shell: Shell,
  follower: Follower & Partial<Pick<Frame, "conditions" | "depth">>,
): void {
  const { conditions = [], depth = 0 } = follower;
  followText(text, { ...follower, shell, conditions, depth, run });
}

function run(node: Statement["command"], frame: Frame): Status {
  frame.script.spend(1);
  switch (node.type) {
    case "AndOr":
      return runAndOr(node.commands, node.operators, frame);
    case "Pipeline":
      return runPipeline(node, frame);
    case "Command":
      return runCommand(node, frame);
    case "If":
      return runIf([node, ...node.elif], node.else, frame);
    case "For":
    case "Select":
      return runFor(node, frame);
    case "ArithmeticFor":
      return runArithmeticFor(node, frame);
    case "While":
      return runWhile(node, frame);
    case "Case":
      return runCase(node, frame);
    case "Subshell":
      return runList(node.body, { ...frame, shell: copyOf(frame.shell) });
    case "BraceGroup":
      return runList(node.body, frame);
    case "TestCommand":
      return decideTest(node.expression, scopeOf(frame));
    case "ArithmeticCommand":
      return arithmeticStatus(evaluateArithmetic(node.expression, scopeOf(frame)));
    case "Redirected":
      return run(node.command, frame);
    case "Function": {
      frame.shell.functions.set(node.name.value, { body: node.body, text: frame.text });
      return true;
    }
    case "Coproc":
      return runBody(node.body, frame);
  }
}

function runPipeline({ commands, prefixes }: Pipeline, frame: Frame): Status {
  let status: Status = true;
  for (const command of commands) {
    const shell = commands.length === 1 ? frame.shell : copyOf(frame.shell);
    status = run(command, { ...frame, shell });
  }
  const negations = prefixes.filter(({ type }) => type === "Negation").length;
  return negations % 2 === 1 ? not(status) : status;
}
