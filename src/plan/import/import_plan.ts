// From what users have to a plan: reads every source, puts them together, and lists whatever a plan
// cannot hold or our layers cannot run.

import { withoutMark } from "../decode_text.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { issueDiagnostics } from "../issues.ts";
import { normalise } from "../normalise.ts";
import { paddedVocabulary, vocabularyBlock } from "../padded_vocabulary.ts";
import { type Feature, featuresBeyondLayers } from "../features_beyond_layers.ts";
import { type PlanFile, planSchema } from "../schema.ts";
import type { ModelFile } from "../schema_model.ts";
import { modelOf } from "../stages_from_degrees.ts";
import { importAccelerate } from "./accelerate.ts";
import { combineParts, type Combined, type Part } from "./combine.ts";
import { importCommands } from "./command_source.ts";
import { containersIn } from "./containers/containers.ts";
import { importDeepSpeed } from "./deepspeed.ts";
import { degreesFrom, type DegreesResult } from "./degrees.ts";
import { importMegatronFile, importVllmFile } from "./flags_file.ts";
import { optionsCommand } from "./llm_options.ts";
import { importTensorRtLlm } from "./tensorrt_llm.ts";
import { importHuggingFace } from "./huggingface.ts";
import { importNanotron } from "./nanotron.ts";
import { importNemo } from "./nemo.ts";
import {
  type Imported,
  type ImportResult,
  importNote,
  type Source,
  type SourceKind,
} from "./note.ts";
import { importParamsJson } from "./params_json.ts";
import { prettyJson } from "./pretty_json.ts";
import { importRayServe } from "./ray_serve.ts";
import { hasKeys, recogniseFile } from "./recognise.ts";
import { runnableModel } from "./runnable_model.ts";
import type { RequestLengths } from "./serving_workload.ts";
import { importTorchtitan } from "./torchtitan.ts";
import { workloadFrom } from "./workload.ts";

export interface ImportOptions {
  /** Name of the plan; absent: of the model, with its degrees. */
  readonly name?: string;
  /** GPUs of the job, whatever the sources say. */
  readonly gpus?: number;
  /** Tokens that requests come with and are given, where the sources do not say it. */
  readonly lengths?: RequestLengths;
  /** Leave out of the model what no layer here can run. */
  readonly runnable?: boolean;
  /** Where the plan finds its JSON Schema. */
  readonly schema?: string;
}

/** A source that a command was read with is no part of its own. */
function partsOf(sources: readonly Source[]): readonly Part[] {
  const read = sources.map((source) =>
    readSource(
      source,
      sources.filter((other) => other !== source),
    ),
  );
  const used = new Set(read.flatMap((each) => each.used));
  return read.flatMap(({ parts }, index) => {
    const source = sources[index];
    return source !== undefined && used.has(source) ? [] : parts;
  });
}

interface ReadParts {
  readonly parts: readonly Part[];
  readonly used: readonly Source[];
}

/** Files are of keys; the same kind may be named for a command line. */
function readSource(source: Source, beside: readonly Source[]): ReadParts {
  const kind = recogniseFile(source);
  const reader = kind === undefined ? undefined : fileReaders[kind];
  // `--from vllm` of a manifest is about the commands in it.
  const isFile =
    kind === "huggingface" || (hasKeys(source) && containersIn(source.text) === undefined);
  if (reader !== undefined && isFile) {
    return { parts: [{ source, imported: reader(source), isFile: true }], used: [] };
  }
  const { imported, configs, used } = importCommands(source, beside);
  return {
    parts: [{ source, imported }, ...configs.flatMap((each) => readSource(each, []).parts)],
    used: used === undefined ? [] : [used],
  };
}

const fileReaders: Readonly<Partial<Record<SourceKind, (source: Source) => Imported>>> = {
  huggingface: importHuggingFace,
  params: importParamsJson,
  deepspeed: importDeepSpeed,
  accelerate: importAccelerate,
  ray: importRayServe,
  nemo: importNemo,
  nanotron: importNanotron,
  torchtitan: importTorchtitan,
  megatron: importMegatronFile,
  vllm: importVllmFile,
  "tensorrt-llm": (source) => importTensorRtLlm(optionsCommand(source)),
};

