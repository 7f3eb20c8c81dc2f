// The adapter that a GPU suite runs on, named by SHARDBENCH_TEST_ADAPTER; skipped in sight when absent.

import { basename, delimiter } from "node:path";
import { describe } from "vitest";
import type { AdapterChoice } from "../../src/gpu/adapter.ts";
import { discoverAdapters } from "../../src/gpu/discover.ts";
import { findDriverManifests } from "../../src/gpu/driver_manifests.ts";
import { hasEmbeddedAdapter } from "../../src/gpu/embedded_platform.ts";
import { unpackEmbeddedAdapter } from "../../src/gpu/embedded_adapter.ts";
import type { LogicalGpu } from "../../src/gpu/logical_gpu.ts";
import { openGpu } from "../../src/gpu/open.ts";

const id = process.env["SHARDBENCH_TEST_ADAPTER"] ?? "swiftshader";

function isLavapipe(path: string): boolean {
  return basename(path).startsWith("lvp");
}

/** The choice, or why there is none. Looks no further than it must: every suite does it anew. */
async function findChoice(): Promise<AdapterChoice | string> {
  if (id === "swiftshader") {
    return unpackEmbeddedAdapter().then(
      () => ({ id, name: "SwiftShader", software: true, loader: "embedded", ordinal: 0 }),
      (error: Error) => error.message,
    );
  }
  const manifests = (await findDriverManifests(process.env)).filter(
    (path) => isLavapipe(path) === (id === "lavapipe"),
  );
  const missing = `no ${id} on this machine`;
  if (manifests.length === 0 && process.platform === "linux") return missing;
  const environment = { ...process.env, VK_DRIVER_FILES: manifests.join(delimiter) };
  const { adapters, refused } = await discoverAdapters(environment);
  return (
    adapters.find(({ choice }) => choice.id === id)?.choice ??
    refused.find((one) => one.id === id)?.reason ??
    missing
  );
}

const found = await findChoice();
let opened: Promise<LogicalGpu> | undefined;

/** What `--adapter` takes for it. */
export function adapterUnderTest(): string {
  return id;
}

/** The suite's GPU, opened once per test file. */
export function testGpu(): Promise<LogicalGpu> {
  if (typeof found === "string") throw new Error(found);
  opened ??= openGpu(found);
  return opened;
}

const hasBoth = hasEmbeddedAdapter() && (await findDriverManifests(process.env)).some(isLavapipe);

/**
 * Of whole plans, whose kernels are tried on every adapter by themselves: where the machine has both software adapters,
 * each takes every other one.
 */
export function shareOf<T>(cases: readonly T[]): T[] {
  const own = { swiftshader: 0, lavapipe: 1 }[id];
  return cases.filter((_, i) => !hasBoth || own === undefined || i % 2 === own);
}

/** A suite that needs the adapter; its skipped line says why there is none. */
export function describeOnAdapter(name: string, suite: () => void): void {
  describeUnless(typeof found === "string" ? found : undefined, name, suite);
}

/** A suite of what hosts do, whatever computes: it is not tried on lavapipe too where SwiftShader tries it. */
export function describeOnOneAdapter(name: string, suite: () => void): void {
  const elsewhere = id === "lavapipe" && hasEmbeddedAdapter();
  const reason = "not a matter of adapters: tried on swiftshader";
  describeUnless(elsewhere ? reason : typeof found === "string" ? found : undefined, name, suite);
}

function describeUnless(missing: string | undefined, name: string, suite: () => void): void {
  const where = missing === undefined ? `on ${id}` : `(${missing})`;
  describe.skipIf(missing !== undefined)(`${name} ${where}`, () => {
    suite();
  });
}
