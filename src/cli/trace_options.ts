// Options of commands that write traces for other viewers and simulators.

import { Option, type Command } from "commander";

export interface TraceFlags {
  readonly trace?: string;
  readonly traceFormat?: "perfetto" | "hta" | "chakra";
}

export function addTraceOptions(command: Command): Command {
  return command
    .option("--trace <file>", "write the step nearest the median, moment by moment")
    .addOption(
      new Option(
        "--trace-format <name>",
        "of --trace: a file for Perfetto (default), a folder for Holistic\nTrace Analysis, or Chakra execution traces, one per rank",
      ).choices(["perfetto", "hta", "chakra"]),
    );
}
