// Whether a build still does with a plan what it did: what can be counted must be the same, and time may not be longer
// than a reference of the same job by more than a threshold.

import { z } from "zod";
import { formatNumber, formatPercent } from "../measure/format.ts";
import type { PairedRatio } from "../measure/paired_ratio.ts";
import type { CheckOutcome } from "./check_outcome.ts";
import { firstDifference } from "./first_difference.ts";
import type { StoredResult } from "./result_file.ts";

export interface Gate {
  readonly name: "numbers" | "diagnostics" | "wire bytes" | "memory" | "schedule" | "time";
  /** `open`: nothing tells, which fails nobody. */
  readonly state: "passed" | "failed" | "open";
  /** In a sentence without a full stop. */
  readonly message: string;
}

/** What two builds must have in common, whatever the machine. */
export interface Counted {
  readonly numbers?: Pick<CheckOutcome, "method" | "error" | "tolerance" | "values">;
  /** By rank. */
  readonly wireBytes: readonly { readonly sent: number; readonly received: number }[];
  readonly memory: readonly number[];
  readonly schedule?: string;
}

const ranksOfFile = z.array(z.object({ sentBytes: z.number(), receivedBytes: z.number() }));

/** As its file tells: another build may count otherwise, and that is what is asked for. */
export function countedIn({ sources, content }: StoredResult): Counted {
  const { check, memory, programHash } = sources;
  const estimate = z.object({ ranks: ranksOfFile }).parse(content["estimate"]);
  return {
    ...(check === undefined ? {} : { numbers: numbersOf(check) }),
    wireBytes: estimate.ranks.map(({ sentBytes: sent, receivedBytes: received }) => ({
      sent,
      received,
    })),
    memory: memory.map(({ allocatedBytes }) => allocatedBytes),
    ...(programHash === undefined ? {} : { schedule: programHash }),
  };
}

function numbersOf({
  method,
  error,
  tolerance,
  values,
}: CheckOutcome): NonNullable<Counted["numbers"]> {
  return { method, error, tolerance, values };
}

/** All but time. */
export function countedGates(baseline: Counted, own: Counted): Gate[] {
  return [
    numbersGate(baseline, own),
    sameGate("wire bytes", baseline.wireBytes, own.wireBytes),
    sameGate("memory", baseline.memory, own.memory),
    baseline.schedule === undefined || own.schedule === undefined
      ? { name: "schedule", state: "open", message: "the baseline does not tell its schedule" }
      : sameGate("schedule", baseline.schedule, own.schedule),
  ];
}

/**
 * A build that looks less closely than the baseline's cannot say that its numbers are as right. Which method a check
 * takes, the memory of the machine has a say in.
 */
function numbersGate({ numbers: before }: Counted, { numbers }: Counted): Gate {
  const name = "numbers";
  if (numbers === undefined) return { name, state: "failed", message: "they were not checked" };
  const { error, tolerance, values } = numbers;
  const found = `largest relative error ${error.toExponential(1)}, accepted ${tolerance.toExponential(1)}`;
  const weaker =
    before === undefined || before.method !== numbers.method
      ? ""
      : tolerance > before.tolerance * (1 + sameTolerance)
        ? `, and ${before.tolerance.toExponential(1)} in the baseline`
        : values < before.values
          ? ` of ${values} values, and ${before.values} were compared in the baseline`
          : "";
  const isRight = error <= tolerance && weaker === "";
  return { name, state: isRight ? "passed" : "failed", message: `${found}${weaker}` };
}

/** Exponentials may differ in their last digit from one machine to another. */
const sameTolerance = 1e-9;

function sameGate(name: Gate["name"], baseline: unknown, own: unknown): Gate {
  const difference = firstDifference(baseline, own);
  if (difference === undefined) return { name, state: "passed", message: "as in the baseline" };
  const { path, left, right } = difference;
  const where = path === "" ? "" : `rank ${path.replace(".", ", ")}: `;
  return {
    name,
    state: "failed",
    message: `${where}${String(right)}, and ${String(left)} in the baseline`,
  };
}

/** New codes fail; those that are gone do not. */
export function diagnosticsGate(baseline: readonly string[], own: readonly string[]): Gate {
  const name = "diagnostics";
  const more = [...new Set(own)].filter((code) => !baseline.includes(code));
  return more.length === 0
    ? { name, state: "passed", message: "none that the baseline's plan has not" }
    : { name, state: "failed", message: `more than the baseline's plan has: ${more.join(", ")}` };
}

/** @param threshold relative: so much longer is accepted */
export function timeGate(measured: PairedRatio | undefined, threshold: number): Gate {
  const name = "time";
  if (measured === undefined) {
    return { name, state: "open", message: "not judged: no --reference ran beside it" };
  }
  const { ratio, interval, pairs } = measured;
  const found = `${formatNumber(ratio)} times the reference's, ${pairs} turns`;
  if (interval === undefined) {
    return { name, state: "open", message: `${found}: too few to judge` };
  }
  const [low, high] = interval;
  const message = `${found}, 95 % within ${formatNumber(low)} … ${formatNumber(high)}; accepted ${formatPercent(threshold)} more`;
  if (low > 1 + threshold) return { name, state: "failed", message };
  return { name, state: high <= 1 + threshold ? "passed" : "open", message };
}
