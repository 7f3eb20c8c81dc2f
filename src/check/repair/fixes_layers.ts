// Ways out of faults in the layers of explicit stages.

import { type Path, valueAt } from "../../plan/document.ts";
import { placedLayers } from "../../plan/layers.ts";
import type { LayerFile } from "../../plan/schema_layers.ts";
import { isGrouped } from "../../plan/stages_explicit.ts";
import { divisorAtMost, drop, type Faulty, type Fix, type Proposal, put, roundUp } from "./fix.ts";
import { degreeFixes, set } from "./fixes_degrees.ts";

const layerOf = ({ written }: Faulty, path: Path): LayerFile | undefined =>
  path[0] === "stages" ? written?.stages?.[Number(path[1])]?.layers[Number(path[3])] : undefined;

const layerPath = (path: Path): Path => path.slice(0, 4);

const splitsWrongDimension =
  (dimension: number, kind: string): Fix =>
  (faulty, { path }) => [
    set(faulty, path, dimension, "the split is what its kind says"),
    {
      patch: [put(faulty, [...path.slice(0, -1), "kind"], kind)],
      description: `the layer is ${kind}-parallel`,
      consequence: "its result, and what must follow it, are others",
    },
  ];

const withGpus = (
  faulty: Faulty,
  path: Path,
  gpus: readonly number[],
  consequence: string,
): Proposal => ({
  patch: [put(faulty, path, gpus)],
  description: `${path.join(".")} now names GPUs ${gpus.join(", ")}`,
  consequence,
});

const degreeDiffers: Fix = (faulty, { path }) => {
  const parallel = layerOf(faulty, path)?.parallel;
  if (parallel?.degree === undefined || isGrouped(parallel.gpus)) return [];
  const { degree, gpus } = parallel;
  return [
    ...(gpus.length > degree
      ? [
          withGpus(
            faulty,
            path,
            gpus.slice(0, degree),
            `GPU ${gpus.slice(degree).join(", ")} is left out`,
          ),
        ]
      : []),
    set(faulty, [...path.slice(0, -1), "degree"], gpus.length, "the list decides"),
  ];
};

/** Sizes of an explicit layer that its group does not divide: fewer GPUs, or a larger size. */
const groupDiffers =
  (fallback: Fix | undefined): Fix =>
  (faulty, diagnostic) => {
    const { path } = diagnostic;
    const gpus = layerOf(faulty, path)?.parallel?.gpus;
    const size = valueAt(faulty.value, path);
    if (gpus === undefined || isGrouped(gpus) || typeof size !== "number") {
      return fallback?.(faulty, diagnostic) ?? [];
    }
    const fewer = divisorAtMost(size, gpus.length);
    return [
      withGpus(
        faulty,
        [...layerPath(path), "parallel", "gpus"],
        gpus.slice(0, fewer),
        `GPU ${gpus.slice(fewer).join(", ")} is left out of the layer`,
      ),
      set(faulty, path, roundUp(size, gpus.length), "a different model: a larger layer"),
    ];
  };

const allAlike: Fix = (faulty, { path }) => {
  const gpus = layerOf(faulty, path)?.parallel?.gpus;
  if (gpus === undefined || !isGrouped(gpus)) return [];
  const size = Math.min(...gpus.map(({ length }) => length));
  return [
    {
      patch: [
        put(
          faulty,
          path,
          gpus.map((group) => group.slice(0, size)),
        ),
      ],
      description: `every replica has ${size} GPUs`,
      consequence: "the surplus GPUs are left out of the layer",
    },
  ];
};

const kindFixes: Fix = (faulty, { path }) => {
  const op = layerOf(faulty, path)?.op;
  const kinds =
    op === "moe"
      ? ["expert"]
      : op === "linear" || op === "embedding"
        ? ["column", "replicated"]
        : ["tensor"];
  return kinds.map((kind) => ({
    patch: [
      put(faulty, path, kind),
      ...(valueAt(faulty.value, [...path.slice(0, -1), "splitDim"]) === undefined ||
      kind === "column"
        ? []
        : [drop([...path.slice(0, -1), "splitDim"])]),
    ],
    description: `the layer is ${kind}-parallel`,
    consequence: "the kind that such a layer has",
  }));
};

const widthFixes: Fix = (faulty, { path }) => {
  const placed = faulty.plan === undefined ? [] : placedLayers(faulty.plan);
  const at = placed.findIndex(
    ({ stageIndex, layerIndex }) => stageIndex === path[1] && layerIndex === path[3],
  );
  const before = placed[at - 1];
  const here = placed[at];
  if (before?.outputWidth === undefined || here === undefined || path[0] !== "stages") return [];
  const wanted = valueAt(faulty.value, path);
  const earlier = ["stages", before.stageIndex, "layers", before.layerIndex, "out"];
  return [
    set(faulty, path, before.outputWidth, "the layer takes what the one before gives"),
    ...(before.layer.op === "linear" && typeof wanted === "number"
      ? [set(faulty, earlier, wanted, "the layer before gives what this one takes")]
      : []),
  ];
};

const renamed: Fix = (faulty, { path }) => {
  const name = valueAt(faulty.value, path);
  return [
    {
      patch: [put(faulty, path, `${String(name)}_${String(path[1])}`)],
      description: `it is now named ${String(name)}_${String(path[1])}`,
      consequence: "nothing else changes",
    },
  ];
};

const without =
  (consequence: string): Fix =>
  (_faulty, { path }) => [
    { patch: [drop(path)], description: `${path.join(".")} is left out`, consequence },
  ];

const groupCodes = [
  "group-does-not-divide-output",
  "group-does-not-divide-input",
  "group-does-not-divide-hidden",
  "group-does-not-divide-heads",
  "group-does-not-fit-kv-heads",
  "group-does-not-divide-ffn",
];

export const layerFixes: Readonly<Record<string, Fix>> = {
  "column-splits-wrong-dimension": splitsWrongDimension(1, "row"),
  "row-splits-wrong-dimension": splitsWrongDimension(0, "column"),
  "parallel-kind-does-not-fit-layer": kindFixes,
  "degree-does-not-match-gpus": degreeDiffers,
  "replicas-do-not-match-gpus": without("the list of GPUs decides"),
  "replicas-differ-in-size": allAlike,
  "gpu-listed-twice": without("the GPU is named once"),
  "dimensions-disagree": widthFixes,
  "name-used-twice": renamed,
  "activation-of-partial-sum": without("the layer has no activation"),
  "residual-from-no-earlier-layer": (faulty, { path }) => [
    set(
      faulty,
      path,
      Math.max(0, Number(path[3]) - 1),
      "the input of the layer just before is added",
    ),
    {
      patch: [drop(layerPath(path))],
      description: "the residual is left out",
      consequence: "a different model: nothing is added",
    },
  ],
  ...Object.fromEntries(groupCodes.map((code) => [code, groupDiffers(degreeFixes[code])])),
};
