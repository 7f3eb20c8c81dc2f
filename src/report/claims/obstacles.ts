// Why a run cannot decide a plan's claims on speed: its adapters do not speak for the plan's GPUs, or what
// ran is not the work that was promised.

import type { Plan } from "../../plan/plan.ts";
import { unusedFieldsAreSaid } from "../../plan/rules/mesh.ts";
import type { Link } from "../../program/simulate/link_cost.ts";
import { formatBytes, formatNumber } from "../format.ts";
import type { RankAdapter } from "../result.ts";
import { assumedDimensions, shortened } from "./case.ts";

type Sharing = Pick<RankAdapter, "rank" | "id" | "software" | "sharedWith" | "core" | "keptAwake">;

/** Undefined where every rank has a hardware GPU to itself. */
export const describeAdapters = (adapters: readonly Sharing[]): string | undefined => {
  const software = [...new Set(adapters.filter((each) => each.software).map(({ id }) => id))];
  if (software.length > 0) {
    return software.length === 1
      ? `${software.join()} is a software adapter, whose speed says nothing of a GPU's`
      : `${software.join(" and ")} are software adapters, whose speed says nothing of a GPU's`;
  }
  const shared = adapters.find(({ sharedWith }) => sharedWith.length > 0);
  if (shared === undefined) return undefined;
  const ranks = [shared.rank, ...shared.sharedWith].toSorted((a, b) => a - b);
  const ids = [...new Set(ranks.flatMap((rank) => adapters[rank]?.id ?? []))];
  return ids.length < 2
    ? `ranks ${ranks.join(", ")} share ${shared.id} and contend for it`
    : `ranks ${ranks.join(", ")} are on ${ids.join(" and ")}, which are not proven to be GPUs of their own`;
};

/** Why another machine would not decide it either; empty where the work that ran is the plan's own. */
export const describeWork = (plan: Plan): readonly string[] => {
  const assumed = assumedDimensions(plan);
  const notRun = fieldsNotRun(plan);
  return [
    ...(plan.workload.mode === "training"
      ? [
          plan.workload.schedule === undefined
            ? "mode is training, but only its forward pass ran"
            : "mode is training, but its backward slots ran a stand-in",
        ]
      : []),
    ...(assumed.length === 0 ? [] : [`shapes assumed: ${shortened(assumed)}`]),
    ...(notRun.length === 0 ? [] : [`checked but not run: ${notRun.join(", ")}`]),
  ];
};

/** Recomputation is left out: it acts in training only, which is an obstacle of its own. */
const fieldsNotRun = (plan: Plan): string[] =>
  unusedFieldsAreSaid(plan)
    .map(({ path }) => path.join("."))
    .filter((path) => path !== "workload.recompute");

/** The conditions that every figure of a run holds under. */
export const runConditions = (adapters: readonly Sharing[], link?: Link): readonly string[] => [
  ...adapterConditions(adapters),
  ...(link === undefined ? [] : [describeLink(link)]),
];

/** In a sentence without a full stop. */
export const describeLink = ({ latencyMs, bandwidth }: Link): string => {
  const bytes = bandwidth === undefined ? "" : ` + its bytes at ${formatBytes(bandwidth)}/s`;
  return `links between ranks are emulated: no message takes less than ${formatNumber(1000 * latencyMs)} µs${bytes}`;
};

const adapterConditions = (adapters: readonly Sharing[]): readonly string[] => {
  const ids = [...new Set(adapters.map(({ id }) => id))];
  return ids.map((id) => {
    const own = adapters.filter((each) => each.id === id);
    const kind = own[0]?.software === true ? "software adapter" : "hardware adapter";
    const ranks = own.map(({ rank }) => rank).join(", ");
    if (own.every(({ core }) => core !== undefined)) {
      const awake = own.every(({ keptAwake }) => keptAwake === true) ? ", kept awake" : "";
      return `${kind} ${id}, ranks ${ranks} on a core of their own each${awake}`;
    }
    if (own.length > 1) return `${kind} ${id}, shared by ranks ${ranks}`;
    const others = own.flatMap(({ sharedWith }) => sharedWith);
    return others.length === 0
      ? `${kind} ${id}, rank ${ranks} alone on it`
      : `${kind} ${id}, rank ${ranks}, perhaps the same GPU as of ${others.join(", ")}`;
  });
};