/**
 * Never throws. Errors mean that there is no plan; warnings and infos list what the plan leaves out, and
 * stand in its `notes` too.
 */
export function importPlan(given: readonly Source[], options: ImportOptions = {}): ImportResult {
  const sources = given.map((source) => ({ ...source, text: withoutMark(source.text) }));
  if (sources.length === 0) return { diagnostics: [nothingGiven] };
  const parts = partsOf(sources);
  const imported = parts.map((part) => part.imported);
  const combined = withGpus(combineParts(parts), options.gpus);
  const degrees = degreesFrom(combined.layout, combined.model, imported, combined.workload);
  const { workload, ...batches } = workloadFrom(combined.workload, degrees.data, options.lengths);
  const said = combined.diagnostics.filter(({ code }) => !batches.expressed.includes(code));
  const found = [...said, ...degrees.diagnostics, ...batches.diagnostics];
  if (combined.model === undefined) {
    // Where a source is broken, that is what is missing.
    return { diagnostics: hasError(found) ? found : [...found, noModel(combined, parts)] };
  }
  if (hasError(found)) return { diagnostics: found };
  const whole = withCopies(combined.model, combined.layout, degrees);
  const { model, notes } = described(whole, combined.modelFrom, sequenceOf(workload), options);
  const vocabulary = vocabularyOf(model, combined, degrees);
  const diagnostics = [...found, ...notes, ...vocabulary.notes];
  const file: PlanFile = {
    $schema: options.schema ?? "./node_modules/shardbench/configs/plan.schema.json",
    name: options.name ?? nameOf(combined, degrees),
    description: `Imported from ${imported.map(shortName).join(" and ")}.`,
    hardware: { gpus: degrees.gpus },
    workload,
    model,
    ...parallelOf(degrees, vocabulary.parallel),
    ...(combined.optimizations.length === 0 ? {} : { optimizations: [...combined.optimizations] }),
    assumed: [...new Set([...degrees.assumed, ...batches.assumed, ...combined.assumed])],
    notes: diagnostics.map(({ code, message }) => ({ code, message })),
  };
  // Sizes beyond what a plan takes are refused in the words of the schema.
  const parsed = planSchema.safeParse(file);
  if (!parsed.success) {
    const faults = parsed.error.issues.flatMap((issue) => issueDiagnostics(issue, file));
    return { diagnostics: [...diagnostics, ...faults] };
  }
  const refused = normalise(parsed.data).diagnostics;
  if (refused.length > 0) return { diagnostics: [...diagnostics, ...refused] };
  const needs =
    workload.mode === "serving" ? [] : lengthsNeeded(combined.workload, options.lengths);
  return {
    file: parsed.data,
    text: `${prettyJson(parsed.data)}\n`,
    ...(needs.length === 0 ? {} : { needs }),
    diagnostics,
  };
}

/** Options that a server's sources need besides for a plan that serves. */
function lengthsNeeded({ serving }: Combined["workload"], lengths: RequestLengths = {}): string[] {
  if (serving === undefined) return [];
  const known = { ...serving, ...lengths };
  return [
    ...(known.inputTokens === undefined ? ["--input-length"] : []),
    ...(known.outputTokens === undefined ? ["--output-length"] : []),
  ];
}

function withGpus(combined: Combined, gpus: number | undefined): Combined {
  return gpus === undefined
    ? combined
    : { ...combined, layout: { ...combined.layout, world: gpus } };
}

/** Without folders: plans travel, and folders stay. */
function shortName({ kind, source }: Imported): string {
  return `${source.split(/[/\\]/).at(-1) ?? source} (${kind})`;
}

function hasError(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === "error");
}

const nothingGiven = importNote(
  "error",
  "no-source",
  "nothing is given to import",
  {},
  "name a source",
);

