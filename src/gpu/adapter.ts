// One way to reach a GPU: which Vulkan loader and driver, and which of the adapters they show.

import type { SubgroupMatrix } from "../kernels/kernel.ts";

/** Everything a rank process needs to open the adapter again. Plain data: it crosses processes. */
export interface AdapterChoice {
  /** What `--adapter` takes: `swiftshader`, `lavapipe`, or `gpu0`, `gpu1`, … for hardware. */
  readonly id: string;
  /** Dawn's name of it. */
  readonly name: string;
  readonly software: boolean;
  /** `embedded`: the loader and driver of the npm package; `system`: the machine's own. */
  readonly loader: "embedded" | "system";
  /** Vulkan driver manifest to restrict the loader to. */
  readonly driverManifest?: string;
  /** Which of several adapters of the same name. */
  readonly ordinal: number;
  /** Which PCI device that is, in the form that DRI_PRIME takes; present where names do not tell. */
  readonly pciTag?: string;
}

/** What an opened adapter says of itself. */
export interface AdapterReport {
  readonly choice: AdapterChoice;
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly driver: string;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly subgroupSize?: { readonly min: number; readonly max: number };
  /** Those of floating-point numbers; absent without `chromium-experimental-subgroup-matrix`. */
  readonly subgroupMatrices?: readonly SubgroupMatrix[];
}
