// The result of an earlier run, read for a plan: nothing that can be derived is believed. Figures are derived again
// from the samples and the plan's program, and the file counts only where it says the same.

import { ceilingsOf } from "../measure/ceiling.ts";
import { contradictions } from "../measure/contradictions.ts";
import { servedContradictions } from "./serving/served_contradictions.ts";
import { groupKernels } from "../measure/kernel_groups.ts";
import { overlapEffectOf } from "../measure/overlap_effect.ts";
import { normalise } from "../plan/normalise.ts";
import type { Plan } from "../plan/plan.ts";
import { estimate, type Estimate } from "../program/estimate.ts";
import { lower, stepOf } from "../program/lower.ts";
import type { Program } from "../program/program.ts";
import { assembleResult } from "../result/assemble_result.ts";
import { firstDifference } from "../result/first_difference.ts";
import { parseBrowserTimes, saysBrowserTimes } from "../result/browser_times.ts";
import { planHash, workHash } from "../result/plan_hash.ts";
import { programHash } from "../result/program_hash.ts";
import type { AdapterCalibration, RunResult } from "../result/result.ts";
import {
  parseStored,
  readResultText,
  readStored,
  refusal,
  type StoredResult,
} from "../result/result_file.ts";
import type { ResultSources } from "../result/result_schema.ts";
import { contradictionsOfCheck } from "./check_record.ts";
import { projectionOf } from "./projection.ts";
import { recordContradictions } from "./record_contradictions.ts";
import { traceContradictions } from "./trace_contradictions.ts";
import { acceptedError } from "./verify.ts";

/**
 * The result in a file, as its samples give it for the plan: other claims may be held against it, other work not.
 * Weights and inputs may have another seed than the plan's.
 *
 * @throws EnvironmentError `file-not-readable`; `result-refused` where it is edited, incomplete, unchecked, or of
 *   other work
 */
export async function readResult(file: string, plan: Plan): Promise<RunResult> {
  return resultOf(await readStored(file), plan);
}

/**
 * A result with the plan that ran, which its file holds.
 *
 * @throws EnvironmentError as `readResult`; also where it holds no plan
 */
export async function readResultAndPlan(
  file: string,
): Promise<{ readonly plan: Plan; readonly result: RunResult }> {
  const stored = await readStored(file);
  const { written, scaled, seed, plan: ran } = stored.sources;
  const kept = scaled?.ran ?? written;
  if (kept === undefined) {
    throw refusal(file, "it does not hold its plan", "run the plan again with this version");
  }
  const { plan: meant } = normalise(kept);
  const plan = meant && { ...meant, workload: { ...meant.workload, seed } };
  if (plan === undefined || planHash(plan) !== ran.hash) {
    throw refusal(file, "the plan in it is not the one whose digest it has");
  }
  return { plan, result: resultOf(stored, plan) };
}

/** As `readResult`, of a file's text. */
export function parseResult(text: string, file: string, plan: Plan): RunResult {
  return resultOf(parseStored(text, file), plan);
}

/** What each adapter reached in an earlier run, of whatever plan, or in a page in a browser. */
export async function readCalibration(
  file: string,
): Promise<Pick<AdapterCalibration, "ceilings">[]> {
  const text = await readResultText(file);
  if (saysBrowserTimes(text)) {
    return [{ ceilings: ceilingsOf(parseBrowserTimes(text, file).ceilings) }];
  }
  return calibrationOf(parseStored(text, file).sources);
}

function resultOf({ file, sources, content }: StoredResult, asWritten: Plan): RunResult {
  const asked = { ...asWritten, workload: { ...asWritten.workload, seed: sources.seed } };
  const plan = planThatRan(file, asked, sources);
  refuseOtherWork(file, plan, sources);
  refuseUnfinished(file, sources);
  const program = lower(plan);
  refuseUnchecked(file, plan, program, sources);
  const estimated = estimate(program, plan);
  const adapters = sources.adapters.map(({ id }) => id);
  const step = stepOf(program);
  const [contradiction, ...more] = [
    ...planContradictions(program, sources),
    ...recordContradictions(program, estimated, groupKernels(program, adapters), sources),
    ...contradictions(step, sources.samples, groupKernels(step, adapters)),
    ...servedContradictions(plan, sources.served, sources.samples),
    ...traceContradictions(program, sources),
  ];
  if (contradiction !== undefined) {
    const others = more.length === 0 ? "" : `, and ${more.length} more of that kind`;
    throw refusal(file, `it contradicts itself: ${contradiction}${others}`);
  }
  const derived = derive(plan, program, estimated, sources);
  refuseOtherFigures(file, content, derived, planHash(plan) === sources.plan.hash);
  return derived;
}

