// Finds every weight of a plan in a checkpoint.

import type { Plan } from "../../plan/plan.ts";
import type { Program } from "../../program/program.ts";
import { partsOf } from "../../program/content_values.ts";
import type { Checkpoint } from "../checkpoint.ts";
import type { GivenWeights } from "../given_source.ts";
import { quoted, refusedWeights } from "../refused_weights.ts";
import type { TensorView } from "../tensor_view.ts";
import type { FamilyModel, Recipes } from "./family.ts";
import { familyOf } from "./families.ts";
import { type NamedLayer, layerPlaces } from "./layer_places.ts";
import { type FoundTensor, type PlanWeight, type Recipe, viewOf } from "./recipe.ts";

export interface MatchedWeights extends GivenWeights {
  /** Tensors of the checkpoint that the plan does not use, by name. */
  readonly unused: readonly string[];
}

/**
 * @param program lowered from the plan
 * @throws EnvironmentError `weights-refused` where the checkpoint lacks a weight, or has it in another shape
 */
export function matchWeights(plan: Plan, program: Program, checkpoint: Checkpoint): MatchedWeights {
  const names = [...checkpoint.tensors.keys()];
  const { family, prefix } = familyOf(checkpoint);
  const recipes = family.recipes(modelOf(plan));
  const places = new Map(layerPlaces(plan).map((place) => [place.name, place]));
  const used = new Set<string>();
  const tensors: Record<string, TensorView> = {};
  const missing: string[] = [];
  for (const [weight, shape] of weightsOf(program)) {
    const found = findWeight({ weight, shape, places, recipes, prefix, plan, checkpoint });
    if (found === undefined) missing.push(weight);
    else {
      tensors[weight] = found.view;
      for (const name of found.names) used.add(name);
    }
  }
  if (missing.length > 0) {
    const some = missing.slice(0, 5).map(quoted).join(", ");
    const more = missing.length > 5 ? ` and ${missing.length - 5} more` : "";
    throw refusedWeights(
      checkpoint.folder,
      `it has no weights for ${some}${more} of the plan`,
      "import the plan from the config.json beside the weights",
    );
  }
  const { folder, files } = checkpoint;
  const unused = names.filter((name) => !used.has(name));
  const blocks = 1 + Math.max(...[...places.values()].map(({ block }) => block));
  refuseLeftOver(folder, unused, recipes, prefix, blocks);
  return { folder, files, tensors, unused };
}

/** What the family stores for a layer that the plan has, and the plan has not, makes it another model. */
function refuseLeftOver(
  folder: string,
  unused: readonly string[],
  recipes: Recipes,
  prefix: string,
  blocks: number,
): void {
  // A tied head may be stored all the same.
  const known = Object.entries(recipes)
    .filter(([weight]) => weight !== "head/weight")
    .flatMap(([, all = []]) => all.map(({ name }) => patternOf(name)));
  const left = unused.find((name) =>
    prefixesOf(prefix)
      .filter((before) => name.startsWith(before))
      .some((before) =>
        known.some((pattern) => {
          const found = pattern.exec(name.slice(before.length));
          return found !== null && Number(found.groups?.["block"] ?? 0) < blocks;
        }),
      ),
  );
  if (left === undefined) return;
  throw refusedWeights(
    folder,
    `the plan has nothing for ${quoted(left)}, and so computes another model`,
    "import the plan from the config.json beside the weights",
  );
}

/** Of a recipe's names, behind the prefix. */
function patternOf(name: string): RegExp {
  const of = name.replaceAll(".", "\\.").replace("{i}", "(?<block>\\d+)").replace("{e}", "\\d+");
  return new RegExp(`^${of}$`);
}

/** A head stands beside what the prefix names, or beside the whole model. */
function prefixesOf(prefix: string): string[] {
  return [...new Set([prefix, prefix.replace(/[^.]+\.$/, ""), ""])];
}

/** Global shapes of all weights of the program, by name. */
function weightsOf(program: Program): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const { buffers } of program.ranks) {
    for (const { role, content } of buffers) {
      if (role !== "weight" || content === undefined) continue;
      for (const { tensor, shape } of partsOf(content)) shapes.set(tensor, shape);
    }
  }
  return shapes;
}

