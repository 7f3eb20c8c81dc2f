// Whether a refused plan still has a meaning that can be counted and drawn.

import type { Diagnostic } from "../plan/diagnostic.ts";

/** True where all errors are such that the program is the same without them. */
export function isCountable(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.every((each) => each.severity !== "error" || isBesideTheProgram(each));
}

/** It does not fit, or does not keep its claims. */
function isBesideTheProgram({ path }: Diagnostic): boolean {
  return (
    path[0] === "claims" ||
    (path[0] === "hardware" && (path[1] === "memoryPerGpu" || path[1] === "gpu"))
  );
}
