// Figures of the hardware that a command takes: as given, else as an earlier run calibrated them, else as the
// plan's hardware says.

import { isPrinted } from "../plan/hardware.ts";
import { InvalidArgumentError, type Command } from "commander";
import type { Ceiling } from "../measure/ceiling.ts";
import type { Plan } from "../plan/plan.ts";
import { parseBandwidth, parseFlops } from "../plan/quantity.ts";
import type { Peaks } from "../program/bound.ts";

export interface PeakFlags {
  readonly peakFlops?: number;
  readonly bandwidth?: number;
  readonly linkBandwidth?: number;
}

/** Option value in bytes per second. */
export function bandwidthOfLink(text: string): number {
  return rate(parseBandwidth, "50GB/s")(text);
}

export function addPeakOptions(command: Command): Command {
  return command
    .option("--peak-flops <rate>", "of one GPU, such as 67TFLOPS", rate(parseFlops, "67TFLOPS"))
    .option(
      "--bandwidth <rate>",
      "of one GPU's memory, such as 3TB/s",
      rate(parseBandwidth, "3TB/s"),
    )
    .option("--link-bandwidth <rate>", "between two GPUs, such as 50GB/s", bandwidthOfLink);
}

function rate(parse: (text: string) => number | undefined, example: string) {
  return (text: string): number => {
    const value = parse(text) ?? Number(text);
    if (text.trim() !== "" && Number.isFinite(value) && value > 0) return value;
    throw new InvalidArgumentError(`A rate above zero is needed, such as ${example}.`);
  };
}

export interface GivenPeaks {
  readonly peaks?: Peaks;
  /** In a phrase. */
  readonly source: string;
}

/** @param result file of an earlier run */
export async function peaksOf(
  { hardware }: Plan,
  flags: PeakFlags,
  result?: string,
): Promise<GivenPeaks> {
  const calibrated = result === undefined ? undefined : await fastest(result);
  const flops = flags.peakFlops ?? calibrated?.flops ?? hardware.peakFlops;
  const bandwidth = flags.bandwidth ?? calibrated?.bandwidth ?? hardware.memoryBandwidth;
  const linkBandwidth = flags.linkBandwidth ?? hardware.linkBandwidth;
  const source =
    flags.peakFlops !== undefined
      ? "as given"
      : calibrated !== undefined
        ? `as calibrated in ${result}`
        : sourceOf(hardware);
  if (flops === undefined) return { source };
  return {
    source,
    peaks: {
      flops,
      ...(bandwidth === undefined ? {} : { bandwidth }),
      ...(linkBandwidth === undefined ? {} : { linkBandwidth }),
    },
  };
}

function sourceOf(hardware: Plan["hardware"]): string {
  return isPrinted(hardware, "peakFlops")
    ? `of ${hardware.gpu} (${hardware.sources?.peakFlops})`
    : "as the plan's hardware says";
}

/** Of several adapters the fastest of each kind: a bound must not be above what any of them can do. */
async function fastest(file: string): Promise<Peaks | undefined> {
  const [{ readCalibration }, { memoryCeiling }] = await Promise.all([
    import("../harness/earlier_result.ts"),
    import("../measure/ceiling.ts"),
  ]);
  const calibration = await readCalibration(file);
  if (calibration.length === 0) return undefined;
  const best = (ceilings: readonly (Ceiling | undefined)[]): number =>
    Math.max(...ceilings.map((ceiling) => ceiling?.figure.value ?? 0));
  return {
    flops: best(calibration.map(({ ceilings }) => ceilings.f32)),
    bandwidth: best(calibration.map(({ ceilings }) => memoryCeiling(ceilings))),
  };
}
