// Options of commands that write traces for other viewers and simulators.

import { Option, type Command } from "commander";

export interface TraceFlags {
  readonly trace?: string;
  readonly traceFormat?: "perfetto" | "hta" | "chakra";
  /** Of a collector; true: where the environment says. */
  readonly otel?: string | true;
}

export function addTraceOptions(command: Command): Command {
  return command
    .option("--trace <file>", "write the step nearest the median, moment by moment")
    .addOption(
      new Option(
        "--trace-format <name>",
        "of --trace: a file for Perfetto (default), a folder for Holistic\nTrace Analysis, or Chakra execution traces, one per rank",
      ).choices(["perfetto", "hta", "chakra"]),
    )
    .option(
      "--otel [url]",
      "send spans and metrics to an OpenTelemetry collector (default: where\nOTEL_EXPORTER_OTLP_ENDPOINT says); needs its SDK",
    );
}
