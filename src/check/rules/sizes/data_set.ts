// What a plan that names a data set needs so that its steps read it.

import { tokenSourceOf } from "../../../program/token_source.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const dataSetMisfit: DiagnosticDefinition = {
  code: "data-set-misfit",
  severity: "error",
  title: "Data Set That No Step Reads",
  requires:
    "Steps of training and inference read token ids from a data set, whole samples at a time; requests of serving bring their own.",
  examples: {
    bad: degreesWith({ workload: { mode: "training", data: { tokens: 8 } } }),
    good: degreesWith({
      workload: { mode: "training", data: { tokens: 65_536 } },
      model: { vocabulary: 1024 },
    }),
  },
};

export const dataSetFits: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [dataSetMisfit],
  ofPlan(plan) {
    const { data, mode, sequence } = plan.workload;
    if (data === undefined) return [];
    const refuse = (found: string, fix: string, key?: string) => [
      report(dataSetMisfit, ["workload", "data", ...(key === undefined ? [] : [key])], found, fix),
    ];
    if (mode === "serving") {
      return refuse("workload.data is given, but workload.mode is serving", "leave it out");
    }
    const source = tokenSourceOf(plan);
    if (source === undefined) {
      return refuse(
        "workload.data is given, but the model starts with vectors and not with tokens",
        "leave it out, or give the model a vocabulary",
      );
    }
    const { tokens, vocabulary, dtype } = source;
    // Ids of four bytes, read as of two, would be ids of the vocabulary too.
    if (dtype === "uint16" && vocabulary > 2 ** 16) {
      return refuse(
        `ids below ${vocabulary} do not fit into uint16`,
        "set workload.data.dtype to uint32",
        "dtype",
      );
    }
    if (data.path !== undefined) {
      return data.tokens === undefined
        ? []
        : refuse(
            "workload.data.tokens is how many are to be made, but workload.data.path names a file",
            "give one of the two",
            "tokens",
          );
    }
    if (tokens <= sequence) {
      return refuse(
        `a data set of ${tokens} tokens is to be made, and one sample takes ${sequence + 1}`,
        `set workload.data.tokens to at least ${sequence + 1}`,
        "tokens",
      );
    }
    return [];
  },
};
