// Plans whose figures somebody published, each with its source in its description, and the two plans that
// the product was asked for from.

import { readdir } from "node:fs/promises";
import type { PlanDocument } from "../../src/plan/document.ts";
import { readPlan } from "../../src/plan/load.ts";
import type { Plan } from "../../src/plan/plan.ts";

export interface PublishedPlan {
  /** The file's name without its ending. */
  readonly name: string;
  readonly plan: Plan;
  readonly document: PlanDocument;
}

const folder = "test/claims/plans";
const seeds = ["configs/three-stage-pipeline.json", "configs/moe-ep3-tp2.json"];

/** Throws where one has not the form of a plan. */
export async function readCorpus(): Promise<readonly PublishedPlan[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".json")).toSorted();
  return Promise.all(
    [...files.map((file) => `${folder}/${file}`), ...seeds].map(async (file) => {
      const { plan, document, diagnostics } = await readPlan(file);
      if (plan === undefined || diagnostics.length > 0) {
        throw new Error(`${file}: ${diagnostics.map(({ message }) => message).join("; ")}`);
      }
      return { name: file.replace(/^.*\/|\.json$/g, ""), plan, document };
    }),
  );
}
