// How many GPUs a server is shown, where the text says it.

import type { Invocation } from "./invocation.ts";
import { listedDevices } from "./launch/launch.ts";

const variables = ["CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"] as const;

export function visibleGpus({ environment, launch }: Invocation): number | undefined {
  const listed = variables
    .map((name) => environment(name))
    .find((word) => word !== undefined && word.unknown === undefined);
  return (listed && listedDevices(listed.text)) ?? launch.gpus?.count;
}
