// Do the communications bring no more bytes, and take no more hops, than they must?

import { assumedAmong, sizePaths } from "../../plan/assumed.ts";
import type { Plan } from "../../plan/plan.ts";
import type { CommunicationCost } from "../../program/communication_cost.ts";
import type { Excess } from "../../program/least_bytes.ts";
import { countOf, formatBytes } from "../../measure/format.ts";
import { groupBy } from "../../group_by.ts";
import { type Assess } from "./aspect.ts";

/** What is padded or cut into slices may exceed the least by so much. */
const tolerance = 0.02;

/** More kinds than a reader wants to hear of are counted. */
const mostKinds = 3;

export const communicationBandwidth: Assess = ({ described: { plan }, communication }) => {
  const moving = communication.filter(({ worst }) => worst.received > 0);
  if (moving.length === 0) return [];
  const wasteful = moving.filter(
    ({ worst: { received, least } }) => received > least * (1 + tolerance),
  );
  const others = moving.length - wasteful.length;
  const routed = moving.some(({ op }) => op === "expert-dispatch")
    ? ", tokens spread evenly over the experts"
    : "";
  const least = `the least that any algorithm brings${routed}`;
  const here = whatRuns(plan);
  return [
    {
      title: "Bandwidth-Optimized Communication",
      judgement: wasteful.length === 0 ? "held" : "contradicted",
      why:
        wasteful.length === 0
          ? `${here}, ${eachOf(moving.length)} brings every GPU ${least}`
          : `${here}, ` +
            kindsOf(
              wasteful,
              ({ worst: { excess, gpu, received, least: enough } }) =>
                `GPU ${gpu} gets ${formatBytes(received)} per step, ` +
                reasons[excess](enough, received - enough),
            ) +
            (others === 0 ? "" : `; the rest brings every GPU ${least}`),
      leansOn: assumedAmong(plan, sizePaths),
      codes: [],
    },
  ];
};

const reasons: Readonly<Record<Excess, (least: number, beyond: number) => string>> = {
  unread: (least) =>
    `of which the row split that follows reads ${formatBytes(least)} there; on the GPUs of the column split it would need none`,
  held: (least, beyond) =>
    `${least === 0 ? "all" : formatBytes(beyond)} of which it has already, as every GPU of its tensor group has all tokens`,
  "added-again": (least) =>
    `where ${formatBytes(least)} would do if summands were added on the way`,
};

export const communicationLatency: Assess = ({ described: { plan }, communication }) => {
  const moving = communication.filter(({ worst }) => worst.received > 0);
  if (moving.length === 0) return [];
  const longer = moving.filter(({ hops }) => hops > 1);
  const inVain = longer.filter(({ hopsSaveBytes }) => !hopsSaveBytes);
  const others = moving.length - longer.length;
  const blocks = moving.filter((each) => each.blocks > 1).length;
  const here = whatRuns(plan);
  const oneHop =
    `in one hop, the least` +
    (blocks === 0
      ? ""
      : `; ${blocks} leave in blocks, of which all but the last go beside computing`);
  return [
    {
      title: "Latency-Optimized Communication",
      judgement:
        longer.length === 0 ? "held" : inVain.length > 0 ? "contradicted" : "not decidable",
      why:
        longer.length === 0
          ? `${here}, ${eachOf(moving.length)} is over ${oneHop}`
          : `${here}, ` +
            kindsOf(longer, ({ hops, hopsSaveBytes }) =>
              hopsSaveBytes
                ? `${hops} hops, which bring fewer bytes than one: links' latency, which the plan does not give, tells which is sooner`
                : `${hops} hops, where one brings as many bytes`,
            ) +
            (others === 0 ? "" : `; the rest is over ${oneHop}`),
      leansOn: assumedAmong(plan, sizePaths),
      codes: [],
    },
  ];
};

/** Of a training step only the communications of its forward pass are judged. */
function whatRuns({ workload }: Plan): string {
  return workload.mode === "training" ? "in the forward pass as run here" : "as run here";
}

function eachOf(count: number): string {
  return count === 1 ? "the one communication" : `each of ${count} communications`;
}

/** Communications of which the same is said, told once. */
function kindsOf(
  costs: readonly CommunicationCost[],
  said: (cost: CommunicationCost) => string,
): string {
  const kinds = [...groupBy(costs, (cost) => `${cost.name ?? cost.op}: ${said(cost)}`).values()];
  const shown = kinds.slice(0, mostKinds).flatMap((alike) => {
    const [first] = alike;
    if (first === undefined) return [];
    const { op, layer, name = `${op} of ${layer}` } = first;
    const who = alike.length === 1 ? name : `${op} in each of ${alike.length} layers`;
    return [`${who}: ${said(first)}`];
  });
  const rest = kinds.length - shown.length;
  return shown.join("; ") + (rest === 0 ? "" : `; and ${countOf(rest, "kind")} more`);
}
