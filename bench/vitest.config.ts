import { defineConfig } from "vitest/config";

// One process per adapter, one after the other: they would compete for the cores.
function onAdapter(adapter: string) {
  return {
    test: {
      name: adapter,
      include: [
        "bench/choices.ts",
        "bench/kernels.ts",
        "bench/growth.ts",
        "bench/collectives.ts",
        "bench/extrapolation.ts",
        "bench/overlap.ts",
        "bench/phases.ts",
        "bench/pipelines.ts",
        "bench/projection.ts",
        "bench/recompute.ts",
        "bench/separation.ts",
        "bench/soak.ts",
        "bench/steps.ts",
        "bench/verdicts.ts",
        "bench/waiting.ts",
      ],
      env: {
        SHARDBENCH_TEST_ADAPTER: adapter,
        // Else lavapipe finds its pipelines compiled from the second run on.
        MESA_SHADER_CACHE_DISABLE: "true",
      },
      pool: "forks" as const,
      testTimeout: 600_000,
      hookTimeout: 60_000,
    },
  };
}

export default defineConfig({
  test: {
    maxWorkers: 1,
    disableConsoleIntercept: true,
    projects: [
      {
        test: {
          name: "host",
          include: [
            "bench/faults.ts",
            "bench/gate.ts",
            "bench/gradients.ts",
            "bench/host.ts",
            "bench/mpi.ts",
            "bench/mutations.ts",
            "bench/snapshots.ts",
            "bench/startup.ts",
          ],
          pool: "forks",
          testTimeout: 600_000,
        },
      },
      onAdapter("swiftshader"),
      onAdapter("lavapipe"),
      onAdapter("gpu0"),
    ],
  },
});
