// shardbench gate: whether a build still does with a plan what a baseline did, for CI.

import { writeFile } from "node:fs/promises";
import { type Command, InvalidArgumentError } from "commander";
import { EnvironmentError } from "../environment_error.ts";
import type { Gate } from "../result/gate.ts";
import type { StoredResult } from "../result/result_file.ts";
import { soundPlan } from "./bad_plan.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { printJson, printReports } from "./output.ts";
import { adapterOption } from "./run_options.ts";
import { wholeNumber } from "./values.ts";

interface Flags {
  readonly baseline: string;
  readonly reference?: string;
  readonly turns: number;
  readonly threshold?: number;
  readonly adapter?: string;
  readonly samples?: number;
  readonly markdown?: string;
  readonly junit?: string;
  readonly sarif?: string;
  readonly benchmark?: string;
  readonly json?: boolean;
}

export function defineGate(program: Command): void {
  program
    .command("gate")
    .argument("<file>", "plan in YAML or JSON")
    .requiredOption("--baseline <result>", "what an earlier `shardbench run` of the plan wrote")
    .summary("hold this build's run of a plan against a baseline; exit 3 when a gate fails")
    .description(
      "Runs a plan, and fails where its numbers are wrong, or where diagnostics, wire bytes, memory or\n" +
        "schedule are not the baseline's. Time is judged only beside a reference: another build's package,\n" +
        "which takes steps of the plan in turns with this one, both started four times. It fails where\n" +
        "the 95 % interval of the ratio lies above the threshold; where that is open, nothing fails.",
    )
    .option("--reference <folder>", "an earlier build's package, beside which time is judged")
    .option("--turns <n>", "turns of a few steps that both builds take", wholeNumber(15), 120)
    .option("--threshold <percent>", "how much longer a step may take (default: 10%)", percent)
    .addOption(adapterOption())
    .option("--samples <n>", "time exactly this many steps in each run", wholeNumber(1))
    .option("--markdown <file>", "append the outcome there, such as to $GITHUB_STEP_SUMMARY")
    .option("--junit <file>", "write the outcome as JUnit XML")
    .option("--sarif <file>", "write what failed as SARIF")
    .option("--benchmark <file>", "write figures as JSON for github-action-benchmark")
    .option("--json", "print the outcome as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench gate plan.yaml --baseline baseline.json --junit gate.xml
  $ shardbench gate plan.yaml --baseline baseline.json --reference ../previous --threshold 15%`,
    )
    .action((file: string, flags: Flags) => guarded(flags.json, () => gate(file, flags)));
}

function percent(text: string): number {
  const value = Number(text.replace(/\s*%$/, ""));
  if (text.trim() !== "" && value > 0 && value < 1000) return value / 100;
  throw new InvalidArgumentError("A percentage above zero is needed, such as 10%.");
}

async function gate(file: string, flags: Flags): Promise<ExitCode> {
  const { plan, diagnostics } = await soundPlan(file);
  const [{ readStored }, { workHash }, runs, gates] = await Promise.all([
    import("../result/result_file.ts"),
    import("../result/plan_hash.ts"),
    import("./gate_runs.ts"),
    import("../result/gate.ts"),
  ]);
  const baseline = await readStored(flags.baseline);
  const { seed } = baseline.sources;
  if (
    workHash({ ...plan, workload: { ...plan.workload, seed } }) !== baseline.sources.plan.workHash
  ) {
    throw new EnvironmentError(
      "result-refused",
      `${flags.baseline} is of other work than ${file}`,
      "make a baseline of this plan with `shardbench run`",
    );
  }
  const measured = await runs.runInTurns(file, { ...flags, seed });
  if (measured === "wrong numbers") return exitCodes.wrongNumerics;
  const counted = gates.countedIn(measured.own);
  const { ratio } = measured;
  const found = [
    ...gates.countedGates(gates.countedIn(baseline), counted),
    gates.diagnosticsGate(await codesOf(baseline), diagnostics.flatMap(codeOf)),
    gates.timeGate(ratio, flags.threshold ?? 0.1),
  ];
  if (flags.benchmark !== undefined) {
    const { benchmarkEntries } = await import("../report/render/benchmark.ts");
    await writeOutcome(flags.benchmark, jsonText(benchmarkEntries(plan.name, counted, ratio)));
  }
  await deliver(plan.name, file, found, flags);
  return found.some(({ state }) => state === "failed") ? exitCodes.claimRefuted : exitCodes.fine;
}

function codeOf({
  severity,
  code,
}: {
  readonly severity: string;
  readonly code: string;
}): string[] {
  return severity === "info" ? [] : [code];
}

/** What this build's rules say of the baseline's plan. */
async function codesOf({ sources }: StoredResult): Promise<string[]> {
  const { written } = sources;
  if (written === undefined) return [];
  const [{ normalise }, { inspect }] = await Promise.all([
    import("../plan/normalise.ts"),
    import("../check/check_plan.ts"),
  ]);
  const { plan } = normalise(written);
  return plan === undefined ? [] : inspect(plan).diagnostics.flatMap(codeOf);
}

async function deliver(
  name: string,
  file: string,
  gates: readonly Gate[],
  { markdown, junit, sarif, json }: Flags,
): Promise<void> {
  const [{ gateReport }, { markdownLines }, { junitXml }, { sarifLog }] = await Promise.all([
    import("../report/gate_report.ts"),
    import("../report/render/markdown.ts"),
    import("../report/render/junit.ts"),
    import("../report/render/sarif.ts"),
  ]);
  const report = gateReport(name, gates);
  if (json === true) printJson({ plan: name, gates });
  else printReports([report]);
  if (markdown !== undefined) {
    await writeOutcome(markdown, `${markdownLines(report).join("\n")}\n`, "a");
  }
  if (junit !== undefined) await writeOutcome(junit, junitXml(name, gates));
  if (sarif !== undefined) {
    await writeOutcome(sarif, jsonText(sarifLog(gates.flatMap(failureOf), file)));
  }
}

function failureOf({ name, state, message }: Gate) {
  if (state !== "failed") return [];
  return [
    {
      code: `gate-${name.replaceAll(" ", "-")}`,
      severity: "error" as const,
      path: [],
      message: `${name}: ${message}`,
    },
  ];
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** @throws EnvironmentError where the file cannot be written */
async function writeOutcome(file: string, text: string, flag: "a" | "w" = "w"): Promise<void> {
  try {
    await writeFile(file, text, { flag });
  } catch (error) {
    throw new EnvironmentError(
      "file-not-writable",
      `cannot write the outcome: ${error instanceof Error ? error.message : String(error)}`,
      "choose another place",
    );
  }
}
