// Where in an analysis a finding belongs, and how a reader calls it.

import type { Diagnostic } from "../../plan/diagnostic.ts";
import { definitionOf } from "../definitions.ts";
import type { AnalysisPart } from "../rule.ts";

export function sectionOf(finding: Diagnostic): AnalysisPart {
  const section = definitionOf(finding)?.section;
  if (section !== undefined) return section;
  const [root] = finding.path;
  if (root === "claims") return "claims";
  return root === "hardware" ? "hardware" : root === "optimizations" ? "notes" : "model";
}

export function titleOf(finding: Diagnostic): string {
  return definitionOf(finding)?.title ?? finding.code;
}
