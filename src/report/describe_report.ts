// Who does what: a picture and the tables that go with it.

import type { Described } from "../program/describe_plan.ts";
import { planPicture } from "./drawing/plan_picture.ts";
import { verbatim, type Report } from "./section.ts";
import { flowSection } from "./sections/flow.ts";
import { gpuLoadSection } from "./sections/gpu_load.ts";
import { hardwareSection } from "./sections/hardware.ts";
import { planLine } from "./sections/plan_line.ts";

export function describeReport(described: Described): Report {
  return {
    title: [planLine(described.plan)],
    sections: [
      hardwareSection(described.plan),
      { blocks: [verbatim(planPicture(described))] },
      gpuLoadSection(described),
      flowSection(described.estimate.collectives),
    ],
  };
}
