// Every code that the check can give, from the rules that give it.

import type { Diagnostic } from "../plan/diagnostic.ts";
import type { DiagnosticDefinition } from "./rule.ts";
import { rules } from "./rules/all.ts";

/** Several rules may give one code. */
export const definitions: readonly DiagnosticDefinition<unknown>[] = [
  ...new Set(rules.flatMap(({ diagnostics }) => diagnostics)),
];

const byCode = new Map(definitions.map((each) => [each.code, each]));

/** Undefined for what importers say of other tools' files. */
export function definitionOf({
  code,
}: Pick<Diagnostic, "code">): DiagnosticDefinition<unknown> | undefined {
  return byCode.get(code);
}
