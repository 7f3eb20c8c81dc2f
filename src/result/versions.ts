// The versions of everything that has a say in a figure.

import { availableParallelism, cpus, release } from "node:os";
import { shardbenchVersion, webgpuVersion } from "../package_versions.ts";
import type { Versions } from "./result.ts";

export function readVersions(): Versions {
  return {
    shardbench: shardbenchVersion(),
    node: process.versions.node,
    webgpu: webgpuVersion(),
    os: `${process.platform} ${release()} ${process.arch}`,
    cpu: `${availableParallelism()} × ${cpus()[0]?.model.trim() || "unknown"}`,
  };
}
