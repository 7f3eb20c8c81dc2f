// shardbench logits: what a plan, with a model's own weights, makes of a prompt.

import type { Command } from "commander";
import { soundPlan } from "./bad_plan.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { readTokens, tokensOption, weightsIn, weightsOption } from "./given.ts";
import { guarded } from "./guard.ts";
import { interruptible } from "./interruptible.ts";
import { printJson, printLines, printReports } from "./output.ts";
import { adapterOption, placementOption } from "./run_options.ts";

interface Flags {
  readonly weights: string;
  readonly tokens: string;
  readonly adapter?: string;
  readonly placement?: string;
  readonly output?: string;
  readonly json?: boolean;
}

/** That are shown. */
const shownTokens = 5;

export function defineLogits(program: Command): void {
  program
    .command("logits")
    .argument("<file>", "plan in YAML or JSON")
    .summary("the logits of a plan with a model's own weights")
    .description(
      "Runs one prompt through a plan on real adapters, with the weights of a model's safetensors\n" +
        "files, and shows the likeliest next tokens. The plan's batch and sequence are the prompt's.",
    )
    .addOption(weightsOption().makeOptionMandatory())
    .addOption(tokensOption().makeOptionMandatory())
    .addOption(adapterOption())
    .addOption(placementOption())
    .option("-o, --output <file>", "write the logits of all tokens, as safetensors")
    .option("--json", "print the likeliest tokens as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench import config.json --gpus 2 -o plan.yaml
  $ shardbench logits plan.yaml --weights . --tokens 1,15043,3186 -o logits.safetensors`,
    )
    .action((file: string, flags: Flags) => guarded(flags.json, () => logits(file, flags)));
}

async function logits(file: string, flags: Flags): Promise<ExitCode> {
  const tokens = await readTokens(flags.tokens);
  const [harness, { lower }] = await Promise.all([
    import("../harness/logits.ts"),
    import("../program/lower.ts"),
  ]);
  const { plan } = await soundPlan(file, (written) => {
    harness.refuseTokens(written, tokens, Infinity);
    return harness.promptPlan(written, tokens.length);
  });
  const program = lower(plan);
  const weights = await weightsIn(flags.weights, plan, program);
  const { adapter, placement, output } = flags;
  const found = await interruptible((more) =>
    harness.logitsOf(
      plan,
      program,
      { weights, tokens },
      {
        ...more,
        ...(adapter === undefined ? {} : { adapter }),
        ...(placement === undefined ? {} : { placement }),
      },
    ),
  );
  const last = found.data.subarray((found.rows - 1) * found.columns);
  const next = harness.likelyTokens(last, shownTokens);
  if (output !== undefined) {
    const { writeSafetensors } = await import("../weights/write_safetensors.ts");
    const shape = [found.rows, found.columns];
    await writeSafetensors(output, [
      { name: "logits", shape, values: Float32Array.from(found.data) },
    ]);
  }
  if (flags.json === true) {
    printJson({ tokens: tokens.length, vocabulary: found.columns, next });
    return exitCodes.fine;
  }
  const { logitsReport } = await import("../report/logits_report.ts");
  printReports([logitsReport(plan, tokens.length, next)]);
  if (output !== undefined) printLines(["", `Logits: ${output}`]);
  return exitCodes.fine;
}
