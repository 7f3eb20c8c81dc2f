// What a plan describes and no layer here runs. Such a plan is checked, counted and drawn as it is; only
// running it is refused, which is why these findings are warnings.

import type { Diagnostic } from "../diagnostic.ts";
import type { Path } from "../document.ts";
import { featuresBeyondLayers } from "../features_beyond_layers.ts";
import { type Rule, warning } from "./rule.ts";

const code = "layer-not-runnable";

/** Whether a finding says that the plan does not run here, sound as it may be. */
export const isAboutRunning = (diagnostic: Pick<Diagnostic, "code">): boolean =>
  diagnostic.code === code;

/** Something that no layer here runs. */
export const notRunnable = (path: Path, message: string, change: string): Diagnostic =>
  warning(code, path, message, `check and estimate take it as it is; to run the rest, ${change}`);

/** Everything the model is described with has a layer that does it. */
export const layersAreRunnable: Rule = ({ model }) =>
  model === undefined
    ? []
    : featuresBeyondLayers(model).map(({ path, what }): Diagnostic =>
        notRunnable(
          ["model", ...path],
          `no layer here can run ${what}`,
          `leave out ${written(path)}`,
        ),
      );

const written = (path: Path): string => ["model", ...path].join(".");
