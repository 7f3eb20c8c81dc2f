// What is an accusation: a sentence that a published figure, or the plan that reached it, cannot be.

import type { Diagnostic } from "../../src/plan/diagnostic.ts";

/** Warnings and errors that say nothing against a figure, and why. Whatever else is said accuses. */
const harmless: Readonly<Record<string, string>> = {
  "layer-not-runnable": "what no layer here can run is described and counted",
  "training-runs-forward-only": "a limit of the run",
  "backward-is-synthetic": "a limit of the run",
  "checked-but-not-run": "a limit of the run",
  "vocabulary-not-padded": "advice on a size that matrix kernels are faster on",
  "gpu-underused": "an opinion on the balance of load",
  "utilization-claim-optimistic": "advice to measure first",
  "memory-claim-without-headroom": "advice to leave room",
  "memory-headroom-small": "advice to leave room",
  "memory-exceeded-as-planned": "what a run here would take; it names what any run needs",
};

export function accusing(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics
    .filter(({ code, severity }) => severity !== "info" && !Object.hasOwn(harmless, code))
    .map(({ code, message }) => `${code}: ${message}`);
}
