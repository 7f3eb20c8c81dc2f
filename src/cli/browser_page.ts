// shardbench page: a page that checks and times a plan's kernels in the browser of whoever opens it.

import type { Command } from "commander";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { soundPlan } from "./bad_plan.ts";
import { guarded } from "./guard.ts";
import { printJson, printLines } from "./output.ts";
import { writeText } from "./write_text.ts";

interface Flags {
  readonly output: string;
  readonly write?: boolean;
  readonly json?: boolean;
}

export function definePage(program: Command): void {
  program
    .command("page")
    .argument("<file>", "plan in YAML or JSON")
    .summary("a page that checks and times the plan's kernels in a browser")
    .description(
      "Writes one HTML file that asks for nothing: whoever opens it, on a phone or where nothing can be\n" +
        "installed, runs all ranks of the plan on one WebGPU adapter, with the shaders, the program and the\n" +
        "checks of a run. It times every kernel and gives a file that `simulate --result` takes.",
    )
    .option("-o, --output <file>", "where the page goes", "page.html")
    .option("--write", "overwrite what is there")
    .option("--json", "print what was written as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench page configs/three-stage-pipeline.json -o page.html
  $ shardbench simulate configs/three-stage-pipeline.json --result browser-times.json --link-bandwidth 10GB/s`,
    )
    .action((file: string, flags: Flags) => guarded(flags.json, () => page(file, flags)));
}

async function page(file: string, { output, write, json }: Flags): Promise<ExitCode> {
  const { plan } = await soundPlan(file);
  const [{ pageDataOf }, { describePlan }, { browserPage }, { browserPageReport }] =
    await Promise.all([
      import("../harness/page_data.ts"),
      import("../program/describe_plan.ts"),
      import("../report/render/browser_page.ts"),
      import("../report/browser_page_report.ts"),
    ]);
  const text = browserPage(browserPageReport(describePlan(plan)), await pageDataOf(plan, file));
  await writeText(output, text, write === true);
  if (json === true) printJson({ plan: plan.name, file: output, bytes: Buffer.byteLength(text) });
  else printLines([`Page: ${output}`]);
  return exitCodes.fine;
}
