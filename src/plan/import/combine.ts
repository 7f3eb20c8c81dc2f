// Several sources as one: a model from one, a layout from another. Where two say different things, neither
// is believed in silence.

import type { Diagnostic } from "../diagnostic.ts";
import type { ModelFile } from "../schema_model.ts";
import {
  type Imported,
  type ImportedWorkload,
  type Layout,
  modelNotUnderstood,
  importNote,
  type Source,
} from "./note.ts";

export interface Combined {
  readonly model?: ModelFile;
  /** The source of the model. */
  readonly modelFrom?: Imported;
  readonly name?: string;
  readonly layout: Layout;
  readonly workload: ImportedWorkload;
  readonly optimizations: readonly string[];
  readonly assumed: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface Part {
  readonly source: Source;
  readonly imported: Imported;
}

export function combineParts(parts: readonly Part[]): Combined {
  const diagnostics: Diagnostic[] = [];
  const modelsFrom = parts.filter(({ source }) => source.role !== "layout").map(importedOf);
  const layoutsFrom = parts.filter(({ source }) => source.role !== "model").map(importedOf);
  const modelFrom = modelsFrom.find(({ model }) => model !== undefined);
  for (const { source, imported } of parts) {
    if (modelFrom?.model === undefined || imported === modelFrom || !imported.model) continue;
    const differences = sizesThatDiffer(modelFrom, modelFrom.model, imported, imported.model);
    // Of a source that gives the layout alone, the model was left out on purpose.
    const severity = source.role === "layout" ? "warning" : "error";
    for (const each of differences) diagnostics.push({ ...each, severity });
  }
  const layout: Record<string, unknown> = {};
  for (const imported of layoutsFrom) {
    for (const [key, value] of Object.entries(imported.layout)) {
      if (typeof layout[key] !== "number" || layout[key] === value) layout[key] = value;
      else diagnostics.push(differs(key, layout[key], value, imported));
    }
  }
  // The layout's tool decides how the model is run; how long its sequences can be, the model does.
  const weakestFirst = parts
    .map(importedOf)
    .toSorted((a, b) => Number(b.kind === "huggingface") - Number(a.kind === "huggingface"))
    .toSorted((a, b) => Number(layoutsFrom.includes(a)) - Number(layoutsFrom.includes(b)));
  const workload: ImportedWorkload = Object.assign(
    {},
    ...weakestFirst.map((each) => each.workload),
  );
  const serving = parts.flatMap(({ imported }) => imported.workload.serving ?? []);
  const limits = parts.flatMap(({ imported }) => imported.workload.maxSequence ?? []);
  const named = [modelFrom, ...parts.map(importedOf)].find((each) => each?.name !== undefined);
  const name = named?.name ?? modelFrom?.family;
  return {
    ...(modelFrom?.model === undefined ? {} : { model: modelFrom.model, modelFrom }),
    ...(name === undefined ? {} : { name }),
    layout,
    workload: {
      ...workload,
      ...(serving.length === 0 ? {} : { serving: Object.assign({}, ...serving) }),
      ...(limits.length === 0 ? {} : { maxSequence: Math.min(...limits) }),
    },
    optimizations: [...new Set(layoutsFrom.flatMap(({ optimizations }) => optimizations))],
    assumed: modelFrom?.assumed ?? [],
    diagnostics: [...parts.flatMap((part) => saidBy(part, modelFrom)), ...diagnostics],
  };
}

/** What a source says of a model that is not the plan's is left out. */
function saidBy({ imported }: Part, modelFrom: Imported | undefined): readonly Diagnostic[] {
  return imported === modelFrom || imported.model === undefined || modelFrom === undefined
    ? imported.diagnostics
    : imported.diagnostics.filter(({ code }) => !aboutModel.has(code));
}

const aboutModel = new Set([modelNotUnderstood, "vocabulary-not-given"]);

function importedOf({ imported }: Part): Imported {
  return imported;
}

function sizesThatDiffer(
  first: Imported,
  model: ModelFile,
  second: Imported,
  other: ModelFile,
): Diagnostic[] {
  const keys = ["layers", "hidden", "heads", "kvHeads", "ffn"] as const;
  return keys.flatMap((key) => {
    const [a, b] = [model[key], other[key]];
    if (a === undefined || b === undefined || a === b) return [];
    const message = `${key} is ${a} in ${first.source}, but ${b} in ${second.source}`;
    const position = second.featurePosition?.("sizes");
    return [importNote("error", "sources-disagree", message, { path: [key], position }, oneOfTwo)];
  });
}

const oneOfTwo = "give sources of the same model, or leave one of them out";

function differs(key: string, before: unknown, value: unknown, imported: Imported): Diagnostic {
  const message = `${key} is ${String(before)} in one source, but ${String(value)} in ${imported.source}`;
  const position = isLayoutKey(key) ? imported.layoutPosition?.(key) : undefined;
  return importNote("error", "sources-disagree", message, { path: [key], position }, oneOfTwo);
}

function isLayoutKey(key: string): key is "tensor" | "pipeline" | "data" | "expert" | "world" {
  return ["tensor", "pipeline", "data", "expert", "world"].includes(key);
}
