// shardbench search: better splits of a plan, what speaks for them, and whether they are better here.

import type { Command } from "commander";
import type { SearchRuns } from "../harness/search_runs.ts";
import type { Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import { type FoundPlan, objectives, type Objective } from "../search/candidate.ts";
import type { Searched } from "../search/search.ts";
import { BadPlan } from "./bad_plan.ts";
import { countedPlan, type CountedPlan } from "./counted_plan.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { guarded } from "./guard.ts";
import { interruptible } from "./interruptible.ts";
import { onHardware, otherHardware, type OtherHardware } from "./other_hardware.ts";
import { printJson, printReports } from "./output.ts";
import { addPeakOptions, type PeakFlags } from "./peaks.ts";
import { adapterOption, pinningOf, pinOption, placementOption } from "./run_options.ts";
import { type ProjectionPeaks, projectionPeaks } from "./projection_peaks.ts";
import { duration, oneOf, wholeNumber } from "./values.ts";

interface Flags extends PeakFlags {
  readonly gpus?: number;
  readonly hardware?: OtherHardware;
  readonly objective: Objective;
  readonly top: number;
  readonly run?: number;
  readonly latency?: number;
  readonly time: number;
  readonly adapter?: string;
  readonly placement?: string;
  readonly pin?: boolean;
  readonly output?: string;
  readonly write?: boolean;
  readonly json?: boolean;
}

export function defineSearch(program: Command): void {
  addPeakOptions(program.command("search"))
    .argument("<file>", "plan in YAML or JSON, of inference or training")
    .summary("find better degrees, stages and micro-batches for a plan")
    .description(
      "Tries every legal way to spread the plan's model over its GPUs: degrees, layers of stages, micro-batches,\n" +
        "schedules, recomputation and overlap; of written stages, their GPUs and micro-batches. Bounds remove what\n" +
        "cannot be better, the rest is projected from figures of the hardware: as given, else the plan's, else\n" +
        "this machine's. What is found passes the check and fits. With --run the best are run here, checked, in\n" +
        "turns with the plan as it is, and what is written is one of them: the fastest here, if it is faster; for\n" +
        "another objective the best for it as projected, as a run times whole steps.",
    )
    .option("--gpus <n>", "so many GPUs instead of the plan's", wholeNumber(1))
    .option("--hardware <name>", "GPUs of docs/gpus.md, such as H100-SXM*16", otherHardware)
    .option(
      "--objective <name>",
      `one of ${objectives.join(", ")}`,
      oneOf(objectives),
      "throughput",
    )
    .option("--top <k>", "plans to show", wholeNumber(1), 5)
    .option("--run <k>", "run the best k here, each in turns with the given plan", wholeNumber(1))
    .option("--latency <duration>", "between two GPUs, such as 10us", duration)
    .option("--time <duration>", "look for at most this long", duration, 20_000)
    .addOption(adapterOption())
    .addOption(placementOption())
    .addOption(pinOption())
    .option("-o, --output <file>", "write the best plan there")
    .option("--write", "overwrite that file")
    .option("--json", "print what was found as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench search plan.yaml --hardware 'H100-SXM*64' -o better.json
  $ shardbench search configs/three-stage-pipeline.json --run 1`,
    )
    .action((file: string, flags: Flags, command: Command) => {
      if (flags.pin === true && flags.run === undefined) {
        command.error("error: --pin is for the plans that --run runs");
      }
      if (flags.write === true && flags.output === undefined) {
        command.error("error: --write is for the file of --output");
      }
      return guarded(flags.json, () => search(file, flags));
    });
}

async function search(file: string, flags: Flags): Promise<ExitCode> {
  const counted = await countedPlan(file);
  const { written, plan } = await planToSearch(counted, flags);
  const [{ search: searched }, { refuseServing }, { winnerOf }] = await Promise.all([
    import("../search/search.ts"),
    import("../search/refuse_serving.ts"),
    import("../search/winner.ts"),
  ]);
  refuseServing(plan);
  const peaks = await projectionPeaks(plan, flags);
  const begun = performance.now();
  const found = searched(written, plan, {
    ...peaks,
    objective: flags.objective,
    top: flags.top,
    budgetMs: flags.time,
  });
  const seconds = (performance.now() - begun) / 1000;
  const runs = flags.run === undefined ? undefined : await runBest(counted.plan, found, flags);
  const winner = winnerOf(found, flags.objective, runs?.runs);
  if (winner !== undefined) await writePlan(winner.file, flags);
  await show({ plan, file, written, found, seconds, runs, peaks, winner }, flags);
  return exitCodes.fine;
}

async function planToSearch(
  counted: CountedPlan,
  { gpus, hardware }: Flags,
): Promise<{ readonly written: PlanFile; readonly plan: Plan }> {
  const { written } = counted.document;
  if (written === undefined) throw new BadPlan(counted);
  const own = onHardware(written, hardware);
  const target = gpus === undefined ? own : { ...own, hardware: { ...own.hardware, gpus } };
  const { normalise } = await import("../plan/normalise.ts");
  const { plan } = normalise(target);
  if (plan === undefined) throw new BadPlan(counted);
  return { written: target, plan };
}

async function runBest(given: Plan, { best }: Searched, flags: Flags): Promise<SearchRuns> {
  const { searchRuns } = await import("../harness/search_runs.ts");
  const { adapter, placement, run = 1 } = flags;
  return interruptible(async (more) =>
    searchRuns(
      given,
      best.slice(0, run).map(({ plan }) => plan),
      {
        ...(adapter === undefined ? {} : { adapter }),
        ...(placement === undefined ? {} : { placement }),
        ...pinningOf(flags),
        ...more,
      },
    ),
  );
}

async function writePlan(file: PlanFile, { output, write }: Flags): Promise<void> {
  if (output === undefined) return;
  const [{ prettyJson }, { schemaPath }, { writeText }] = await Promise.all([
    import("../plan/import/pretty_json.ts"),
    import("./import_source.ts"),
    import("./write_text.ts"),
  ]);
  const { $schema: _, ...plan } = file;
  const text = `${prettyJson({ $schema: schemaPath(output), ...plan })}\n`;
  await writeText(output, text, write === true);
}

interface Shown {
  readonly plan: Plan;
  readonly file: string;
  readonly written: PlanFile;
  readonly found: Searched;
  readonly seconds: number;
  readonly runs: SearchRuns | undefined;
  readonly peaks: ProjectionPeaks;
  readonly winner: FoundPlan | undefined;
}

async function show({ file, ...shown }: Shown, { json, output, objective }: Flags): Promise<void> {
  if (json === true) {
    const { found, runs, seconds, peaks, winner } = shown;
    const bare = ({ file: own, prediction }: FoundPlan) => ({
      plan: own,
      prediction,
    });
    printJson({
      file,
      provenance: "projected",
      objective,
      seconds,
      ...peaks,
      ...found,
      given: found.given && bare(found.given),
      best: found.best.map(bare),
      winner: winner && bare(winner),
      front: found.front.map(bare),
      ...(runs === undefined ? {} : { runs }),
    });
    return;
  }
  const { searchReport } = await import("../report/search_report.ts");
  printReports([searchReport({ ...shown, objective, output })]);
}
