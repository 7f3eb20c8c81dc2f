// shardbench describe: who does what.

import type { Command } from "commander";
import { countedPlan } from "./counted_plan.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { outputColours, printErrorLines, printJson, printLines } from "./output.ts";

interface Flags {
  readonly report?: boolean;
  readonly output?: string;
  readonly write?: boolean;
  readonly ascii?: boolean;
  readonly json?: boolean;
}

export const defineDescribe = (program: Command): void => {
  program
    .command("describe")
    .argument("<file>", "plan in YAML or JSON")
    .summary("show who does what, as a picture or as a report")
    .description(
      "Draws stages, GPUs, shards and communications, with the load of each GPU. With --report writes\n" +
        "the whole analysis as Markdown. Needs no adapter.",
    )
    .option(
      "--report",
      "the analysis as Markdown: summary, compatibility, opportunities, conclusion",
    )
    .option("-o, --output <file>", "write there instead of to the terminal")
    .option("--write", "overwrite the file of -o")
    .option("--ascii", "no box characters; the default where the locale is not UTF-8")
    .option("--json", "print the description as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench describe plan.yaml
  $ shardbench describe plan.yaml --report -o analysis.md`,
    )
    .action((file: string, flags: Flags) => guarded(flags.json, () => describe(file, flags)));
};

const describe = async (file: string, flags: Flags): Promise<ExitCode> => {
  if (flags.report === true) {
    const [{ inspectPlan }, { planReport }] = await Promise.all([
      import("./bad_plan.ts"),
      import("../report/markdown_plan.ts"),
    ]);
    await deliver(planReport(await inspectPlan(file)), flags);
    return exitCodes.fine;
  }
  const { plan } = await countedPlan(file);
  const [{ describePlan }, { describeReport }, { asciiText, isUnicodeTerminal }] =
    await Promise.all([
      import("../report/describe_plan.ts"),
      import("../report/terminal_describe.ts"),
      import("../report/ascii.ts"),
    ]);
  const described = describePlan(plan);
  if (flags.json === true) {
    const { load, stages, estimate } = described;
    const { collectives } = estimate;
    printJson({ plan: plan.name, provenance: "estimated", load, stages, collectives });
    return exitCodes.fine;
  }
  const isPlain = flags.ascii === true || !isUnicodeTerminal(process.env, process.platform);
  const lines = describeReport(described, flags.output === undefined ? outputColours() : undefined);
  await deliver(isPlain ? lines.map(asciiText) : lines, flags);
  return exitCodes.fine;
};

const deliver = async (lines: readonly string[], { output, write }: Flags): Promise<void> => {
  if (output === undefined) {
    printLines(lines);
    return;
  }
  const { writeText } = await import("./write_text.ts");
  await writeText(output, `${lines.join("\n")}\n`, write === true);
  printErrorLines([`Written to ${output}.`]);
};
