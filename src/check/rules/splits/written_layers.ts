// The layers of explicit stages, as the plan file gives them.

import type { PlanFile } from "../../../plan/schema.ts";
import type { LayerFile } from "../../../plan/layers/layers.ts";
import type { ParallelFile } from "../../../plan/layers/parallel.ts";

export interface WrittenLayer {
  readonly layer: LayerFile;
  readonly parallel: ParallelFile;
  readonly path: readonly (string | number)[];
}

export function writtenLayers(written: PlanFile | undefined): WrittenLayer[] {
  return (written?.stages ?? []).flatMap((stage, s) =>
    stage.layers.flatMap((layer, l) =>
      layer.parallel === undefined
        ? []
        : [{ layer, parallel: layer.parallel, path: ["stages", s, "layers", l, "parallel"] }],
    ),
  );
}
