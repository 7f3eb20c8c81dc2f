// shardbench collectives: the nccl-tests of WebGPU.

import { type Command, Option } from "commander";
import type { BenchCollectivesOptions } from "../harness/bench_collectives.ts";
import { algorithmNames } from "../program/exchange/all_reduce/algorithms.ts";
import type { CollectiveBench } from "../result/collective_bench.ts";
import { type BenchedCollective, benchedCollectives } from "../program/collective_program.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { exitCodeOfRun } from "./execute.ts";
import { guarded, tell } from "./guard.ts";
import { interruptible } from "./interruptible.ts";
import { printJson, printReports } from "./output.ts";
import {
  adapterOption,
  keepAwakeOption,
  pinningOf,
  pinOption,
  placementOption,
} from "./run_options.ts";
import { byteSize, duration, oneOf, wholeNumber } from "./values.ts";

interface Flags {
  readonly ranks: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly factor: number;
  readonly dtype: "f32" | "f16";
  readonly algorithm?: NonNullable<BenchCollectivesOptions["algorithm"]>;
  readonly adapter?: string;
  readonly placement?: string;
  readonly pin?: boolean;
  readonly keepAwake?: boolean;
  readonly time?: number;
  /** False for `--no-check`. */
  readonly check: boolean;
  readonly pairs?: boolean;
  readonly json?: boolean;
}

const choices: readonly (BenchedCollective | "all")[] = [...benchedCollectives, "all"];

export function defineCollectives(program: Command): void {
  program
    .command("collectives")
    .argument("[op...]", `what to measure: ${choices.join(", ")}`, collect, [])
    .summary("measure collectives at many sizes, as nccl-tests does")
    .description(
      "Runs collectives between ranks on real adapters, checks every element and times them, out of\n" +
        "place and in place, in the columns of nccl-tests; then says where the time went, and the link\n" +
        "model that fits it. Without an op: all-reduce.",
    )
    .option("-n, --ranks <n>", "how many ranks", wholeNumber(1), 2)
    .option("-b, --min-bytes <size>", "smallest message, such as 8 or 32K", byteSize, 8)
    .option("-e, --max-bytes <size>", "largest message, such as 256M", byteSize, 2 ** 28)
    .option("-f, --factor <n>", "from one size to the next", wholeNumber(2), 4)
    .addOption(new Option("--dtype <dtype>", "element type").choices(["f32", "f16"]).default("f32"))
    .addOption(
      new Option("--algorithm <name>", "how sums of all come about (default: by size)")
        .choices(algorithmNames)
        .conflicts("pairs"),
    )
    .addOption(adapterOption())
    .addOption(placementOption())
    .addOption(pinOption())
    .addOption(keepAwakeOption())
    .option("--time <duration>", "per size and place, such as 1s (default: 200ms)", duration)
    .option("--pairs", "sends between every two ranks, one pair at a time, as a matrix")
    .option("--no-check", "do not look at the elements that arrive")
    .option("--json", "print the measurements as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench collectives
  $ shardbench collectives all-gather send -n 4 -b 1K -e 64M -f 2
  $ shardbench collectives --pairs -n 4 --json > links.json
  $ shardbench collectives all-reduce --algorithm ring --adapter gpu0`,
    )
    .action(async (ops: readonly BenchedCollective[], flags: Flags, command: Command) => {
      if (flags.pairs === true && ops.some((op) => op !== "send")) {
        command.error("error: with --pairs ranks send, and no other collective is measured");
      }
      if (flags.pairs === true && flags.ranks < 2) {
        command.error("error: --pairs needs 2 ranks or more");
      }
      await guarded(flags.json, async () => collectives(ops, flags));
    });
}

function collect(text: string, before: readonly string[]): string[] {
  return [...before, oneOf(choices)(text)];
}

async function collectives(
  asked: readonly (BenchedCollective | "all")[],
  flags: Flags,
): Promise<ExitCode> {
  if (flags.pairs === true) return pairs(flags);
  const named = asked.length === 0 ? (["all-reduce"] as const) : asked;
  const ops = benchedCollectives.filter((op) => named.includes("all") || named.includes(op));
  const { algorithm } = flags;
  const { benches, end } = await interruptible(async (options) => {
    const { benchCollectives } = await import("../harness/bench_collectives.ts");
    const found: CollectiveBench[] = [];
    try {
      for (const op of ops) {
        const bench = await benchCollectives({
          ...options,
          ...benchOptions(flags),
          op,
          ...(algorithm === undefined ? {} : { algorithm }),
        });
        found.push(bench);
        if (bench.outcome.state !== "complete") break;
      }
      return { benches: found };
    } catch (error) {
      // What the collectives before it reached is not lost.
      if (found.length === 0) throw error;
      return { benches: found, end: error };
    }
  });
  if (flags.json === true) printJson(benches);
  else {
    const { collectivesReport } = await import("../report/collectives_report.ts");
    printReports(benches.map(collectivesReport));
  }
  if (end !== undefined) return tell(end);
  if (!benches.every(isRight)) return exitCodes.wrongNumerics;
  return benches.map(exitCodeOfRun).find((code) => code !== exitCodes.fine) ?? exitCodes.fine;
}

/** Of collectives and of pairs. */
function benchOptions(flags: Flags) {
  const { ranks, minBytes, maxBytes, factor, dtype, check, adapter, placement, time } = flags;
  return {
    ranks,
    dtype,
    minBytes,
    maxBytes,
    factor,
    check,
    ...(adapter === undefined ? {} : { adapter }),
    ...(placement === undefined ? {} : { placement }),
    ...pinningOf(flags),
    ...(time === undefined ? {} : { budgetMs: time }),
  };
}

async function pairs(flags: Flags): Promise<ExitCode> {
  const { benchPairs } = await import("../harness/bench_pairs.ts");
  const found = await interruptible(async (options) =>
    benchPairs({ ...options, ...benchOptions(flags) }),
  );
  if (flags.json === true) printJson(found);
  else {
    const { pairsReport } = await import("../report/pairs_report.ts");
    printReports([pairsReport(found)]);
  }
  if (!found.every(isRight)) return exitCodes.wrongNumerics;
  return found.map(exitCodeOfRun).find((code) => code !== exitCodes.fine) ?? exitCodes.fine;
}

function isRight({ rows }: CollectiveBench): boolean {
  return rows.every(
    ({ outOfPlace, inPlace }) => (outOfPlace.wrong ?? 0) + (inPlace?.wrong ?? 0) === 0,
  );
}
