// A plan on other hardware than it was written for: so many GPUs by name.

import { InvalidArgumentError } from "commander";
import { withoutLostAssumed } from "../plan/assumed.ts";
import { gpuNamed } from "../plan/gpu_names.ts";
import type { PlanFile } from "../plan/schema.ts";
import { maxGpus } from "../plan/schema_numbers.ts";

export interface OtherHardware {
  readonly gpu: string;
  readonly gpus?: number;
}

/** Option value `H100-SXM*16`, or a name alone for as many GPUs as the plan has. */
export function otherHardware(text: string): OtherHardware {
  const [, name = "", digits] = /^(.*?)(?:\s*[*×]\s*(\d+))?$/u.exec(text.trim()) ?? [];
  const named = gpuNamed(name);
  if (!("gpu" in named)) {
    const names = "candidates" in named ? named.candidates : named.meant;
    const meant = names.length === 0 ? "docs/gpus.md lists them" : `perhaps ${names.join(" or ")}`;
    throw new InvalidArgumentError(`No GPU has exactly that name: ${meant}.`);
  }
  const gpus = digits === undefined ? undefined : Number(digits);
  if (gpus !== undefined && !(gpus >= 1 && gpus <= maxGpus)) {
    throw new InvalidArgumentError(`From 1 to ${maxGpus} GPUs are accepted.`);
  }
  return { gpu: named.gpu.name, ...(gpus === undefined ? {} : { gpus }) };
}

/** The GPU's figures are its datasheet's, whatever the plan says of its own. */
export function onHardware(file: PlanFile, other: OtherHardware | undefined): PlanFile {
  if (other === undefined) return file;
  const hardware = { gpus: other.gpus ?? file.hardware.gpus, gpu: other.gpu };
  return withoutLostAssumed(file, { ...file, hardware });
}
