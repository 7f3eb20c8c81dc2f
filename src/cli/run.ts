// shardbench run: a plan for real, its figures and verdicts.

import { type Command, Option } from "commander";
import type { RunOptions } from "../harness/run_options.ts";
import type { Diagnostic } from "../plan/diagnostic.ts";
import type { Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import { countOf } from "../measure/format.ts";
import type { Exceeded, RunResult, ScaledRecord } from "../result/result.ts";
import type { ResultTarget } from "../result/result_target.ts";
import { LINE_WIDTH } from "../report/render/table.ts";
import { wrap } from "../report/render/text_width.ts";
import { exceededText } from "../report/sections/reductions.ts";
import { soundPlan } from "./bad_plan.ts";
import { execute, exitCodeOfRun } from "./execute.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { givenContents, type GivenFlags, tokensOption, weightsOption } from "./given.ts";
import { guarded, tell } from "./guard.ts";
import { heedingSignals } from "./interruptible.ts";
import { bandwidthOfLink } from "./peaks.ts";
import { errorColors, printErrorLines, printLines, printReports, printText } from "./output.ts";
import { addRunOptions, runOptions, runsOption, withSeed, type RunFlags } from "./run_options.ts";
import { addTraceOptions, type TraceFlags } from "./trace_options.ts";
import { byteQuantity, duration, wholeNumbers } from "./values.ts";

interface Flags extends RunFlags, GivenFlags, TraceFlags {
  readonly fit?: boolean;
  /** Bytes. */
  readonly memory?: number;
  /** ms */
  readonly fitTime?: number;
  readonly json?: boolean;
  readonly output?: string;
  readonly project?: boolean;
  readonly contexts?: readonly number[];
  readonly explain?: boolean;
  readonly full?: boolean;
  readonly quiet?: boolean;
  readonly html?: string;
  /** Bytes per second. */
  readonly linkBandwidth?: number;
  /** ms */
  readonly linkLatency?: number;
}

export function defineRun(program: Command): void {
  addTraceOptions(addRunOptions(program.command("run")))
    .argument("<file>", "plan in YAML or JSON")
    .summary("run a plan and say which of its claims hold")
    .description(
      "Runs a plan on real adapters, one process per GPU of the plan: checks its numbers, times it,\n" +
        "and holds the figures against the plan's claims. A refuted claim does not fail the run;\n" +
        "`shardbench compare` is for that.",
    )
    .option(
      "-o, --output <file>",
      "where the result goes (default: results/<plan name>.json); what a\nrun that ended early kept goes to .partial.json beside a better one",
    )
    .addOption(runsOption(1))
    .addOption(weightsOption().conflicts("fit"))
    .addOption(tokensOption().conflicts("fit"))
    .option(
      "--fit",
      "make the plan as small as this machine needs, and project the full one's speed",
    )
    .option(
      "--memory <size>",
      "with --fit, for all buffers of an adapter, such as 8GB",
      byteQuantity,
    )
    .option("--fit-time <duration>", "with --fit, of the whole run (default: 60s)", duration)
    .option("--project", "project the step as if each rank had an adapter of its own")
    .addOption(
      new Option(
        "--link-bandwidth <rate>",
        "emulate links between ranks: no message is faster, such as 10GB/s",
      )
        .argParser(bandwidthOfLink)
        .conflicts("project"),
    )
    .addOption(
      new Option("--link-latency <duration>", "of emulated links, such as 5us")
        .argParser(duration)
        .conflicts("project"),
    )
    .option(
      "--contexts <list>",
      "of a plan that serves, time decode at these contexts, such as 128,512,2048",
      wholeNumbers(1),
    )
    .option("--html <file>", "also write a page with timelines and charts, to open and share")
    .option("--full", "print all tables, not the first screen only")
    .option("--quiet", "print nothing but what goes wrong, and no progress")
    .option(
      "--explain",
      "print all tables, with the variant of every kernel and what the others reached",
    )
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench run configs/three-stage-pipeline.json
  $ shardbench run plan.yaml --adapter gpu0 --time 30s --runs 3 --html report.html
  $ shardbench run llama-70b.yaml --fit
  $ shardbench run plan.yaml --placement 0=swiftshader,1=lavapipe --samples 20`,
    )
    .action((file: string, flags: Flags) => guarded(flags.json, () => run(file, flags)));
}

async function run(file: string, flags: Flags): Promise<ExitCode> {
  const { plan, written, diagnostics, scaled } = await planToRun(file, flags);
  if (flags.contexts !== undefined) {
    const { refuseContexts } = await import("../harness/serving/decode_curve.ts");
    refuseContexts(plan, flags.contexts);
  }
  const given = await givenContents(plan, flags);
  const { openResultTarget } = await import("../result/result_target.ts");
  const target = await openResultTarget({ name: plan.name, file }, flags.output);
  // From its first moment until the result is written, Ctrl-C is in the hands of the run.
  return heedingSignals(async (signal) => {
    const asked: RunOptions = {
      ...runOptions(flags),
      ...(flags.project === true ? { project: "also" } : {}),
      ...(flags.contexts === undefined ? {} : { contexts: flags.contexts }),
      ...(scaled === undefined ? {} : { scaled }),
      ...(written === undefined ? {} : { written }),
      ...(flags.fit === true ? {} : { onTooLarge: announceFit }),
      ...linkOf(flags),
      ...given,
    };
    const running = execute(plan, asked, flags.quiet);
    if (flags.quiet !== true) announceWarnings(file, diagnostics);
    const result = await running;
    let code = exitCodeOfRun(result);
    try {
      await print(plan, result, flags);
    } finally {
      // Whatever becomes of the one, the other is not lost.
      code = (await keep(target, result, flags)) ?? code;
      code = (await keepViews(plan, result, flags)) ?? code;
    }
    return signal.aborted && code === exitCodes.fine ? exitCodes.interrupted : code;
  });
}

interface PlanToRun {
  readonly plan: Plan;
  readonly diagnostics: readonly Diagnostic[];
  /** What `plan` is the meaning of; absent where it was made smaller. */
  readonly written?: PlanFile;
  /** Where `plan` was made smaller. */
  readonly scaled?: ScaledRecord;
}

async function planToRun(file: string, flags: Flags): Promise<PlanToRun> {
  if (flags.fit !== true) {
    const { plan, written, diagnostics } = await soundPlan(file);
    const { seed = plan.workload.seed } = flags;
    return {
      plan: withSeed(plan, seed),
      written: { ...written, workload: { ...written.workload, seed } },
      diagnostics,
    };
  }
  const [{ fittedPlan }, { scaledRecord }] = await Promise.all([
    import("./fitted_plan.ts"),
    import("../harness/fit/fit_plan.ts"),
  ]);
  const { full, fit, diagnostics } = await fittedPlan(file, flags, true);
  const scaled = scaledRecord(full, fit);
  return { plan: fit.plan, diagnostics, ...(scaled === undefined ? {} : { scaled }) };
}

async function print(plan: Plan, result: RunResult, flags: Flags): Promise<void> {
  if (flags.json === true) {
    const { textOfResult } = await import("../result/result_text.ts");
    printText(textOfResult(result));
    return;
  }
  if (flags.quiet === true) return;
  if (flags.full !== true && flags.explain !== true) {
    const { summaryReport } = await import("../report/summary_report.ts");
    printReports([summaryReport(plan, result)]);
    return;
  }
  const { runReport } = await import("../report/run_report.ts");
  printReports([runReport(plan, result, { explain: flags.explain === true })]);
}

/** An exit code where that failed. */
async function keep(
  target: ResultTarget,
  result: RunResult,
  { json, quiet }: Flags,
): Promise<ExitCode | undefined> {
  try {
    const file = await target.write(result);
    if (json !== true && quiet !== true) printLines(["", `Result file: ${file}`]);
    return undefined;
  } catch (error) {
    return tell(error);
  }
}

/** As `keep`, of the page and the trace that were asked for. */
async function keepViews(
  plan: Plan,
  result: RunResult,
  flags: Flags,
): Promise<ExitCode | undefined> {
  const { html, otel, trace, json, quiet } = flags;
  const say = (line: string): void => {
    if (json !== true && quiet !== true) printLines([line]);
  };
  try {
    if (html !== undefined) {
      const [{ pageOf }, { writeText }] = await Promise.all([
        import("./page.ts"),
        import("./write_text.ts"),
      ]);
      await writeText(html, pageOf(plan, result), true);
      say(`Report: ${html}`);
    }
    if (trace !== undefined) {
      const { writeTrace } = await import("./trace_files.ts");
      say(`Trace: ${await writeTrace(plan, result, flags)}`);
    }
    if (otel !== undefined) {
      const { sendToCollector } = await import("./trace_files.ts");
      say(`OpenTelemetry: ${await sendToCollector(plan, result, otel)}`);
    }
    return undefined;
  } catch (error) {
    return tell(error);
  }
}

function linkOf({
  linkBandwidth: bandwidth,
  linkLatency: latencyMs,
}: Flags): Pick<RunOptions, "link"> {
  return bandwidth === undefined && latencyMs === undefined
    ? {}
    : { link: { latencyMs: latencyMs ?? 0, ...(bandwidth === undefined ? {} : { bandwidth }) } };
}

function announceFit(exceeded: readonly Exceeded[]): void {
  const text = `the plan may be too large for this machine, as it exceeds ${exceeded
    .map(exceededText)
    .join(" and ")}: \`--fit\` makes it as small as it must be`;
  printErrorLines(wrap(text, LINE_WIDTH).map(errorColors().doubtful));
}

function announceWarnings(file: string, diagnostics: readonly Diagnostic[]): void {
  const count = diagnostics.filter(({ severity }) => severity === "warning").length;
  if (count === 0) return;
  const text = `${countOf(count, "warning")} about the plan: \`shardbench check ${file}\` shows them`;
  printErrorLines(wrap(text, LINE_WIDTH).map(errorColors().doubtful));
}
