// shardbench report: a result as a page to open, as Markdown, or on the terminal.

import { type Command, Option } from "commander";
import type { Plan } from "../plan/plan.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { printLines, printReports, printText } from "./output.ts";
import { addTraceOptions, type TraceFlags } from "./trace_options.ts";
import { writeText } from "./write_text.ts";

interface Flags extends TraceFlags {
  readonly html?: string;
  readonly ablation?: string;
  readonly scaling?: string;
  readonly markdown?: boolean;
  readonly write?: boolean;
  readonly json?: boolean;
}

export function defineReport(program: Command): void {
  addTraceOptions(program.command("report"))
    .argument("<result>", "what an earlier `shardbench run` wrote")
    .summary("show a result: on the terminal, as Markdown, or as a page to open and share")
    .description(
      "Shows a result with all of its tables. With --html writes one file with timelines, rooflines and\n" +
        "distributions, which asks for nothing from elsewhere and can be sent to anyone. Figures are derived\n" +
        "again from the result's samples; a result that was edited is refused.",
    )
    .addOption(new Option("--html <file>", "write a page").conflicts("markdown"))
    .option("--ablation <file>", "in the page also what `ablate -o` wrote of the same plan")
    .option("--scaling <file>", "in the page also what `scaling -o` wrote of the same plan")
    .option("--markdown", "print Markdown")
    .option("--write", "overwrite the file of --html")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench report results/plan.json --html report.html
  $ shardbench report results/plan.json --html report.html --ablation a.json --scaling s.json
  $ shardbench report results/plan.json --markdown > report.md
  $ shardbench report results/plan.json --trace plan.pftrace`,
    )
    .action((file: string, flags: Flags, command: Command) => {
      const { html, ablation, scaling } = flags;
      if (html === undefined && (ablation !== undefined || scaling !== undefined)) {
        command.error("error: --ablation and --scaling are for the page of --html");
      }
      return guarded(flags.json, () => report(file, flags));
    });
}

/** What else the page shows. */
async function besideOf(plan: Plan, { ablation, scaling }: Flags) {
  if (ablation === undefined && scaling === undefined) return {};
  const { readAblation, readScaling } = await import("../harness/read_beside.ts");
  return {
    ...(ablation === undefined ? {} : { ablation: await readAblation(ablation, plan) }),
    ...(scaling === undefined ? {} : { scaling: await readScaling(scaling, plan) }),
  };
}

async function report(file: string, flags: Flags): Promise<ExitCode> {
  const { readResultAndPlan } = await import("../harness/earlier_result.ts");
  const { plan, result } = await readResultAndPlan(file);
  const { html, markdown, write, json, trace, otel } = flags;
  if (trace !== undefined) {
    const { writeTrace } = await import("./trace_files.ts");
    printLines([`Trace: ${await writeTrace(plan, result, flags)}`]);
  }
  if (otel !== undefined) {
    const { sendToCollector } = await import("./trace_files.ts");
    printLines([`OpenTelemetry: ${await sendToCollector(plan, result, otel)}`]);
  }
  if (html !== undefined) {
    const { pageOf } = await import("./page.ts");
    await writeText(html, pageOf(plan, result, await besideOf(plan, flags)), write === true);
    printLines([`Report: ${html}`]);
    return exitCodes.fine;
  }
  if (json === true) {
    const { textOfResult } = await import("../result/result_text.ts");
    printText(textOfResult(result));
    return exitCodes.fine;
  }
  if ((trace !== undefined || otel !== undefined) && markdown !== true) return exitCodes.fine;
  const { runReport } = await import("../report/run_report.ts");
  const shown = runReport(plan, result);
  if (markdown === true) {
    const { markdownLines } = await import("../report/render/markdown.ts");
    printLines(markdownLines(shown));
  } else {
    printReports([shown]);
  }
  return exitCodes.fine;
}
