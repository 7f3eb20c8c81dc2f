// Every member of an expert group holds as many experts.

import { variance } from "../../../measure/statistics.ts";
import { fieldPath, listed, nameOf, placedLayers } from "../../../plan/layers.ts";
import { expertShares, placedExperts } from "../../../plan/mesh.ts";
import type { MoeLayer } from "../../../plan/layers/moe.ts";
import { degreesWith } from "../../example.ts";
import { expertFixes } from "../../repair/expert_degree.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const expertsBalanced: DiagnosticDefinition = {
  code: "experts-balanced",
  severity: "info",
  title: "Expert Load Balance",
  requires: "Confirms that experts are spread without variance.",
  examples: {
    bad: degreesWith(),
    good: degreesWith({ model: { moe: { experts: 7 } } }),
  },
  section: "strengths",
  leansOn: ["model.moe.experts", "parallel"],
  leavesOpen: "; how evenly tokens choose them, only a run tells",
};

const expertsNotDivisible: DiagnosticDefinition = {
  code: "experts-not-divisible",
  severity: "error",
  title: "Experts Not Divisible",
  requires: "Every expert GPU holds as many experts.",
  examples: {
    bad: degreesWith({ model: { moe: { experts: 7 } } }),
    good: degreesWith(),
  },
  fix: expertFixes,
};

export const expertDegreeDividesExperts: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [expertsBalanced, expertsNotDivisible],
  ofPlan: (plan) =>
    placedLayers(plan).flatMap((each) => {
      const { layer } = each;
      const [group] = layer.op === "moe" ? layer.expertGroups : [];
      if (layer.op !== "moe" || group === undefined) return [];
      const experts = placedExperts(layer);
      const members = group.length;
      const shares = expertShares(experts, members);
      const spread = Number(variance(shares).toPrecision(3));
      const path = fieldPath(plan, each, "experts");
      if (experts % members === 0) {
        return [report(expertsBalanced, path, `${placementOf(layer)}, variance 0`)];
      }
      const shown = members > 8 ? `${listed(shares.slice(0, 8))}, …` : listed(shares);
      return [
        report(
          expertsNotDivisible,
          path,
          `${experts} ${withCopies(layer)} of ${nameOf(plan, each)} leave ${experts % members} over on ${members} GPUs: ${shown} (variance ${spread})`,
          `use ${experts - (experts % members)} or ${experts - (experts % members) + members} experts, or another number of GPUs`,
        ),
      ];
    }),
};

/** Who holds the experts, in a phrase: degree, slices, copies. */
function placementOf(layer: MoeLayer): string {
  const { expertGroups } = layer;
  const experts = placedExperts(layer);
  const held = withCopies(layer);
  const [group] = expertGroups;
  const members = group?.length ?? 1;
  const slices = group?.[0]?.length ?? 1;
  const gpus = members * slices;
  const sliced = slices === 1 ? "" : `, each sliced over ${slices} GPUs`;
  const copies = expertGroups.length === 1 ? "" : `, in ${expertGroups.length} groups`;
  return members === 1
    ? `all ${experts} ${held} on ${gpus === 1 ? "every GPU" : `every group of ${gpus} GPUs`}${sliced}${copies}`
    : `${experts} ${held} over ${gpus} GPUs: ${experts / members} per GPU${sliced}${copies}`;
}

function withCopies({ redundantExperts = 0 }: MoeLayer): string {
  return redundantExperts === 0 ? "experts" : `experts, ${redundantExperts} of them copies,`;
}
