// From a name as people and drivers write it to the GPU that it means: "h100 sxm5", "NVIDIA A100-SXM4-80GB".

import { type Gpu, gpus } from "./gpus.ts";
import type { Precision } from "./plan.ts";
import { suggest } from "./suggestion.ts";

export type NamedGpu =
  | { readonly gpu: Gpu }
  /** The name fits several, which differ. */
  | { readonly candidates: readonly string[] }
  /** No GPU has that name; perhaps one of these was meant. */
  | { readonly meant: readonly string[] };

/** Vendors, brands and what drivers add: they tell no two GPUs apart. */
const silent = new Set(
  (
    "nvidia amd intel apple qualcomm geforce tesla instinct radeon arc rtx gtx rx gpu graphics tensor core " +
    "generation edition accelerator adreno r tm"
  ).split(" "),
);

/** Words that are found also where nothing parts them from what stands before: `h100sxm5`, `rtx4090ti`. */
const parts =
  /(sxm\d?|pcie|nvl(?:72)?|laptop|mobile|rtx|geforce|ada|blackwell|quadro|pro|max|ultra|xtx|xt(?!x)|ti$)/g;

function words(name: string): string[] {
  return name
    .toLowerCase()
    .replaceAll(/pci[ -]?(?:e|express)\b/g, "pcie")
    .replaceAll(/gaudi[ -]?(\d)/g, "gaudi$1")
    .replaceAll(/(\d) ?g(?:i?b)?\b/g, "$1gb")
    .split(/[^a-z0-9]+/)
    .flatMap((word) => word.split(parts))
    .map((word) => word.replace(/^sxm\d$/, "sxm").replace("mobile", "laptop"))
    .filter((word) => word !== "" && !silent.has(word));
}

interface Entry {
  readonly gpu: Gpu;
  /** The model, such as `h100`: what a name cannot do without. */
  readonly model: string;
  readonly needed: readonly string[];
  readonly allowed: ReadonlySet<string>;
}

function entryOf(gpu: Gpu): Entry {
  const needed = words(gpu.name);
  return {
    gpu,
    model: needed.find((word) => /\d/.test(word)) ?? needed[0] ?? "",
    needed,
    allowed: new Set([...needed, ...(gpu.also ?? [])]),
  };
}

const entries: readonly Entry[] = gpus.map(entryOf);

/**
 * All words of a name must fit; where they fit several GPUs, the one that needs no further word is meant:
 * `RTX 4090` is the desktop's, while `H100` alone fits three.
 */
export function gpuNamed(written: string): NamedGpu {
  // A longer text is no name, and would only cost time.
  if (written.length > 64) return { meant: [] };
  const given = words(written);
  const fitting = entries.filter(
    ({ model, allowed }) => given.includes(model) && given.every((word) => allowed.has(word)),
  );
  const whole = fitting.filter(({ needed }) => needed.every((word) => given.includes(word)));
  const found = whole.length > 0 ? whole : fitting;
  const [only] = found;
  if (only !== undefined && found.length === 1) return { gpu: only.gpu };
  return found.length > 1
    ? { candidates: found.map(({ gpu }) => gpu.name) }
    : { meant: nearest(written, given) };
}

/** Those whose name begins so, else the nearest spelling, else those of the same model. */
function nearest(written: string, given: readonly string[]): readonly string[] {
  const names = (which: (entry: Entry) => boolean): string[] =>
    entries.filter(which).map(({ gpu }) => gpu.name);
  const start = given.join("");
  const begun = names(({ needed }) => start.length > 2 && needed.join("").startsWith(start));
  if (begun.length > 0) return begun;
  const near = suggest(
    written,
    gpus.map(({ name }) => name),
  );
  return near === undefined ? names(({ model }) => given.includes(model)) : [near];
}

/** Of the table, at that dtype without sparsity. */
export function fastestGpu(dtype: Precision): { readonly name: string; readonly flops: number } {
  let fastest = { name: "", flops: 0 };
  for (const { name, teraflops } of gpus) {
    const flops = 1e12 * (teraflops?.[dtype] ?? 0);
    if (flops > fastest.flops) fastest = { name, flops };
  }
  return fastest;
}
