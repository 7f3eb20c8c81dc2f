// What `src/plan/issues.ts` makes of the schema's refusals: keys and values that are none of a plan.

import { valueAt } from "../../../plan/document.ts";
import type { Suggestion } from "../../../plan/issues.ts";
import { degreesWith } from "../../example.ts";
import { drop, type Fix, pointer, put } from "../../repair/fix.ts";
import type { DiagnosticDefinition, RuleDefinition } from "../../rule.ts";

const renameOrLeaveOut: Fix<Suggestion | undefined> = (faulty, { path }, found) => {
  const meant = found?.meant;
  const to = [...path.slice(0, -1), meant ?? ""];
  const withoutKey = {
    patch: [drop(path)],
    description: `${path.join(".")} is left out`,
    consequence: "what it said is lost",
  };
  if (meant === undefined || valueAt(faulty.value, to) !== undefined) return [withoutKey];
  const rename = {
    patch: [{ op: "move", from: pointer(path), path: pointer(to) } as const],
    description: `${path.join(".")} is now named ${meant}`,
    consequence: "its value is read as it stands",
  };
  return [rename, withoutKey];
};

const numberInWords: Fix = (faulty, { path }) => {
  const found = valueAt(faulty.value, path);
  const number = typeof found === "string" && found.trim() !== "" ? Number(found) : Number.NaN;
  return Number.isFinite(number)
    ? [
        {
          patch: [put(faulty, path, number)],
          description: `${path.join(".")} is now the number ${number}`,
          consequence: "nothing else changes",
        },
      ]
    : [];
};

const nearestWord: Fix<Suggestion | undefined> = (faulty, { path }, found) =>
  found === undefined
    ? []
    : [
        {
          patch: [put(faulty, path, found.meant)],
          description: `${path.join(".")} is now ${found.meant}`,
          consequence: "the nearest known word is used",
        },
      ];

/** A share of 95 means 0.95. */
const shareOfPercent: Fix = (faulty, { path }) => {
  const found = valueAt(faulty.value, path);
  return path[0] === "claims" && typeof found === "number" && found > 1 && found <= 100
    ? [
        {
          patch: [put(faulty, path, found / 100)],
          description: `${path.join(".")} is now ${found / 100}`,
          consequence: `${found} is read as per cent`,
        },
      ]
    : [];
};

const missingKey: DiagnosticDefinition = {
  code: "missing-key",
  severity: "error",
  title: "Missing Key",
  requires: "Required keys are there.",
  examples: {
    bad: degreesWith({ workload: { batch: undefined } }),
    good: degreesWith(),
  },
};

const unknownKey: DiagnosticDefinition<Suggestion | undefined> = {
  code: "unknown-key",
  severity: "error",
  title: "Unknown Key",
  requires: "Every key is known where it stands.",
  examples: {
    bad: degreesWith({ parallel: { tensr: 2 } }),
    good: degreesWith(),
  },
  fix: renameOrLeaveOut,
};

const wrongType: DiagnosticDefinition = {
  code: "wrong-type",
  severity: "error",
  title: "Wrong Type",
  requires: "A value has the type that its key takes.",
  examples: {
    bad: degreesWith({ hardware: { gpus: "two" } }),
    good: degreesWith(),
  },
  fix: numberInWords,
};

const invalidValue: DiagnosticDefinition<Suggestion | undefined> = {
  code: "invalid-value",
  severity: "error",
  title: "Invalid Value",
  requires: "A word is one of those known.",
  examples: {
    bad: degreesWith({ workload: { dtype: "fp4" } }),
    good: degreesWith({ workload: { dtype: "f16" } }),
  },
  fix: nearestWord,
};

const outOfRange: DiagnosticDefinition = {
  code: "out-of-range",
  severity: "error",
  title: "Out Of Range",
  requires: "A number is within its range.",
  examples: {
    bad: degreesWith({ claims: { gpuUtilization: 95 } }),
    good: degreesWith({ claims: { gpuUtilization: 0.8 } }),
  },
  fix: shareOfPercent,
};

const notFinite: DiagnosticDefinition = {
  code: "not-finite",
  severity: "error",
  title: "Not Finite",
  requires: "Numbers are finite.",
  examples: {
    bad: degreesWith({ workload: { batch: Number.POSITIVE_INFINITY } }),
    good: degreesWith(),
  },
};

const tooShort: DiagnosticDefinition = {
  code: "too-short",
  severity: "error",
  title: "Too Short",
  requires: "Lists and names are not empty.",
  examples: {
    bad: degreesWith({ name: "" }),
    good: degreesWith(),
  },
};

export const valuesFitSchema: RuleDefinition = {
  chapter: "structure",
  diagnostics: [missingKey, unknownKey, wrongType, invalidValue, outOfRange, notFinite, tooShort],
};
