// What a GPU must receive from others crosses its links: steps/s ≤ links of a GPU · bandwidth ÷ bytes received. A
// switch that adds on the way (NVLink SHARP) halves what an all-reduce brings, so half of the bytes are counted; of a
// step that trains a quarter.

import { mixedPrecision } from "../../plan/optimizations.ts";
import { isPrinted } from "../../plan/hardware.ts";
import { contextOf } from "../../plan/mesh.ts";
import type { Plan } from "../../plan/plan.ts";
import { largest } from "../case.ts";
import { number, quantity } from "../words.ts";
import { leftOutOfSpeed, type LimitRule } from "./limit.ts";

export const linkBandwidthLimit: LimitRule = (given, { key }) => {
  if (key !== "samplesPerSecond" && key !== "tokensPerSecond") return undefined;
  const { plan, estimate } = given;
  const { linkBandwidth } = plan.hardware;
  // Here gradients are summed in f32; others send them in 16 bits.
  const spared = plan.workload.optimizer === undefined ? 2 : 4;
  const received = largest(estimate.ranks, (rank) => rank.receivedBytes) / spared;
  if (linkBandwidth === undefined || received === 0) return undefined;
  // A datasheet's figure is of all links of a GPU together, a plan's of one pair of GPUs.
  const links = isPrinted(plan.hardware, "linkBandwidth") ? 1 : peersOf(plan);
  const { batch, sequence } = plan.workload;
  const best =
    ((links * linkBandwidth) / received) * batch * (key === "tokensPerSecond" ? sequence : 1);
  return {
    name: "link bandwidth",
    best,
    because: `a GPU receives at least ${quantity(received, "B")} per step over ${links === 1 ? "" : `${links} links of `}${quantity(linkBandwidth, "B/s")}: at most ${number(best)} per second`,
    paths: ["model", "stages", "parallel", "workload", "hardware.linkBandwidth"],
    unsaid: [
      ...leftOutOfSpeed(given),
      ...mixedPrecision(plan),
      ...(estimate.ranks.some(({ receivedBytesAtWorst }) => receivedBytesAtWorst !== undefined)
        ? ["which experts the tokens choose"]
        : []),
    ],
    needs: [],
  };
};

/** GPUs that one exchanges with, at most. */
function peersOf({ degrees, hardware, workload }: Plan): number {
  if (degrees === undefined) return Math.max(1, hardware.gpus - 1);
  // Gradients, their norm and those of tied weights cross all axes.
  if (workload.optimizer !== undefined) return Math.max(1, hardware.gpus - 1);
  const { tensor, pipeline, expert } = degrees;
  const neighbours = pipeline > 1 ? 2 : 0;
  return Math.max(1, tensor - 1 + (contextOf(degrees) - 1) + (expert - 1) + neighbours);
}
