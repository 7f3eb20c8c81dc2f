// Imports for the tests: the plan that sources give, or the errors that they give instead.

import { readFile } from "node:fs/promises";
import type { Diagnostic } from "../../src/plan/diagnostic.ts";
import { importPlan, type ImportOptions } from "../../src/plan/import/import_plan.ts";
import type { Source } from "../../src/plan/import/note.ts";
import { parsePlan } from "../../src/plan/load.ts";
import { countParameters } from "../../src/plan/parameters.ts";
import type { Plan } from "../../src/plan/plan.ts";

export async function configOf(name: string): Promise<Source> {
  return {
    name: "config.json",
    text: await readFile(`test/import/fixtures/${name}.json`, "utf8"),
  };
}

/** Throws where the sources give no plan. */
export function planOf(sources: readonly Source[], options: ImportOptions = {}) {
  const { file, text, diagnostics } = importPlan(sources, options);
  if (file === undefined || text === undefined) throw new Error(JSON.stringify(diagnostics));
  const { plan, document } = parsePlan(text, "plan.json");
  if (plan === undefined) throw new Error(text);
  return { file, text, plan, document, diagnostics };
}

export function errorsAt(sources: readonly Source[]): Diagnostic[] {
  const { file, diagnostics } = importPlan(sources);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if ((file === undefined) !== errors.length > 0) throw new Error("a plan, or else errors");
  return errors;
}

export function codes(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map(({ code }) => code);
}

/** Of the plan's model, in billions. */
export function billions({ model }: Plan): number {
  return model === undefined ? 0 : countParameters(model).total / 1e9;
}
