// shardbench describe: who does what.

import type { Command } from "commander";
import type { Plan } from "../plan/plan.ts";
import { terminalLines } from "../report/render/terminal.ts";
import { asciiText, isUnicodeTerminal } from "../report/render/ascii.ts";
import { plain } from "../report/render/color.ts";
import { LINE_WIDTH } from "../report/render/table.ts";
import { wrap } from "../report/render/text_width.ts";
import { countedPlan } from "./counted_plan.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { outputColors, printErrorLines, printJson, printLines } from "./output.ts";

interface Flags {
  readonly report?: boolean;
  readonly schedule?: boolean;
  readonly output?: string;
  readonly write?: boolean;
  readonly ascii?: boolean;
  readonly json?: boolean;
}

export function defineDescribe(program: Command): void {
  program
    .command("describe")
    .argument("<file>", "plan in YAML or JSON")
    .summary("show who does what, as a picture or as a report")
    .description(
      "Draws stages, GPUs, shards and communications, with the load of each GPU. With --report writes\n" +
        "the whole analysis as Markdown, with --schedule draws what each stage does when. Needs no adapter.",
    )
    .option(
      "--report",
      "the analysis as Markdown: summary, compatibility, opportunities, conclusion",
    )
    .option("--schedule", "the order of micro-batches as a Gantt chart, and the bubble it predicts")
    .option("-o, --output <file>", "write there instead of to the terminal")
    .option("--write", "overwrite the file of -o")
    .option("--ascii", "no box characters; the default where the locale is not UTF-8")
    .option("--json", "print the description as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench describe plan.yaml
  $ shardbench describe plan.yaml --schedule
  $ shardbench describe plan.yaml --report -o analysis.md`,
    )
    .action((file: string, flags: Flags) => guarded(flags.json, () => describe(file, flags)));
}

async function describe(file: string, flags: Flags): Promise<ExitCode> {
  if (flags.report === true) {
    const [{ inspectPlan }, { analysisReport }, { markdownLines }] = await Promise.all([
      import("./bad_plan.ts"),
      import("../report/analysis_report.ts"),
      import("../report/render/markdown.ts"),
    ]);
    await deliver(markdownLines(analysisReport(await inspectPlan(file))), flags);
    return exitCodes.fine;
  }
  const { plan } = await countedPlan(file);
  if (flags.schedule === true) return describeOrder(plan, flags);
  const [{ describePlan }, { describeReport }] = await Promise.all([
    import("../program/describe_plan.ts"),
    import("../report/describe_report.ts"),
  ]);
  const described = describePlan(plan);
  if (flags.json === true) {
    const { load, stages, estimate } = described;
    const { collectives } = estimate;
    const { name, hardware } = plan;
    printJson({ plan: name, provenance: "estimated", hardware, load, stages, collectives });
    return exitCodes.fine;
  }
  const colors = flags.output === undefined ? outputColors() : plain;
  const lines = terminalLines(describeReport(described), colors);
  await deliver(isPlain(flags) ? lines.map(asciiText) : lines, flags);
  return exitCodes.fine;
}

async function describeOrder(plan: Plan, flags: Flags): Promise<ExitCode> {
  const [{ describeSchedule }, { estimatePlan }, { scheduleReport }] = await Promise.all([
    import("../program/schedule/describe.ts"),
    import("../program/estimate.ts"),
    import("../report/drawing/schedule_chart.ts"),
  ]);
  const schedule = describeSchedule(plan, estimatePlan(plan));
  if (flags.json === true) {
    printJson({ plan: plan.name, provenance: "estimated", schedule: schedule ?? null });
    return exitCodes.fine;
  }
  if (schedule === undefined) {
    await deliver(wrap(noPipeline, LINE_WIDTH), flags);
    return exitCodes.fine;
  }
  const width = flags.output === undefined ? process.stdout.columns : undefined;
  const colors = flags.output === undefined ? outputColors() : undefined;
  const lines = scheduleReport(schedule, width, colors);
  await deliver(isPlain(flags) ? lines.map(asciiText) : lines, flags);
  return exitCodes.fine;
}

const noPipeline =
  "The stages of this plan share some of their GPUs, so they are no pipeline and have no schedule: every " +
  "GPU runs its part of one micro-batch after the other.";

function isPlain({ ascii }: Flags): boolean {
  return ascii === true || !isUnicodeTerminal(process.env, process.platform);
}

async function deliver(lines: readonly string[], { output, write }: Flags): Promise<void> {
  if (output === undefined) {
    printLines(lines);
    return;
  }
  const { writeText } = await import("./write_text.ts");
  await writeText(output, `${lines.join("\n")}\n`, write === true);
  printErrorLines([`Written to ${output}.`]);
}
