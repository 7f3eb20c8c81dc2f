// What a page in a browser needs of a plan, and what the reference says of it here.

import { readdir } from "node:fs/promises";
import { EnvironmentError } from "../environment_error.ts";
import { readShader } from "../gpu/shader_file.ts";
import { shardbenchVersion } from "../package_versions.ts";
import type { Plan } from "../plan/plan.ts";
import { estimate } from "../program/estimate.ts";
import { lower } from "../program/lower.ts";
import { forward } from "../reference/forward.ts";
import type { PageData, ReferenceSample } from "../result/page_data.ts";
import { workHash } from "../result/plan_hash.ts";
import { referenceFlops } from "./verify.ts";

const mostValues = 4096;

/**
 * @param file as the command line names the plan
 * @throws EnvironmentError for a plan that serves requests, or that reads a data set
 */
export async function pageDataOf(plan: Plan, file: string): Promise<PageData> {
  if (plan.workload.mode === "serving") {
    throw new EnvironmentError(
      "missing-feature",
      "a page runs inference and training, and not serving: its steps follow one another by requests",
      "make one of a plan with workload.mode inference; its layers and sizes may be the same",
    );
  }
  if (plan.workload.data !== undefined) {
    throw new EnvironmentError(
      "missing-feature",
      "a page reads no files, and so no data set",
      "leave workload.data out: token ids are then made from the seed",
    );
  }
  const reference = await sampleOf(plan);
  return {
    shardbench: shardbenchVersion(),
    file,
    plan,
    workHash: workHash(plan),
    shaders: await allShaders(),
    ...(reference === undefined ? {} : { reference }),
  };
}

async function sampleOf(plan: Plan): Promise<ReferenceSample | undefined> {
  const { modelFlops } = estimate(lower(plan), plan);
  if (modelFlops > referenceFlops) return undefined;
  const { output } = await forward(plan, 0, new Map());
  const { data } = output;
  const stride = Math.ceil(data.length / mostValues);
  return {
    stride,
    values: Array.from(
      { length: Math.ceil(data.length / stride) },
      (_, i) => data[i * stride] ?? 0,
    ),
    scale: data.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
  };
}

/** Which of them run, the adapter decides. */
async function allShaders(): Promise<Record<string, string>> {
  const files = await readdir(new URL("../../shaders/", import.meta.url), { recursive: true });
  const names = files
    .filter((file) => file.endsWith(".wgsl"))
    .map((file) => file.slice(0, -".wgsl".length).replaceAll("\\", "/"));
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readShader(name)] as const)),
  );
}
