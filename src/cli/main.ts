#!/usr/bin/env node
// The command line. It never loads Dawn: ranks and probes are processes of their own.

import { Command, CommanderError, Help } from "commander";
import { shardbenchVersion } from "../package_versions.ts";
import { defineAblate } from "./ablate.ts";
import { defineAdapters } from "./adapters.ts";
import { definePage } from "./browser_page.ts";
import { defineCalibrate } from "./calibrate.ts";
import { defineCheck } from "./check.ts";
import { defineClaims } from "./claims.ts";
import { defineCollectives } from "./collectives.ts";
import { defineCompare } from "./compare.ts";
import { defineCompletion } from "./completion.ts";
import { defineData } from "./data.ts";
import { defineDescribe } from "./describe.ts";
import { defineDiff } from "./diff.ts";
import { defineEstimate } from "./estimate.ts";
import { exitCodeHelp, exitCodes } from "./exit_code.ts";
import { defineGate } from "./gate.ts";
import { defineImport } from "./import.ts";
import { launchedByMpi } from "../collectives/transport/mpi/launcher.ts";
import { heedLostOutput } from "./output.ts";
import { defineInit } from "./init.ts";
import { defineLogits } from "./logits.ts";
import { defineProject } from "./project.ts";
import { defineReport } from "./report.ts";
import { defineRun } from "./run.ts";
import { defineScale } from "./scale.ts";
import { defineScaling } from "./scaling.ts";
import { defineSearch } from "./search.ts";
import { defineSimulate } from "./simulate.ts";
import { defineSmoke } from "./smoke.ts";
import { defineTrain } from "./train.ts";
import { defineTune } from "./tune.ts";

function inOneLine(text: string): string {
  return text.replaceAll("\n", " ");
}

const program = new Command("shardbench")
  .description(
    "Runs a parallel deployment plan for real on WebGPU and says which of its claims hold.",
  )
  .version(shardbenchVersion())
  .showHelpAfterError("(--help shows what there is)")
  .exitOverride()
  // Texts fold at the terminal's width; where the source breaks their lines says nothing.
  .configureHelp({
    commandDescription: (command) => inOneLine(command.description()),
    optionDescription: (option) => inOneLine(new Help().optionDescription(option)),
  })
  .addHelpText(
    "after",
    `
Examples:
  $ shardbench check plan.yaml
  $ shardbench claims plan.yaml
  $ shardbench run plan.yaml
  $ shardbench compare plan.yaml --result results/plan.json
${exitCodeHelp}`,
  );
defineImport(program);
defineInit(program);
defineCheck(program);
defineClaims(program);
defineEstimate(program);
defineDescribe(program);
defineRun(program);
defineReport(program);
definePage(program);
defineLogits(program);
defineScale(program);
defineScaling(program);
defineSearch(program);
defineSimulate(program);
defineProject(program);
defineCompare(program);
defineAblate(program);
defineDiff(program);
defineGate(program);
defineTune(program);
defineTrain(program);
defineData(program);
defineAdapters(program);
defineCalibrate(program);
defineCollectives(program);
defineSmoke(program);
defineCompletion(program);

heedLostOutput();

if (launchedByMpi(process.env) !== undefined) {
  const { serveInJob } = await import("./mpi_job.ts");
  await serveInJob();
}
if (process.env["SHARDBENCH_MPI_JOB"] !== undefined) {
  const { meetRanks } = await import("./mpi_job.ts");
  await meetRanks(process.env);
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Help and version end with 0; everything else is a wrong command line.
  process.exitCode = error.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
}
