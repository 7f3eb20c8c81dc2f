// One line on a terminal that says what a run is doing; nothing in a pipe.

import type { Progress } from "../harness/run_options.ts";
import { formatNumber } from "../measure/format.ts";

export interface ProgressLine {
  readonly show: (progress: Progress) => void;
  /** Takes the line away; call it before anything else is written. */
  readonly clear: () => void;
}

const names: Readonly<Record<Progress["phase"], string>> = {
  adapters: "looking for adapters",
  ranks: "starting ranks",
  tune: "tuning kernels",
  check: "checking the numbers",
  calibrate: "calibrating",
  "warm-up": "warming up",
  measure: "measuring",
  contexts: "timing contexts",
  overlap: "comparing with no overlap",
  project: "timing each rank alone",
  analyze: "analyzing",
};

export function progressLine(stream: {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}): ProgressLine {
  if (stream.isTTY !== true) return { show: () => undefined, clear: () => undefined };
  const wipe = "\r\u001B[2K";
  return {
    show: (progress) => stream.write(wipe + textOf(progress)),
    clear: () => stream.write(wipe),
  };
}

function textOf({ phase, done, total, run, runs, medianMs, leftMs }: Progress): string {
  const which = run === undefined ? "" : `run ${run} of ${runs}: `;
  const count = done === undefined ? "" : ` ${done}${total === undefined ? "" : `/${total}`}`;
  const found = medianMs === undefined ? "" : `, median ${formatNumber(medianMs)} ms`;
  const left = leftMs === undefined ? "" : `, ${Math.ceil(leftMs / 1000)} s left`;
  return `${which}${names[phase]}${count}${found}${left}`;
}
