// Shardbench as a library: load a plan, check it, run it, and hold it against its claims.
//
//   const { plan } = await loadPlan("plan.yaml");
//   if (plan !== undefined && canRun(checkPlan(plan))) {
//     const result = await runPlan(plan);
//     console.log(result.verdicts);
//   }
//
// What is wrong with a plan comes back as diagnostics. Exceptions are `EnvironmentError`, where the environment
// fails, and `NumericsError`, where the numbers disagree; any other is a fault of this library.

export { readPlan as loadPlan, parsePlan, type LoadResult } from "./plan/load.ts";
export { canRun, checkPlan, hasErrors } from "./check/check_plan.ts";
export { repairPlan, type Alternative, type Repair, type RepairedPlan } from "./check/repair.ts";
export { loadPerGpu, type GpuLoad, type LoadLabel } from "./program/load_per_gpu.ts";
export { importPlan } from "./plan/import/import_plan.ts";
export type { ImportResult, Source, SourceKind } from "./plan/import/note.ts";
export { countParameters } from "./plan/parameters.ts";
export { lower } from "./program/lower.ts";
export { estimate, estimatePlan } from "./program/estimate.ts";
export { runPlan, type RunPlan } from "./harness/run_plan.ts";
export type { Progress, RunOptions } from "./harness/run_options.ts";
export { judgeClaims } from "./claims/judge.ts";
export { claimTable, type ClaimDefinition } from "./claims/table.ts";
export { openCheckpoint, type Checkpoint } from "./weights/checkpoint.ts";
export { matchWeights, type MatchedWeights } from "./weights/names/match_weights.ts";
export type { GivenContents } from "./weights/given_source.ts";
export { planHash, workHash } from "./result/plan_hash.ts";
export { readResult } from "./harness/earlier_result.ts";
export { writeResult } from "./result/result_file.ts";
export { EnvironmentError, type EnvironmentCode } from "./environment_error.ts";
export { NumericsError } from "./numerics_error.ts";

export type * from "./plan/plan.ts";
export type * from "./plan/groups.ts";
export type { Layer, LayerOf } from "./plan/layers/layers.ts";
export type { Diagnostic, Position, Severity } from "./plan/diagnostic.ts";
export type { PlanDocument } from "./plan/document.ts";
export type { Program, RankProgram, Instruction } from "./program/program.ts";
export type {
  CollectiveEstimate,
  Estimate,
  KernelEstimate,
  LayerEstimate,
  Parameters,
  PlanEstimate,
  RankEstimate,
} from "./program/estimate.ts";
export type { Bound, LayerBound, Peaks, RankBound } from "./program/bound.ts";
export type { StepTrace, RankTrace, Span, SpanKind } from "./program/trace.ts";
export type { Figure, Provenance, Unit } from "./measure/figure.ts";
export type * from "./measure/metrics.ts";
export type { IdleEffect, OverlapEffect, OverlapRound } from "./measure/overlap_effect.ts";
export type * from "./measure/sample.ts";
export type { BusyTime, SeparationTest } from "./measure/separation.ts";
export type * from "./result/result.ts";
export type { Judgement, Need, Verdict } from "./claims/verdict.ts";
export type { Case, Measurements } from "./claims/case.ts";
