// Where in an analysis a finding belongs, and how a reader calls it.

import type { Diagnostic } from "../../plan/diagnostic.ts";

/** Of an analysis. */
export type AnalysisPart = "hardware" | "model" | "strengths" | "claims" | "notes";

const known: Readonly<Record<string, readonly [AnalysisPart, title: string]>> = {
  "gpu-count-fits": ["hardware", "GPU Count"],
  "gpu-ids-valid": ["hardware", "GPU Allocation"],
  "expert-group-matches-degree": ["hardware", "Expert Parallel Group"],
  "tensor-group-matches-degree": ["hardware", "Tensor Parallel Group"],
  "communication-members-valid": ["hardware", "Communication Patterns"],
  "buffers-fit-adapter": ["hardware", "Adapter Limits"],
  "column-split-correct": ["model", "Column Parallel"],
  "row-split-correct": ["model", "Row Parallel"],
  "communication-fits-split": ["model", "Communication"],
  "communication-payload-fits": ["model", "Communication Payload"],
  "claim-confirmed": ["claims", "Claim That Follows From the Plan"],
  "claim-refuted": ["claims", "Claim That No Run Can Keep"],
  "claim-needs-absurd": ["claims", "Claim That Needs the Impossible"],
  "claims-open": ["claims", "Claims That Are Open"],
  "memory-exceeded-as-planned": ["notes", "Memory as Planned"],
  "pipeline-filled": ["strengths", "Pipeline Filling"],
  "memory-headroom": ["strengths", "Memory Headroom"],
  "experts-balanced": ["strengths", "Expert Load Balance"],
  "gpu-underused": ["notes", "Load Balance"],
  "single-data-replica": ["notes", "Data Parallelism of One Replica"],
  "memory-unrealistic": ["notes", "Memory Configuration"],
  "utilization-claim-optimistic": ["claims", "GPU Utilization Claim"],
  "tensor-degree-does-not-match-group": ["notes", "Tensor Parallelism Inconsistency"],
  "tensor-shard-missing": ["notes", "Missing Tensor Shard"],
  "layer-not-runnable": ["notes", "Layer That Cannot Run Yet"],
  "bf16-as-f16": ["notes", "Precision"],
  "optimization-without-effect": ["notes", "Optimization Without Effect"],
  "values-assumed": ["notes", "Assumed Values"],
};

export const sectionOf = ({ code, path }: Diagnostic): AnalysisPart => {
  const section = known[code]?.[0];
  if (section !== undefined) return section;
  const [root] = path;
  if (root === "claims") return "claims";
  return root === "hardware" ? "hardware" : root === "optimizations" ? "notes" : "model";
};

export const titleOf = ({ code }: Diagnostic): string =>
  known[code]?.[1] ??
  code
    .split("-")
    .map((word) => (word === "gpu" ? "GPU" : word.charAt(0).toUpperCase() + word.slice(1)))
    .join(" ");
