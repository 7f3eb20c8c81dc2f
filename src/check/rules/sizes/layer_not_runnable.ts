// What a plan describes and no layer here runs. Such a plan is checked, counted and drawn as it is; only running it is
// refused, which is why these findings are warnings.

import type { Diagnostic } from "../../../plan/diagnostic.ts";
import type { Path } from "../../../plan/document.ts";
import { featuresBeyondLayers } from "../../../plan/features_beyond_layers.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

export const layerNotRunnable: DiagnosticDefinition = {
  code: "layer-not-runnable",
  severity: "warning",
  title: "Layer That Cannot Run Yet",
  requires: "Everything the model is described with has a layer that runs it.",
  examples: {
    bad: degreesWith({ model: { otherMixers: [{ layers: 1, parameters: 64 }] } }),
    good: degreesWith(),
  },
  section: "notes",
};

/** Everything the model is described with has a layer that does it. */
export const layersAreRunnable: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [layerNotRunnable],
  ofPlan: ({ model, workload }) =>
    model === undefined
      ? []
      : featuresBeyondLayers(model, workload.sequence).map(({ path, what }) =>
          notRunnable(
            ["model", ...path],
            `no layer here can run ${what}`,
            `leave out ${["model", ...path].join(".")}`,
          ),
        ),
};

/** Something that no layer here runs. */
export function notRunnable(path: Path, message: string, change: string): Diagnostic {
  const hint = `check and estimate take it as it is; to run the rest, ${change}`;
  return report(layerNotRunnable, path, message, hint);
}

/** Whether a finding says that the plan does not run here, sound as it may be. */
export function isAboutRunning({ code }: Pick<Diagnostic, "code">): boolean {
  return code === layerNotRunnable.code;
}
