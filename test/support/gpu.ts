// The adapter that a GPU suite runs on, named by SHARDBENCH_TEST_ADAPTER; skipped in sight when absent.

import { describe } from "vitest";
import type { AdapterChoice } from "../../src/gpu/adapter.ts";
import { discoverAdapters } from "../../src/gpu/discover.ts";
import type { LogicalGpu } from "../../src/gpu/logical_gpu.ts";
import { openGpu } from "../../src/gpu/open.ts";

const id = process.env["SHARDBENCH_TEST_ADAPTER"] ?? "swiftshader";

async function findChoice(): Promise<AdapterChoice | string> {
  const { adapters, refused } = await discoverAdapters();
  return (
    adapters.find(({ choice }) => choice.id === id)?.choice ??
    refused.find((one) => one.id === id)?.reason ??
    `no ${id} on this machine`
  );
}

const found = await findChoice();
let opened: Promise<LogicalGpu> | undefined;

/** The suite's GPU, opened once per test file. */
export function testGpu(): Promise<LogicalGpu> {
  opened ??= openGpu(testAdapter());
  return opened;
}

/** How to open the suite's adapter, in this process or another. */
export function testAdapter(): AdapterChoice {
  if (typeof found === "string") throw new Error(found);
  return found;
}

/** A suite that needs the adapter; its skipped line says why there is none. */
export function describeOnAdapter(name: string, suite: () => void): void {
  if (typeof found === "string") describe.skip(`${name} (${found})`, suite);
  else describe(`${name} on ${id}`, suite);
}
