// shardbench data: makes a file of token ids to train on.

import { type Command, Option } from "commander";
import { EnvironmentError } from "../environment_error.ts";
import { type TokenType, tokenTypes } from "../plan/data_set.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { printLines } from "./output.ts";
import { wholeNumber } from "./values.ts";

interface Flags {
  readonly output: string;
  readonly tokens: number;
  readonly vocabulary: number;
  readonly dtype: TokenType;
  readonly seed: number;
}

export function defineData(program: Command): void {
  program
    .command("data")
    .summary("makes a file of token ids to train on")
    .description(
      "Writes synthetic token ids that a model can learn to predict: three of four are followed by the\n" +
        "one token that belongs to them, the others by any. The file has no header, so that tokens of\n" +
        "real text, as nanoGPT's prepare.py writes them, can take its place in workload.data.path.",
    )
    .requiredOption("-o, --output <file>", "where to write it; a file there is replaced")
    .option("--tokens <n>", "how many", wholeNumber(2), 2 ** 20)
    .option("--vocabulary <n>", "ids are below it", wholeNumber(2), 256)
    .addOption(
      new Option("--dtype <type>", "of an id, little-endian")
        .choices([...tokenTypes])
        .default("uint16"),
    )
    .option("--seed <n>", "another seed, other tokens", wholeNumber(0), 0)
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench data --tokens 65536 --vocabulary 64 -o tokens.bin
  $ shardbench data --vocabulary 128256 --dtype uint32 -o tokens.bin`,
    )
    .action((flags: Flags) => guarded(false, () => makeData(flags)));
}

async function makeData({ output, ...asked }: Flags): Promise<ExitCode> {
  const { tokens, vocabulary, dtype } = asked;
  if (dtype === "uint16" && vocabulary > 2 ** 16) {
    throw new EnvironmentError(
      "data-refused",
      `ids below ${vocabulary} do not fit into uint16`,
      "choose --dtype uint32",
    );
  }
  const { writeSyntheticTokens } = await import("../data/write_synthetic_tokens.ts");
  try {
    await writeSyntheticTokens(output, asked);
  } catch (error) {
    throw new EnvironmentError(
      "file-not-writable",
      `cannot write ${output}: ${error instanceof Error ? error.message : String(error)}`,
      "choose another place",
    );
  }
  printLines([
    `Wrote ${tokens} ids of a vocabulary of ${vocabulary}, ${dtype}, to ${output}`,
    `In a plan:  data: { path: ${JSON.stringify(output)}, dtype: ${dtype} }`,
  ]);
  return exitCodes.fine;
}
