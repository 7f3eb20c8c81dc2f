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
  /** The source is a file of keys, and no command. */
  readonly isFile?: boolean;
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
  const inOrder = parts.toSorted((a, b) => Number(b.isFile === true) - Number(a.isFile === true));
  const ofLayout = agreed(
    inOrder.filter(({ source }) => source.role !== "model"),
    ({ layout }) => Object.entries(layout),
  );
  const ofWorkload = agreed(
    inOrder.filter(({ imported }) => imported.kind !== "huggingface"),
    ({ workload }) => batchKeys.map((key) => [key, workload[key]] as const),
  );
  diagnostics.push(...ofLayout.diagnostics, ...ofWorkload.diagnostics);
  // The layout's tool decides how the model is run; how long its sequences can be, the model does.
  const weakestFirst = inOrder
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
    layout: ofLayout.values,
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

const batchKeys = ["batch", "microBatch", "accumulation", "batchPerReplica", "dtype"] as const;

/** The values of all sources. Two of them are an error, unless a command is known to count before its file. */
function agreed(
  parts: readonly Part[],
  entriesOf: (imported: Imported) => readonly (readonly [string, unknown])[],
): { readonly values: Readonly<Record<string, unknown>>; readonly diagnostics: Diagnostic[] } {
  const values: Record<string, unknown> = {};
  const givers = new Map<string, Part>();
  const diagnostics: Diagnostic[] = [];
  for (const part of parts) {
    for (const [key, value] of entriesOf(part.imported)) {
      if (value === undefined) continue;
      const [before, giver] = [values[key], givers.get(key)];
      const isSize = typeof before === "number" || typeof before === "string";
      const isOther = giver !== undefined && isSize && before !== value;
      if (isOther) {
        const counts = countsBefore(part, giver);
        diagnostics.push(
          counts ? replaces(key, before, value, part) : differs(key, before, value, part),
        );
        if (!counts) continue;
      }
      values[key] = value;
      givers.set(key, part);
    }
  }
  return { values, diagnostics };
}

/** Flags of a tool count before its own file, and those of `accelerate launch` before its file. */
function countsBefore(command: Part, file: Part): boolean {
  if (command.isFile === true || file.isFile !== true) return false;
  const [kind, ofFile] = [command.imported.kind, file.imported.kind];
  return kind === ofFile || (kind === "trainer" && ofFile === "accelerate");
}

function replaces(key: string, before: unknown, value: unknown, { imported }: Part): Diagnostic {
  const message = `${key} is ${String(before)} in a file, and ${String(value)} in ${imported.source}, which counts`;
  return importNote("warning", "flag-before-file", message, placeOf(key, imported));
}

function differs(key: string, before: unknown, value: unknown, { imported }: Part): Diagnostic {
  const message = `${key} is ${String(before)} in one source, but ${String(value)} in ${imported.source}`;
  return importNote("error", "sources-disagree", message, placeOf(key, imported), oneOfTwo);
}

function placeOf(key: string, imported: Imported) {
  const position = isLayoutKey(key) ? imported.layoutPosition?.(key) : undefined;
  return { path: [key], position };
}

function isLayoutKey(key: string): key is "tensor" | "pipeline" | "data" | "expert" | "world" {
  return ["tensor", "pipeline", "data", "expert", "world"].includes(key);
}
