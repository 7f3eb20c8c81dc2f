// What a page that runs a plan says before it has run anything.

import type { Described } from "../program/describe_plan.ts";
import { paragraph, type Report } from "./section.ts";
import { planLine } from "./sections/plan_line.ts";
import { whoDoesWhatSection } from "./sections/who_does_what.ts";

export function browserPageReport(described: Described): Report {
  return {
    title: [planLine(described.plan)],
    sections: [
      {
        title: "What the button does",
        blocks: [
          paragraph(
            "All ranks of the plan run on this device's adapter, with the shaders, the program and the collectives of a run. " +
              "Each kernel's result is held in f64 against what it read, and the whole result against the f64 reference. Then " +
              "every kernel is timed by itself, and what the device reaches at best is measured.",
          ),
        ],
      },
      whoDoesWhatSection(described),
    ],
  };
}
