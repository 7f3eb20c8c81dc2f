// shardbench import: a plan from what users have already.

import { type Command, Option } from "commander";
import type { ImportOptions } from "../plan/import/import_plan.ts";
import type { ImportResult, Source, SourceKind } from "../plan/import/note.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { errorColours, printErrorLines, printJson } from "./output.ts";

interface Flags {
  readonly model?: string;
  readonly layout?: string;
  readonly from?: SourceKind;
  readonly name?: string;
  readonly runnable?: boolean;
  readonly output?: string;
  readonly write?: boolean;
  readonly json?: boolean;
}

export const defineImport = (program: Command): void => {
  program
    .command("import")
    .argument("[sources...]", "files, - for stdin, or command lines in quotes")
    .summary("make a plan from a model's config and a tool's layout")
    .description(
      "Makes a plan from a Hugging Face config.json, a Megatron-LM argument list, a\n" +
        "vLLM command line or a DeepSpeed config; model and layout can come from two\n" +
        "sources. What a plan cannot hold, and what no layer here can run, is listed,\n" +
        "and noted in the plan.",
    )
    .option("--model <source>", "take only the model from this source")
    .option("--layout <source>", "take only the layout from this source")
    .addOption(
      new Option("--from <kind>", "kind of the sources, where it is not recognised").choices([
        "huggingface",
        "megatron",
        "vllm",
        "deepspeed",
      ]),
    )
    .option("--name <name>", "name of the plan")
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
  $ shardbench import pretrain.sh --runnable > plan.json
  $ shardbench import --from megatron -- '--num-layers 24 --hidden-size 1024 …'`,
    )
    .action((sources: string[], flags: Flags) =>
      guarded(flags.json, () => importSources(sources, flags)),
    );
};

const importSources = async (given: readonly string[], flags: Flags): Promise<ExitCode> => {
  const [{ importPlan }, { readSource }] = await Promise.all([
    import("../plan/import/import_plan.ts"),
    import("./import_source.ts"),
  ]);
  const sources: Source[] = [];
  for (const [text, role] of [
    ...given.map((each) => [each, undefined] as const),
    ...(flags.model === undefined ? [] : [[flags.model, "model"] as const]),
    ...(flags.layout === undefined ? [] : [[flags.layout, "layout"] as const]),
  ]) {
    const source = await readSource(text, sources.length + 1);
    sources.push({
      ...source,
      ...(flags.from === undefined ? {} : { kind: flags.from }),
      ...(role === undefined ? {} : { role }),
    });
  }
  const result = importPlan(sources, await optionsOf(flags));
  await hand(result, flags);
  return result.file === undefined ? exitCodes.badPlan : exitCodes.fine;
};

const optionsOf = async ({ name, runnable, output }: Flags): Promise<ImportOptions> => {
  const { schemaPath } = await import("./import_source.ts");
  return {
    ...(name === undefined ? {} : { name }),
    ...(runnable === undefined ? {} : { runnable }),
    ...(output === undefined ? {} : { schema: schemaPath(output) }),
  };
};

/** The plan alone goes to stdout or its file; all words about it go to stderr. */
const hand = async (result: ImportResult, flags: Flags): Promise<void> => {
  const { file, text, diagnostics } = result;
  const { writeText } = await import("./write_text.ts");
  if (flags.output !== undefined && text !== undefined) {
    await writeText(flags.output, text, flags.write === true);
  }
  if (flags.json === true) {
    printJson({ ...(file === undefined ? {} : { plan: file }), diagnostics });
    return;
  }
  const { findingLines, importSummary } = await import("./import_lines.ts");
  const colours = errorColours();
  printErrorLines([
    ...findingLines(diagnostics, colours),
    ...(file === undefined
      ? [colours.bad("No plan: mend the errors above.")]
      : importSummary(file, flags.output)),
  ]);
  if (flags.output === undefined && text !== undefined) process.stdout.write(text);
};
