// shardbench scale: the largest faithful reduction of a plan that this machine can run.

import type { Command } from "commander";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { fittedPlan, type FitFlags } from "./fitted_plan.ts";
import { guarded } from "./guard.ts";
import { printErrorReport, printJson, printPlanText } from "./output.ts";
import { adapterOption, placementOption } from "./run_options.ts";
import { byteQuantity, duration } from "./values.ts";

interface Flags extends Omit<FitFlags, "fitTime" | "time"> {
  /** ms of the whole run. */
  readonly time?: number;
  readonly output?: string;
  readonly write?: boolean;
  readonly json?: boolean;
}

export function defineScale(program: Command): void {
  program
    .command("scale")
    .argument("<file>", "plan in YAML or JSON")
    .summary("make a plan so small that it runs here, and say what of it stays")
    .description(
      "Makes the largest faithful reduction of a plan that fits the memory, the buffer limits, the cores\n" +
        "and a time on this machine. First go layers, micro-batches, vocabulary, replicas and stages,\n" +
        "which leave the work of a layer as it is; then the micro-batch, the sequence, experts, tensor\n" +
        "ranks, and last the width. Prints the scaled plan, and what was kept and reduced, and why.\n" +
        "`shardbench run --fit` does the same and says what the run tells of the full plan.",
    )
    .requiredOption("--fit", "as large as this machine can run")
    .addOption(adapterOption())
    .addOption(placementOption())
    .option("--memory <size>", "for all buffers of an adapter, such as 8GB", byteQuantity)
    .option("--time <duration>", "of a whole run (default: 60s)", duration)
    .option("-o, --output <file>", "where the scaled plan goes")
    .option("--write", "overwrite that file")
    .option("--json", "print the plan and its reductions as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench scale plan.yaml --fit
  $ shardbench scale plan.yaml --fit --memory 4GB --time 30s -o small.json`,
    )
    .action((file: string, flags: Flags) => guarded(flags.json, () => scale(file, flags)));
}

async function scale(file: string, { time, ...flags }: Flags): Promise<ExitCode> {
  const fitted = await fittedPlan(
    file,
    { ...flags, ...(time === undefined ? {} : { fitTime: time }) },
    false,
  );
  const { full, fit, machine } = fitted;
  if (flags.json === true) {
    const { reductions, kept, cost } = fit;
    printJson({ plan: fit.file, reductions, kept, cost });
  }
  const text = await textOf(full.$schema, fit.file, flags.output);
  if (flags.output !== undefined) {
    const { writeText } = await import("./write_text.ts");
    await writeText(flags.output, text, flags.write === true);
  }
  if (flags.json === true) return exitCodes.fine;
  const { scaleReport } = await import("../report/scale_report.ts");
  printErrorReport(scaleReport(full, fit, machine.place(fit.plan.hardware.gpus), flags.output));
  if (flags.output === undefined) printPlanText(text);
  return exitCodes.fine;
}

/** Where the file's schema lies is seen from where the scaled plan goes. */
async function textOf(
  schema: string | undefined,
  { $schema: _, ...plan }: Awaited<ReturnType<typeof fittedPlan>>["fit"]["file"],
  output: string | undefined,
): Promise<string> {
  const [{ prettyJson }, { schemaPath }] = await Promise.all([
    import("../plan/import/pretty_json.ts"),
    import("./import_source.ts"),
  ]);
  const isNamed = schema !== undefined && output !== undefined;
  return `${prettyJson({ ...(isNamed ? { $schema: schemaPath(output) } : {}), ...plan })}\n`;
}
