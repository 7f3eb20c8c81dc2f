// Rules on who takes part in a declared communication.

import type { Communication, Plan } from "../plan.ts";
import { communicationsAfter, gpusOfStage } from "../layers.ts";
import { error, info, type Rule } from "./rule.ts";

/**
 * What leaves a stage leaves GPUs that take part in it, and what arrives arrives at GPUs of the next. Of
 * several communications after one stage the first leaves and the last arrives.
 */
export const communicationMembersTakePart: Rule = (plan) => {
  const faults = plan.stages.flatMap((stage, s) => {
    const indices = communicationsAfter(plan, s);
    const next = plan.stages[s + 1];
    const first = indices[0];
    const last = indices.at(-1);
    if (next === undefined || first === undefined || last === undefined) return [];
    const here = gpusOfStage(stage);
    const there = gpusOfStage(next);
    if (first === last && isReversed(plan.communications[first], here, there)) {
      return [
        error(
          "communication-reversed",
          ["communications", first],
          `${plan.communications[first]?.name} goes from stage ${JSON.stringify(next.name)} to stage ${JSON.stringify(stage.name)}, against the order of the stages`,
          "swap from and to",
        ),
      ];
    }
    return [
      ...strangers(plan, first, "from", here, stage.name),
      ...strangers(plan, last, "to", there, next.name),
    ];
  });
  if (faults.length > 0 || plan.communications.length === 0) return faults;
  return [
    info(
      "communication-members-valid",
      ["communications"],
      "every communication joins GPUs that take part in the stages on both sides of it",
    ),
  ];
};

/** All of its sources belong to the next stage only, and all of its destinations to this one. */
const isReversed = (
  communication: Communication | undefined,
  here: readonly number[],
  there: readonly number[],
): boolean =>
  communication !== undefined &&
  !communication.from.every((gpu) => here.includes(gpu)) &&
  communication.from.every((gpu) => there.includes(gpu)) &&
  communication.to.every((gpu) => here.includes(gpu));

const strangers = (
  plan: Plan,
  index: number,
  side: "from" | "to",
  members: readonly number[],
  stage: string,
) => {
  const communication: Communication | undefined = plan.communications[index];
  if (communication === undefined) return [];
  return communication[side].flatMap((gpu, i) =>
    members.includes(gpu)
      ? []
      : [
          error(
            "communication-member-not-in-stage",
            ["communications", index, side, i],
            `${communication.name} goes ${side} GPU ${gpu}, which takes no part in stage ${JSON.stringify(stage)}`,
            `name GPUs of that stage: ${members.join(", ")}`,
          ),
        ],
  );
};

const repeated = (key: "stages" | "communications", items: readonly { name: string }[]) => {
  const seen = new Set<string>();
  return items.flatMap(({ name }, i) =>
    seen.size < seen.add(name).size
      ? []
      : [
          error(
            "name-used-twice",
            [key, i, "name"],
            `${JSON.stringify(name)} names more than one of the ${key}`,
            "give each a name of its own",
          ),
        ],
  );
};

/** Names tell stages and communications apart in reports. */
export const namesAreUnique: Rule = (plan) =>
  plan.degrees === undefined
    ? [...repeated("stages", plan.stages), ...repeated("communications", plan.communications)]
    : [];

/** A broadcast has one source. */
export const broadcastHasOneSource: Rule = (plan) =>
  plan.communications.flatMap(({ op, name, from }, i) =>
    op !== "broadcast" || from.length === 1
      ? []
      : [
          error(
            "broadcast-needs-one-source",
            ["communications", i, "from"],
            `${name} is a broadcast from ${from.length} GPUs; it has one source`,
            "name the one GPU that sends, or use send, which goes pairwise",
          ),
        ],
  );
