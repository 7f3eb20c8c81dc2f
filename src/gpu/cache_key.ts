// What must be the same for a figure of an adapter to be believed again.

import { availableParallelism, cpus, hostname } from "node:os";
import { shardbenchVersion, webgpuVersion } from "../package_versions.ts";
import type { AdapterReport } from "./adapter.ts";
import type { CacheKey } from "./cache_file.ts";

/**
 * The adapter, its driver, and the programs that use it. The machine too: home directories are shared
 * between machines, and a software adapter is as fast as the cores it runs on.
 */
export function adapterCacheKey(report: AdapterReport): CacheKey {
  return {
    adapter: report.choice.name,
    ordinal: report.choice.ordinal,
    loader: report.choice.loader,
    vendor: report.vendor,
    architecture: report.architecture,
    device: report.device,
    driver: report.driver,
    features: report.features.join(" "),
    shardbench: shardbenchVersion(),
    webgpu: webgpuVersion(),
    host: hostname(),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
  };
}
