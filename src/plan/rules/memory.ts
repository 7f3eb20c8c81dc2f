// A rule on memory that needs no more than the plan says.

import { formatBytes } from "../quantity.ts";
import { type Rule, warning } from "./rule.ts";

const gibibyte = 2 ** 30;

/** A GPU of less than 1 GiB exists nowhere, and holds no model. */
export const memoryIsRealistic: Rule = ({ hardware: { memoryPerGpu } }) =>
  memoryPerGpu === undefined || memoryPerGpu >= gibibyte
    ? []
    : [
        warning(
          "memory-unrealistic",
          ["hardware", "memoryPerGpu"],
          `${formatBytes(memoryPerGpu)} per GPU severely limits the model and the batch`,
          "raise it to 8–32 GiB, depending on the GPU",
        ),
      ];
