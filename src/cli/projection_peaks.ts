// The figures of the hardware that projections rest on: as given, else the plan's, else what this machine is expected to
// reach.

import { formatNumber } from "../measure/format.ts";
import type { Plan } from "../plan/plan.ts";
import type { Peaks } from "../program/bound.ts";
import type { Overheads } from "../program/simulate/hardware_cost.ts";
import { peaksOf, type PeakFlags } from "./peaks.ts";

interface Flags extends PeakFlags {
  /** ms */
  readonly latency?: number;
  readonly adapter?: string;
  readonly placement?: string;
}

export interface ProjectionPeaks {
  readonly peaks: Peaks;
  readonly overheads: Overheads;
  /** In a phrase. */
  readonly peaksFrom: string;
}

/** Of a message between two GPUs over NVLink or PCIe, and of a kernel in a queue, where nothing else is said. */
const usual: Overheads = { latencyMs: 0.005, launchMs: 0.003 };

export async function projectionPeaks(plan: Plan, flags: Flags): Promise<ProjectionPeaks> {
  const { peaks, source } = await peaksOf(plan, flags);
  if (peaks !== undefined) {
    const overheads = { ...usual, latencyMs: flags.latency ?? usual.latencyMs };
    const assumed = flags.latency === undefined ? "assumed " : "";
    const latency = `${assumed}${formatNumber(1000 * overheads.latencyMs)} µs a message`;
    const launch = `assumed ${formatNumber(1000 * overheads.launchMs)} µs a kernel`;
    return { peaks, overheads, peaksFrom: `figures ${source}, ${latency} and ${launch}` };
  }
  const [{ thisMachine }, { expectedPeaks, expectedOverheads }] = await Promise.all([
    import("../harness/fit/machine.ts"),
    import("../harness/fit/cost.ts"),
  ]);
  const { adapter, placement, bandwidth, linkBandwidth, latency } = flags;
  const machine = await thisMachine({
    ...(adapter === undefined ? {} : { adapter }),
    ...(placement === undefined ? {} : { placement }),
  });
  const expected = expectedPeaks(machine.place(plan.hardware.gpus));
  return {
    peaks: {
      ...expected,
      ...(bandwidth === undefined ? {} : { bandwidth }),
      ...(linkBandwidth === undefined ? {} : { linkBandwidth }),
    },
    overheads: { ...expectedOverheads, latencyMs: latency ?? expectedOverheads.latencyMs },
    peaksFrom: "what kernels and transfers usually reach on this machine",
  };
}
