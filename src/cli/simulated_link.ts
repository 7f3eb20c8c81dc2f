// The link that transfers are projected over, where nothing measured them.

import { EnvironmentError } from "../environment_error.ts";
import type { ProjectedLink } from "../harness/projection.ts";
import { formatNumber, formatValue } from "../measure/format.ts";
import type { Plan } from "../plan/plan.ts";
import { linkCondition } from "../report/sections/projection.ts";
import { readLink } from "../result/link_file.ts";

interface LinkFlags {
  /** Of `collectives --json`. */
  readonly links?: string;
  /** Bytes per second. */
  readonly linkBandwidth?: number;
  /** ms */
  readonly latency?: number;
}

/** As given, else as the plan's hardware says. @throws EnvironmentError where neither tells, and ranks exchange anything */
export async function linkOf({ hardware }: Plan, flags: LinkFlags): Promise<ProjectedLink> {
  if (flags.links !== undefined) {
    const model = await readLink(flags.links);
    return { model, condition: linkCondition(model) };
  }
  const bandwidth = flags.linkBandwidth ?? hardware.linkBandwidth;
  const latencyMs = flags.latency ?? 0;
  if (bandwidth === undefined) {
    if (hardware.gpus === 1) return { model: { latencyMs }, condition: "nothing is transferred" };
    throw new EnvironmentError(
      "missing-feature",
      "a browser times kernels, and no transfers between ranks",
      "say what the links are: --link-bandwidth 10GB/s and --latency 5us, or --links FILE of `shardbench collectives send --json`",
    );
  }
  return {
    model: { latencyMs, bandwidth },
    condition: `transfers by a link of ${formatNumber(1000 * latencyMs)} µs and ${formatValue(bandwidth, "B/s")}`,
  };
}
