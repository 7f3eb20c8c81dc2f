// The visitor's adapter.

import { EnvironmentError } from "../environment_error.ts";
import type { LogicalGpu } from "../gpu/logical_gpu.ts";
import { openAdapter } from "../gpu/open_adapter.ts";
import { softwareIdOf } from "../gpu/software_names.ts";
import { browserGpu } from "./document.ts";

/**
 * @param clock `gpu` for what is timed one by one; browsers round such times to 0.1 ms, which is too coarse for a step's
 * @throws EnvironmentError where the browser has no WebGPU, or no adapter for it
 */
export async function openBrowserGpu(clock: "gpu" | "host"): Promise<LogicalGpu> {
  const gpu = browserGpu();
  if (gpu === undefined) {
    throw new EnvironmentError(
      "missing-feature",
      "this browser has no WebGPU",
      "use a recent Chrome, Edge, Safari or Firefox, and open the page as a file or over HTTPS",
    );
  }
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) {
    throw new EnvironmentError(
      "no-adapter",
      "this browser gives no adapter",
      "its settings or its list of blocked drivers may keep WebGPU from the GPU; chrome://gpu tells in Chrome",
    );
  }
  const { vendor, architecture, device, description } = adapter.info;
  const name = [vendor, architecture, device, description].filter((part) => part !== "").join(" ");
  const software = softwareIdOf(name) !== undefined;
  return openAdapter(
    { id: "browser", name, software, loader: "system", ordinal: 0 },
    adapter,
    clock === "gpu" ? [] : ["timestamp-query"],
  );
}
