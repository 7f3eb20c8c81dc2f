// The adapter that a GPU suite runs on, named by SHARDBENCH_TEST_ADAPTER; skipped in sight when absent.

import { existsSync } from "node:fs";
import { describe } from "vitest";
import type { AdapterChoice } from "../../src/gpu/adapter.ts";
import type { LogicalGpu } from "../../src/gpu/logical_gpu.ts";
import { openGpu } from "../../src/gpu/open.ts";

const id = process.env["SHARDBENCH_TEST_ADAPTER"] ?? "swiftshader";

const lavapipeManifest = "/usr/share/vulkan/icd.d/lvp_icd.json";

function findChoice(): AdapterChoice | undefined {
  switch (id) {
    case "swiftshader":
      return { id, name: "SwiftShader", software: true, loader: "embedded", ordinal: 0 };
    case "lavapipe":
      return existsSync(lavapipeManifest)
        ? {
            id,
            name: "llvmpipe",
            software: true,
            loader: "system",
            driverManifest: lavapipeManifest,
            ordinal: 0,
          }
        : undefined;
    default:
      return undefined;
  }
}

const choice = findChoice();
let opened: Promise<LogicalGpu> | undefined;

/** The suite's GPU, opened once per test file. */
export function testGpu(): Promise<LogicalGpu> {
  if (choice === undefined) throw new Error(`adapter ${id} is not on this machine`);
  opened ??= openGpu(choice);
  return opened;
}

/** A suite that needs the adapter; its skipped line says which one was missing. */
export function describeOnAdapter(name: string, suite: () => void): void {
  if (choice === undefined) describe.skip(`${name} (no ${id} on this machine)`, suite);
  else describe(`${name} on ${id}`, suite);
}
