// Mends a plan file whose tensor group and degree disagree, and leaves the rest of the text as it was.

import { hasErrors } from "./check.ts";
import { listedGpus } from "./distribution.ts";
import { type Path, type PlanDocument, spanAt } from "./document.ts";
import { parsePlan } from "./load.ts";
import type { Plan } from "./plan.ts";
import { repairDistribution } from "./repair_distribution.ts";
import type { Rule } from "./rules/rule.ts";
import {
  everyShardIsPlaced,
  tensorGroupIsSaidOnce,
  tensorGroupMatchesDegree,
} from "./rules/tensor_group.ts";
import type { PlanFile } from "./schema.ts";

export interface Repair {
  /** Code of the rule that asked for it. */
  readonly rule: string;
  readonly description: string;
}

export interface RepairedPlan {
  readonly text: string;
  readonly plan: Plan;
  readonly repairs: readonly Repair[];
}

/** A value to put in the place of another. */
interface Edit {
  readonly path: Path;
  readonly value: unknown;
  readonly description: string;
}

const mendedRules: readonly Rule[] = [
  tensorGroupMatchesDegree,
  everyShardIsPlaced,
  tensorGroupIsSaidOnce,
];

/**
 * The document with its tensor group mended: JSON stays JSON, YAML keeps its comments. Undefined where no
 * rule asks for it or where no repair would satisfy those that do. Faults of other rules are left, so
 * check the result.
 */
export const repairPlan = (document: PlanDocument): RepairedPlan | undefined => {
  const { written, file } = document;
  const { plan } = parsePlan(document.text, file);
  if (written === undefined || plan === undefined) return undefined;
  const faults = mendedRules
    .flatMap((rule) => rule(plan, written))
    .filter(({ severity }) => severity === "error");
  const edits = tensorGroupEdits(plan, written);
  if (faults.length === 0 || edits.length === 0) return undefined;

  const text = edits.reduce((before, edit) => applied(before, file, edit), document.text);
  const mended = parsePlan(text, file);
  if (mended.plan === undefined) return undefined;
  const { plan: mendedPlan, document: mendedDocument } = mended;
  const left = mendedRules.flatMap((rule) => rule(mendedPlan, mendedDocument.written));
  if (hasErrors(left)) return undefined;
  const done = edits.map(({ description }) => description).join("; ");
  return {
    text,
    plan: mendedPlan,
    repairs: faults.map(({ code, message }) => ({
      rule: code,
      description: `${message}: ${done}`,
    })),
  };
};

/** The degree is kept; the lists are brought in line with it. */
const tensorGroupEdits = (plan: Plan, written: PlanFile): Edit[] => {
  const tensor = plan.degrees?.tensor;
  if (tensor === undefined) return [];
  const { tensor_parallel_distribution: distribution, parallel } = written;
  const listed = distribution === undefined ? [] : listedGpus(distribution);
  const group = (listed.length > 0 ? listed : (parallel?.tensorGroup ?? [])).slice(0, tensor);
  if (group.length < tensor) return [];
  const edits: Edit[] = [];
  if (distribution !== undefined && listed.length > 0) {
    const value = repairDistribution(distribution, group);
    if (value === undefined) return [];
    edits.push({
      path: ["tensor_parallel_distribution"],
      value,
      description: `every shard now lives on the first ${tensor} listed GPUs, ${group.join(", ")}`,
    });
  }
  if (parallel?.tensorGroup !== undefined) {
    edits.push({
      path: ["parallel", "tensorGroup"],
      value: group,
      description: `tensorGroup now names GPUs ${group.join(", ")}`,
    });
  }
  return edits;
};

const applied = (text: string, file: string, { path, value }: Edit): string => {
  const { tree, format } = parsePlan(text, file).document;
  const span = tree && spanAt(tree, path);
  if (tree === undefined || span === undefined || !span.exact) return text;
  if (format === "json" || isFlow(text, span.start)) {
    const indent = indentAt(text, span.start);
    return text.slice(0, span.start) + jsonText(value, indent) + text.slice(span.end);
  }
  tree.yaml.setIn(path, tree.yaml.createNode(value));
  return tree.yaml.toString({ lineWidth: 0 });
};

const isFlow = (text: string, at: number): boolean => text[at] === "{" || text[at] === "[";

/** Spaces before the first character of the line that `at` is on. */
const indentAt = (text: string, at: number): string => {
  const lineStart = text.lastIndexOf("\n", at - 1) + 1;
  return /^[ \t]*/.exec(text.slice(lineStart, at))?.[0] ?? "";
};

/** Objects on lines of their own, lists on one line, as people write plans. */
const jsonText = (value: unknown, indent: string): string => {
  if (Array.isArray(value)) return `[${value.map((item) => jsonText(item, indent)).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const lines = Object.entries(value).map(
    ([key, item]) => `${inner}${JSON.stringify(key)}: ${jsonText(item, inner)}`,
  );
  return lines.length === 0 ? "{}" : `{\n${lines.join(",\n")}\n${indent}}`;
};
