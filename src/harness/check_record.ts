// Whether the record of a check can be that of a program: what was to be checked follows from the program, whoever wrote
// the record.

import { collectiveOf, type Program } from "../program/program.ts";
import type { CheckOutcome } from "../result/check_outcome.ts";

/** What the record contradicts, in phrases; empty where it can be true. */
export function contradictionsOfCheck(program: Program, check: CheckOutcome): string[] {
  const { microBatches, output, phases } = program;
  // Of serving rows of requests, as many as were affordable.
  const each = phases === undefined ? microBatches * output.rows * output.columns : output.columns;
  return [
    ...(check.values >= each && check.values % each === 0
      ? []
      : [`its check compared ${check.values} values of a result of ${each}`]),
    ...(check.timed === undefined || check.timed.microBatches === microBatches
      ? []
      : [
          `its timed steps have ${check.timed.microBatches} micro-batches, and not ${microBatches}`,
        ]),
    ...[...callsByKind(program)].flatMap(([kind, calls]) =>
      // Of serving several steps were looked at.
      contradictionOfKind(check, kind, phases === undefined ? calls : undefined),
    ),
  ];
}

/** Kernels with the number of their calls; collectives, whose calls are counted by what they bring about. */
export function callsByKind({ ranks }: Program): Map<string, number | undefined> {
  const kinds = new Map<string, number | undefined>();
  for (const instruction of ranks.flatMap(({ instructions }) => instructions)) {
    if (instruction.origin.synthetic === true) continue;
    if (instruction.op === "kernel") {
      kinds.set(instruction.kernel, (kinds.get(instruction.kernel) ?? 0) + 1);
    }
    const transfer = collectiveOf(instruction);
    if (transfer !== undefined) kinds.set(transfer.op === "recv" ? "send" : transfer.op, undefined);
  }
  return kinds;
}

function contradictionOfKind(
  { kinds }: CheckOutcome,
  kind: string,
  calls: number | undefined,
): string[] {
  const found = kinds.find((one) => one.kind === kind);
  if (found === undefined) return [`its check says nothing of ${kind}`];
  const isPossible =
    found.calls >= 1 &&
    found.calls <= found.allCalls &&
    found.checked >= 1 &&
    found.checked <= found.total &&
    found.allCalls === (calls ?? found.allCalls);
  return isPossible
    ? []
    : [
        `its check saw ${found.checked} of ${found.total} ${found.unit} in ${found.calls} of ${found.allCalls} calls of ${kind}${calls === undefined ? "" : `, of which the program has ${calls}`}`,
      ];
}
