// Diagnostics by severity, each with its place and the way out.

import type { Diagnostic, Severity } from "../../plan/diagnostic.ts";
import { detail, line, type Block, type Section, type Tone } from "../section.ts";

export interface FindingGroup {
  readonly severity: Severity;
  readonly title: string;
  readonly tone: Tone;
}

export function findingSections(
  diagnostics: readonly Diagnostic[],
  groups: readonly FindingGroup[],
): Section[] {
  return groups.map(({ severity, title, tone }) => ({
    title,
    blocks: diagnostics
      .filter((each) => each.severity === severity)
      .flatMap((each) => findingBlocks(each, tone)),
  }));
}

function findingBlocks({ code, message, hint, position }: Diagnostic, tone: Tone): Block[] {
  const at = position === undefined ? "" : `${position.file}:${position.line}:${position.column}  `;
  return [
    line([at, { text: code, tone }], 1),
    detail(message),
    ...(hint === undefined ? [] : [detail(`→ ${hint}`)]),
  ];
}
