// shardbench adapters: what there is to run on.

import type { Command } from "commander";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { outputColours, printJson, printLines } from "./output.ts";

interface Flags {
  readonly json?: boolean;
}

export const defineAdapters = (program: Command): void => {
  program
    .command("adapters")
    .summary("list the adapters of this machine")
    .description(
      "Lists every adapter that opens here, in the order of preference, with its features and limits.",
    )
    .option("--json", "print the adapters as JSON")
    .action((flags: Flags) => guarded(flags.json, () => adapters(flags)));
};

const adapters = async ({ json }: Flags): Promise<ExitCode> => {
  const [{ discoverAdapters }, { adapterReport }, { wrapIndented }, { LINE_WIDTH }] =
    await Promise.all([
      import("../gpu/discover.ts"),
      import("../report/terminal_adapters.ts"),
      import("../report/text_width.ts"),
      import("../report/table.ts"),
    ]);
  const { adapters: found, refused } = await discoverAdapters();
  const colours = outputColours();
  if (json === true) printJson({ adapters: found, refused });
  else {
    printLines([
      ...adapterReport(found, colours),
      ...refused.flatMap(({ id, reason }) =>
        ["", `${colours.doubtful(id)}  not usable`, wrapIndented(reason, LINE_WIDTH, 2)].flat(),
      ),
    ]);
  }
  return found.length === 0 ? exitCodes.environment : exitCodes.fine;
};
