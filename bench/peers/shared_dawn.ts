// The adapter for peers that look for it where a browser has it.

import type { AdapterChoice } from "../../src/gpu/adapter.ts";
import { adapterFlags, createDawn } from "../../src/gpu/dawn.ts";
import { bindToDriver } from "../../src/gpu/vulkan_driver.ts";

/**
 * Gives this process a `navigator.gpu` that knows the one adapter: the same Dawn, driver and flags as
 * Shardbench's own. Must run before the peer is imported.
 */
export async function provideNavigator(choice: AdapterChoice): Promise<void> {
  await bindToDriver(choice);
  const gpu = await createDawn(adapterFlags(choice));
  Object.defineProperty(globalThis, "navigator", {
    value: { gpu, userAgent: "Node", hardwareConcurrency: 1 },
    configurable: true,
  });
}