interface Sought {
  readonly weight: string;
  readonly shape: readonly number[];
  readonly places: ReadonlyMap<string, NamedLayer>;
  readonly recipes: Recipes;
  readonly prefix: string;
  readonly plan: Plan;
  readonly checkpoint: Checkpoint;
}

interface Found {
  readonly view: TensorView;
  readonly names: readonly string[];
}

function findWeight({
  weight,
  shape,
  places,
  recipes,
  prefix,
  plan,
  checkpoint,
}: Sought): Found | undefined {
  const [stage, layer, ...part] = weight.split("/");
  const place = places.get(`${stage}/${layer}`);
  if (place?.role === undefined) return undefined;
  const key = part.join("/");
  const sizes = sizesOf(place, key, shape, plan.model?.vocabulary);
  const plus = addsOne(place, key, plan) ? { plus: 1 } : {};
  for (const recipe of recipes[`${place.role}/${key}`] ?? []) {
    const found = storedOf(recipe, place.block, sizes.experts, prefix, checkpoint);
    if (found === undefined) continue;
    const where = `${checkpoint.folder}, ${quoted(found[0]?.name ?? "")}`;
    const view = viewOf(where, sizes, { ...recipe, ...plus }, found);
    return { view, names: found.flatMap(({ names }) => names) };
  }
  return undefined;
}

/** Gains that are stored less 1. */
function addsOne({ layer }: NamedLayer, part: string, { model }: Plan): boolean {
  if (!part.endsWith("gain")) return false;
  return layer.op === "norm" ? layer.unitOffset === true : model?.unitOffsetNorms === true;
}

function sizesOf(
  { role, layer }: NamedLayer,
  part: string,
  shape: readonly number[],
  vocabulary: number | undefined,
): PlanWeight {
  const [last = 1, before] = shape.toReversed();
  if (role === "embedding") {
    const rows = part === "weight" ? (vocabulary ?? before) : before;
    return { outputs: rows ?? 1, inputs: last, isTable: true };
  }
  const inputs = before === undefined || part.endsWith("bias") ? {} : { inputs: before };
  // Copies of experts that a plan places besides are no experts of the model.
  const experts = layer.op === "moe" && part.startsWith("experts/") ? layer.experts : undefined;
  const outputs = role === "head" ? (vocabulary ?? last) : last;
  return { outputs, ...inputs, ...(experts === undefined ? {} : { experts }) };
}

interface NamedTensor extends FoundTensor {
  readonly name: string;
  /** With that of its scales. */
  readonly names: readonly string[];
}

/** Undefined where one of the names is not there. */
function storedOf(
  { name, scales }: Recipe,
  block: number,
  experts: number | undefined,
  prefix: string,
  { tensors }: Checkpoint,
): NamedTensor[] | undefined {
  const ofBlock = name.replace("{i}", String(block));
  const wanted = ofBlock.includes("{e}")
    ? Array.from({ length: experts ?? 0 }, (_, e) => ofBlock.replace("{e}", String(e)))
    : [ofBlock];
  const found = wanted.map((each): NamedTensor | undefined => {
    for (const before of prefixesOf(prefix)) {
      const own = `${before}${each}`;
      const tensor = tensors.get(own);
      if (tensor === undefined) continue;
      const ofScales =
        scales === undefined
          ? `${own}_scale_inv`
          : `${before}${scales.replace("{i}", String(block))}`;
      const stored = tensors.get(ofScales);
      return stored === undefined
        ? { name: own, tensor, names: [own] }
        : { name: own, tensor, scales: stored, names: [own, ofScales] };
    }
    return undefined;
  });
  return found.every((each) => each !== undefined) ? found : undefined;
}

function modelOf({ stages }: Plan): FamilyModel {
  const layers = stages.flatMap((stage) => stage.layers);
  const attention = layers.find(({ op }) => op === "attention");
  const mlp = layers.find(({ op }) => op === "mlp");
  const moe = layers.find(({ op }) => op === "moe");
  return {
    ...(attention?.op === "attention" ? { attention } : {}),
    ffn: mlp?.op === "mlp" ? mlp.ffn : 0,
    ...(moe?.op === "moe" ? { moe } : {}),
  };
}
