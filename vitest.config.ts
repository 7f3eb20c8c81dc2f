import { defineConfig } from "vitest/config";

// GPU suites run once per adapter, each in processes of its own: a process can open one adapter only.
const onAdapter = (adapter: string) => ({
  test: {
    name: adapter,
    include: ["test/**/*.gpu.test.ts"],
    env: { SHARDBENCH_TEST_ADAPTER: adapter },
    pool: "forks" as const,
    testTimeout: 600_000,
    hookTimeout: 300_000,
  },
});

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "cpu",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.gpu.test.ts"],
          pool: "forks",
          // Files share their process and its modules: importing them took a quarter of the suite's time.
          isolate: false,
          testTimeout: 300_000,
        },
      },
      onAdapter("swiftshader"),
      onAdapter("lavapipe"),
      onAdapter("gpu0"),
    ],
  },
});
