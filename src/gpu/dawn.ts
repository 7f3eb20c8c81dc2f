// How this program asks Dawn for an adapter.

import type { AdapterChoice } from "./adapter.ts";
import { messageOf } from "./message_of.ts";

/** The one of Dawn's backends that we use on this platform. */
function dawnBackend(platform: NodeJS.Platform): string {
  return ({ darwin: "metal", win32: "d3d12" } as Record<string, string>)[platform] ?? "vulkan";
}

/**
 * Loads Dawn, and its classes and constants into the global scope, as in a browser. Keep the result
 * referenced as long as anything of it is in use: dropped early, Dawn's next callback crashes the process;
 * kept longer, Node does not exit.
 */
export async function createDawn(flags: readonly string[]): Promise<GPU> {
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  return create([
    // Without clamping of indices, which costs a third of the time on software adapters: our shaders stay
    // within their buffers by themselves, which the kernel tests check with buffers between guards.
    "enable-dawn-features=allow_unsafe_apis,disable_robustness",
    // Else timestamps move in steps of 100 µs.
    "disable-dawn-features=timestamp_quantization",
    ...flags,
  ]);
}

/** Flags that select the adapter; of several equal names Dawn takes the first. */
export function adapterFlags({ name }: Pick<AdapterChoice, "name">): string[] {
  return [`backend=${dawnBackend(process.platform)}`, `adapter=${name}`];
}

/** Names of all adapters that Dawn accepts, in its order, equal ones repeated. */
export async function listAdapterNames(): Promise<string[]> {
  const backend = dawnBackend(process.platform);
  const dawn = await createDawn([`backend=${backend}`, "adapter=(none of them)"]);
  try {
    await dawn.requestAdapter();
    return [];
  } catch (cause) {
    // The binding has no call for this, but its refusal lists them.
    const lines = messageOf(cause).matchAll(/backend: '([^']*)', name: '(.*)'/g);
    return [...lines].filter(([, of]) => of === backend).map(([, , name]) => name ?? "");
  }
}
