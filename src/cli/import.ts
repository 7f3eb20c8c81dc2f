// shardbench import: a plan from what users have already.

import type { Command } from "commander";
import type { ImportOptions } from "../plan/import/import_plan.ts";
import { type ImportResult, type Source, sourceKinds } from "../plan/import/note.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { assignments, type KindOf, kindsOf } from "./import_values.ts";
import { printedDiagnostic, printErrorReport, printJson, printPlanText } from "./output.ts";
import { wholeNumber } from "./values.ts";

interface Flags {
  readonly model?: string;
  readonly layout?: string;
  readonly from?: readonly KindOf[];
  readonly set?: ReadonlyMap<string, string>;
  readonly command?: number;
  readonly name?: string;
  readonly gpus?: number;
  readonly inputLength?: number;
  readonly outputLength?: number;
  readonly runnable?: boolean;
  readonly output?: string;
  readonly write?: boolean;
  readonly json?: boolean;
}

export function defineImport(program: Command): void {
  program
    .command("import")
    .argument("[sources...]", "files, - for stdin, or command lines in quotes")
    .summary("make a plan from a model's config and a tool's layout")
    .description(
      "Makes a plan from a model's config and from what starts it: a command line or a\n" +
        "script of vLLM, SGLang, TensorRT-LLM, LMDeploy, Text Generation Inference,\n" +
        "Megatron-LM, NeMo or DeepSpeed, behind torchrun, Slurm, MPI or a container; model\n" +
        "and layout can come from two sources. What a plan cannot hold, and what no layer\n" +
        "here can run, is listed, and noted in the plan.",
    )
    .option("--model <source>", "take only the model from this source")
    .option("--layout <source>", "take only the layout from this source")
    .option(
      "--from <kind[=source]>",
      `kind of all sources, or of one: ${sourceKinds.join(", ")}`,
      kindsOf,
    )
    .option(
      "--set <name=value>",
      "value of a variable of a script, whatever it assigns",
      assignments,
    )
    .option("--command <n>", "which command of a script, where it has several", wholeNumber(1))
    .option("--name <name>", "name of the plan")
    .option("--gpus <count>", "GPUs of the job, where no source says how many", wholeNumber(1))
    .option(
      "--input-length <tokens>",
      "of each request: a server's command then gives a plan that serves",
      wholeNumber(1),
    )
    .option("--output-length <tokens>", "that each request is given", wholeNumber(1))
    .option("--runnable", "leave out of the model what no layer here can run")
    .option("-o, --output <file>", "where the plan goes (default: stdout)")
    .option("--write", "overwrite the file of -o")
    .option("--json", "print the plan and the findings as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench import config.json -o plan.json
  $ shardbench import --model config.json --layout 'vllm serve m -tp 4'
  $ shardbench import pretrain.sh --set TP=8 --runnable > plan.json
  $ shardbench import --model config.json --from vllm=flags.txt
  $ shardbench import --from megatron -- '--num-layers 24 --hidden-size 1024 …'`,
    )
    .action((sources: string[], flags: Flags) =>
      guarded(flags.json, () => importSources(sources, flags)),
    );
}

async function importSources(given: readonly string[], flags: Flags): Promise<ExitCode> {
  const [{ importPlan }, { readSource }] = await Promise.all([
    import("../plan/import/import_plan.ts"),
    import("./import_source.ts"),
  ]);
  const kinds = flags.from ?? [];
  const all = kinds.findLast(({ source }) => source === undefined)?.kind;
  const named = new Set([...given, flags.model, flags.layout]);
  // A source that only --from names is one more.
  const more = kinds.flatMap(({ source }) => (named.has(source) ? [] : (source ?? [])));
  const sources: Source[] = [];
  for (const [text, role] of [
    ...[...given, ...more].map((each) => [each, undefined] as const),
    ...(flags.model === undefined ? [] : [[flags.model, "model"] as const]),
    ...(flags.layout === undefined ? [] : [[flags.layout, "layout"] as const]),
  ]) {
    const source = await readSource(text, sources.length + 1);
    const kind = kinds.findLast((each) => each.source === text)?.kind ?? all;
    sources.push({
      ...source,
      ...(kind === undefined ? {} : { kind }),
      ...(role === undefined ? {} : { role }),
      ...(flags.set === undefined ? {} : { set: flags.set }),
      ...(flags.command === undefined ? {} : { command: flags.command }),
    });
  }
  const result = importPlan(sources, await optionsOf(flags));
  await hand(result, flags);
  return result.file === undefined ? exitCodes.badPlan : exitCodes.fine;
}

async function optionsOf(flags: Flags): Promise<ImportOptions> {
  const { name, gpus, inputLength, outputLength, runnable, output } = flags;
  const { schemaPath } = await import("./import_source.ts");
  return {
    ...(name === undefined ? {} : { name }),
    ...(gpus === undefined ? {} : { gpus }),
    lengths: {
      ...(inputLength === undefined ? {} : { inputTokens: inputLength }),
      ...(outputLength === undefined ? {} : { outputTokens: outputLength }),
    },
    ...(runnable === undefined ? {} : { runnable }),
    ...(output === undefined ? {} : { schema: schemaPath(output) }),
  };
}

/** The plan alone goes to stdout or its file; all words about it go to stderr. */
async function hand(result: ImportResult, flags: Flags): Promise<void> {
  const { file, text, needs = [], diagnostics } = result;
  const { writeText } = await import("./write_text.ts");
  if (flags.output !== undefined && text !== undefined) {
    await writeText(flags.output, text, flags.write === true);
  }
  if (flags.json === true) {
    printJson({
      ...(file === undefined ? {} : { plan: file }),
      ...(needs.length === 0 ? {} : { needs }),
      diagnostics: diagnostics.map(printedDiagnostic),
    });
    return;
  }
  const { importReport } = await import("../report/import_report.ts");
  printErrorReport(importReport(result, flags.output));
  if (flags.output === undefined && text !== undefined) printPlanText(text);
}
