// The file that an example is, and what of it readers are shown.

import { Document, stringify, visit } from "yaml";
import { bases, type Example, type PlanChange } from "../example.ts";

export interface RenderedExample {
  /** The change, or the whole text. Empty for a base plan as it is. */
  readonly shown: string;
  readonly text: string;
  readonly file: string;
}

export function renderExample(example: Example): RenderedExample {
  if ("text" in example) return example;
  const { base, change } = example;
  return {
    shown: Object.keys(change).length === 0 ? "" : compactYaml(change),
    text: stringify(changed(bases[base], change), { aliasDuplicateObjects: false }),
    file: "plan.yaml",
  };
}

/** What fits on a line is on one. */
export function compactYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Collection: (_key, node) => {
      const fits = JSON.stringify(node.toJS(document)).length <= 76;
      if (node !== document.contents && fits) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false }).trimEnd();
}

function isRecord(value: unknown): value is PlanChange {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function changed(base: PlanChange, change: PlanChange): PlanChange {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(change)) {
    const before = result[key];
    if (value === undefined) delete result[key];
    else result[key] = isRecord(before) && isRecord(value) ? changed(before, value) : value;
  }
  return result;
}