/** What stands beside the plan's digest is of the plan that ran. */
function planContradictions(
  program: Program,
  { programHash: ofFile, written, seed, plan }: ResultSources,
): string[] {
  const meant = written && normalise(written).plan;
  const hash = meant && planHash({ ...meant, workload: { ...meant.workload, seed } });
  return [
    ...(ofFile === undefined || ofFile === programHash(program)
      ? []
      : ["programHash is not that of the plan's program"]),
    ...(written === undefined || hash === plan.hash
      ? []
      : ["written is not the plan whose digest it has"]),
  ];
}

/** Of the result of a scaled plan either may be asked for, the full plan or the one that ran. */
function planThatRan(file: string, asked: Plan, { scaled, seed }: ResultSources): Plan {
  if (scaled === undefined) return asked;
  const { plan: full } = normalise(scaled.full);
  if (full === undefined || workHash(full) !== scaled.workHash || planHash(full) !== scaled.hash) {
    throw refusal(file, "its full plan is not the one whose digests it has");
  }
  if (workHash(asked) !== scaled.workHash) return asked;
  const { plan } = normalise(scaled.ran);
  if (plan === undefined) throw refusal(file, "the plan that ran has no meaning");
  return { ...plan, workload: { ...plan.workload, seed } };
}

function refuseOtherWork(file: string, plan: Plan, { plan: ran, date }: ResultSources): void {
  if (workHash(plan) === ran.workHash) return;
  throw refusal(
    file,
    `it is of other work than the plan asks for: its plan was "${ran.name}", run on ${date}`,
    "run the plan again, or name the result that belongs to it",
  );
}

function refuseUnfinished(file: string, { outcome }: ResultSources): void {
  if (outcome.state === "complete") return;
  const how = outcome.state === "fault" ? `stopped by ${outcome.code}` : "interrupted";
  throw refusal(file, `its run was ${how}`, "run the plan again, to its end");
}

function refuseUnchecked(
  file: string,
  plan: Plan,
  program: Program,
  { check, samples }: ResultSources,
): void {
  if (check === undefined) throw refusal(file, "its numbers were not checked");
  const { error, values } = check;
  const tolerance = acceptedError(plan, check.method);
  // Exponentials may differ in their last digit from one machine to another.
  if (!(Math.abs(check.tolerance / tolerance - 1) < 1e-9)) {
    throw refusal(file, `its check accepts an error of ${check.tolerance}, and not ${tolerance}`);
  }
  if (values === 0) throw refusal(file, "its check compared no value");
  if (error > tolerance) {
    throw refusal(file, `its numbers are wrong: the largest relative error is ${error}`);
  }
  const [contradiction] = contradictionsOfCheck(program, check);
  if (contradiction !== undefined) throw refusal(file, contradiction);
  if (samples.length > (check.timed?.steps ?? 0)) {
    throw refusal(file, "its timed steps were not all checked");
  }
}

/** All of the result, from what cannot be derived. */
function derive(
  plan: Plan,
  program: Program,
  estimated: Estimate,
  sources: ResultSources,
): RunResult {
  const { plan: _, seed: __, overlapEffect, projection, calibration: ___, ...kept } = sources;
  const effect = overlapEffect === undefined ? undefined : overlapEffectOf(overlapEffect.rounds);
  return assembleResult(plan, program, {
    ...kept,
    calibration: calibrationOf(sources),
    estimate: estimated,
    ...(effect === undefined ? {} : { overlapEffect: effect }),
    ...(projection === undefined
      ? {}
      : { projection: projectionOf(program, estimated, projection.from) }),
  });
}

function calibrationOf({ calibration }: ResultSources): AdapterCalibration[] {
  return calibration.map((each) => ({ ...each, ceilings: ceilingsOf(each.ceilings) }));
}

/** @param samePlan its claims are those that the file's verdicts are on */
function refuseOtherFigures(
  file: string,
  content: StoredResult["content"],
  derived: RunResult,
  samePlan: boolean,
): void {
  const comparable = (result: StoredResult["content"]): unknown => {
    const { plan: _, verdicts, ...figures } = result;
    return samePlan ? { ...figures, verdicts } : figures;
  };
  const difference = firstDifference(
    comparable(content),
    comparable(JSON.parse(JSON.stringify(derived))),
  );
  if (difference === undefined) return;
  const { path, left, right } = difference;
  throw refusal(
    file,
    `${path} is ${inShort(left)}, and its samples and the plan's program give ${inShort(right)}`,
    "run the plan again with this version: figures are derived again, and these do not follow",
  );
}

function inShort(value: unknown): string {
  const text = JSON.stringify(value) ?? "absent";
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
