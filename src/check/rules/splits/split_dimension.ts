// The weight is [in, out]: a split of one kind names its dimension, and no other. Column-parallel splits the output,
// dimension 1; row-parallel the input, dimension 0.

import type { Diagnostic } from "../../../plan/diagnostic.ts";
import { listed } from "../../../plan/layers.ts";
import type { PlanFile } from "../../../plan/schema.ts";
import { columnLayer, layersWith, oneStage, rowLayer, stagesWith, wholeOn } from "../../example.ts";
import { type Fix, put, setNumber } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";
import { writtenLayers } from "./written_layers.ts";

const columnSplitsWrongDimension: DiagnosticDefinition = {
  code: "column-splits-wrong-dimension",
  severity: "error",
  title: "Column Splits Wrong Dimension",
  requires: "A column-parallel weight [in, out] is split along dimension 1.",
  examples: {
    bad: layersWith({
      a: [{ ...columnLayer, parallel: { kind: "column", splitDim: 0, gpus: [0, 1] } }],
    }),
    good: stagesWith(),
  },
  fix: otherDimensionOrKind(1, "row"),
};

const columnSplitCorrect: DiagnosticDefinition = {
  code: "column-split-correct",
  severity: "info",
  title: "Column Parallel",
  requires: "Confirms a column split along the output.",
  examples: {
    bad: stagesWith(),
    good: oneStage([wholeOn(0)]),
  },
  section: "model",
};

const rowSplitsWrongDimension: DiagnosticDefinition = {
  code: "row-splits-wrong-dimension",
  severity: "error",
  title: "Row Splits Wrong Dimension",
  requires: "A row-parallel weight [in, out] is split along dimension 0.",
  examples: {
    bad: layersWith({ b: [{ ...rowLayer, parallel: { kind: "row", splitDim: 1, gpus: [1, 2] } }] }),
    good: stagesWith(),
  },
  fix: otherDimensionOrKind(0, "column"),
};

const rowSplitCorrect: DiagnosticDefinition = {
  code: "row-split-correct",
  severity: "info",
  title: "Row Parallel",
  requires: "Confirms a row split along the input.",
  examples: {
    bad: stagesWith(),
    good: oneStage([wholeOn(0)]),
  },
  section: "model",
};

interface Split {
  readonly kind: "column" | "row";
  readonly dimension: number;
  readonly name: string;
  readonly wrong: DiagnosticDefinition;
  readonly right: DiagnosticDefinition;
}

const splits: readonly Split[] = [
  {
    kind: "column",
    dimension: 1,
    name: "output",
    wrong: columnSplitsWrongDimension,
    right: columnSplitCorrect,
  },
  {
    kind: "row",
    dimension: 0,
    name: "input",
    wrong: rowSplitsWrongDimension,
    right: rowSplitCorrect,
  },
];

export const splitsNameTheirDimension: RuleDefinition = {
  chapter: "splits",
  diagnostics: splits.flatMap(({ wrong, right }) => [wrong, right]),
  ofPlan: (_plan, written) => splits.flatMap((split) => splitsDimension(split, written)),
};

function splitsDimension(
  { kind, dimension, name, wrong, right }: Split,
  written: PlanFile | undefined,
): Diagnostic[] {
  return writtenLayers(written).flatMap(({ parallel, path }) => {
    if (parallel.kind !== kind) return [];
    if (parallel.splitDim !== undefined && parallel.splitDim !== dimension) {
      return [
        report(
          wrong,
          [...path, "splitDim"],
          `a ${kind}-parallel weight [in, out] is split along dimension ${dimension}, its ${name}; found ${parallel.splitDim}`,
          `set splitDim to ${dimension}, or kind to ${kind === "row" ? "column" : "row"}`,
        ),
      ];
    }
    return [
      report(
        right,
        path,
        `${kind}-parallel: the weight's ${name} dimension (${dimension}) is split over GPUs ${listed(parallel.gpus.flat())}`,
      ),
    ];
  });
}

function otherDimensionOrKind(dimension: number, kind: string): Fix {
  return (faulty, { path }) => [
    setNumber(faulty, path, dimension, "the split is what its kind says"),
    {
      patch: [put(faulty, [...path.slice(0, -1), "kind"], kind)],
      description: `the layer is ${kind}-parallel`,
      consequence: "its result, and what must follow it, are others",
    },
  ];
}