function noModel({ name }: Combined, parts: readonly Part[]): Diagnostic {
  const named = parts.map(({ imported }) => imported.source).join(" and ");
  // A source may have a model that its role leaves out.
  const withModel = parts.find(({ imported }) => imported.model !== undefined);
  const missing = name === undefined ? "the model's config.json" : `the config.json of ${name}`;
  return withModel === undefined
    ? importNote(
        "error",
        "no-model",
        `${named} say how to lay a model out, but not its sizes`,
        {},
        `add ${missing} as a source`,
      )
    : importNote(
        "error",
        "no-model",
        `of ${named} only the layout is taken, and no other source has a model`,
        {},
        `give ${withModel.source.name} without \`--layout\`, as it has the model's sizes too, or add ${missing}`,
      );
}

/** Copies of experts are placed where experts are in parallel. */
function withCopies(
  model: ModelFile,
  { redundantExperts }: Combined["layout"],
  { expert }: DegreesResult,
): ModelFile {
  return redundantExperts === undefined || model.moe === undefined || expert === 1
    ? model
    : { ...model, moe: { ...model.moe, redundantExperts } };
}

/** Tokens of each sample; of a plan that serves those of a request at its end. */
function sequenceOf({ sequence, inputTokens, outputTokens }: PlanFile["workload"]): number {
  return sequence ?? (inputTokens ?? 0) + (outputTokens ?? 0);
}

/** The model and what is said about its features: described and not run, or left out. */
function described(
  model: ModelFile,
  from: Imported | undefined,
  sequence: number,
  { runnable = false }: ImportOptions,
): { readonly model: ModelFile; readonly notes: readonly Diagnostic[] } {
  const features = featuresBeyondLayers(modelOf(model), sequence);
  const notes = features.map(({ name, what }: Feature): Diagnostic => {
    const position = from?.featurePosition?.(name);
    return runnable
      ? importNote("warning", `${name}-left-out`, `left out of the plan's model: ${what}`, {
          position,
        })
      : importNote(
          "warning",
          `${name}-not-runnable`,
          `described for counting, but no layer here can run ${what}`,
          { position },
        );
  });
  return { model: runnable ? runnableModel(model, sequence) : model, notes };
}

/**
 * To which multiple the layout's tool pads the vocabulary, where a plan that does not say it would be read
 * otherwise; where that changes the vocabulary, it is said.
 */
function vocabularyOf(
  { vocabulary }: ModelFile,
  { layout }: Combined,
  { tensor }: DegreesResult,
): {
  readonly parallel: { readonly vocabularyMultiple?: number };
  readonly notes: readonly Diagnostic[];
} {
  const { padVocabularyTo, vocabularyMultiple = padVocabularyTo && padVocabularyTo * tensor } =
    layout;
  if (vocabularyMultiple === undefined || vocabulary === undefined) {
    return { parallel: {}, notes: [] };
  }
  const padded = paddedVocabulary(vocabulary, { tensor, vocabularyMultiple });
  if (padded === undefined) {
    const isUsual = tensor === 1 || vocabulary % (vocabularyBlock * tensor) === 0;
    return { parallel: isUsual ? {} : { vocabularyMultiple }, notes: [] };
  }
  const message = `the vocabulary of ${vocabulary} is padded to ${padded.vocabulary}, a multiple of ${padded.multiple}`;
  return {
    parallel: { vocabularyMultiple },
    notes: [importNote("info", "vocabulary-padded", message)],
  };
}

function parallelOf(
  { tensor, pipeline, data, expert, more }: DegreesResult,
  further: DegreesResult["more"],
) {
  const degrees = Object.entries({ tensor, pipeline, data, expert }).filter(([, n]) => n > 1);
  const parallel = { ...Object.fromEntries(degrees), ...more, ...further };
  return Object.keys(parallel).length === 0 ? {} : { parallel };
}

function nameOf({ name = "model" }: Combined, degrees: DegreesResult): string {
  const { tensor, pipeline, data, expert } = degrees;
  const base = name.split("/").findLast((part) => part !== "") ?? "model";
  const short = Object.entries({ tp: tensor, pp: pipeline, dp: data, ep: expert });
  const suffix = short.filter(([, n]) => n > 1).map(([key, n]) => `-${key}${n}`);
  return `${base.toLowerCase()}${suffix.join("")}`;
}
