// From a file or a text to a plan, with every fault of its form at once.

import { EnvironmentError } from "../environment_error.ts";
import { InputTooLarge, readBytes } from "../read_input.ts";
import { decodeText } from "./decode_text.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { type PlanDocument, positionOf } from "./document.ts";
import { issueDiagnostics } from "./issues.ts";
import { normalise } from "./normalise.ts";
import type { Plan } from "./plan.ts";
import { planSchema } from "./schema.ts";
import { maxFaults, maxPlanCharacters, parseText } from "./syntax.ts";

export interface LoadResult {
  /** Present where the form is right; whether the plan is sound, `checkPlan` says. */
  readonly plan?: Plan;
  readonly document: PlanDocument;
  readonly diagnostics: readonly Diagnostic[];
}

/** Throws `EnvironmentError` "file-not-readable" where there is nothing to read. */
export async function readPlan(file: string): Promise<LoadResult> {
  try {
    // A character takes at most four bytes.
    return parsePlan(decodeText(await readBytes(file, 4 * maxPlanCharacters)), file);
  } catch (error) {
    if (error instanceof InputTooLarge) return parsePlan(" ".repeat(maxPlanCharacters + 1), file);
    const reason = error instanceof Error ? error.message : String(error);
    throw new EnvironmentError(
      "file-not-readable",
      `cannot read the plan ${file}: ${reason}`,
      "check the path and its permissions",
    );
  }
}

/** `fileName` appears in positions; one that ends in .json demands JSON, any other takes YAML. */
export function parsePlan(text: string, fileName: string): LoadResult {
  const { document, diagnostics } = parseText(text, fileName);
  if (document.value === undefined) return { document, diagnostics };
  const parsed = planSchema.safeParse(document.value);
  if (!parsed.success) {
    const found = parsed.error.issues
      .slice(0, maxFaults)
      .flatMap((issue) => issueDiagnostics(issue, document.value))
      .slice(0, maxFaults);
    const placed = found.map((each) => withPosition(each, document));
    return { document, diagnostics: placed.toSorted(byPosition) };
  }
  const written = { ...document, written: parsed.data };
  const normalised = normalise(parsed.data);
  return {
    ...(normalised.plan === undefined ? {} : { plan: normalised.plan }),
    document: written,
    diagnostics: normalised.diagnostics.map((each) => withPosition(each, written)),
  };
}

/** The diagnostic with its line and column: of the key where the key is at fault, else of the value. */
export function withPosition(diagnostic: Diagnostic, document: PlanDocument): Diagnostic {
  if (diagnostic.position !== undefined) return diagnostic;
  const of = diagnostic.code === "unknown-key" ? "key" : "value";
  const position = positionOf(document, diagnostic.path, of);
  return position === undefined ? diagnostic : { ...diagnostic, position };
}

/** As a reader of the file meets them; those without a position last. */
export function byPosition(a: Diagnostic, b: Diagnostic): number {
  return (
    (a.position?.line ?? Infinity) - (b.position?.line ?? Infinity) ||
    (a.position?.column ?? Infinity) - (b.position?.column ?? Infinity) ||
    0
  );
}
