// A peer's model as a plan: imported from its config.json, as users do it.

import { checkPlan } from "../../src/check/check_plan.ts";
import { isAboutRunning } from "../../src/check/rules/sizes/layer_not_runnable.ts";
import { importPlan } from "../../src/plan/import/import_plan.ts";
import { parsePlan } from "../../src/plan/load.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { PeerModel } from "./model.ts";

export interface ImportedModel {
  readonly plan: Plan;
  /** What of it no layer runs yet, in words; empty where all of it runs. */
  readonly notRun: readonly string[];
}

/** @param tensor ranks that share it */
export function importModel({ name, config }: PeerModel, tensor: number): ImportedModel {
  const source = { name: "config.json", text: JSON.stringify(config) };
  const { file, diagnostics } = importPlan([source], { name, gpus: tensor });
  if (file === undefined) throw new Error(JSON.stringify(diagnostics));
  const changed = {
    ...file,
    workload: { ...file.workload, dtype: "f32" },
    parallel: { ...file.parallel, tensor },
  };
  const { plan, document, diagnostics: found } = parsePlan(JSON.stringify(changed), "plan.json");
  if (plan === undefined) throw new Error(JSON.stringify(found));
  const wrong = checkPlan(plan, document).filter(
    (each) => each.severity === "error" || isAboutRunning(each),
  );
  return { plan, notRun: wrong.map(({ message }) => message) };
}
