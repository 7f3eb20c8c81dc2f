import { expect, test } from "vitest";
import type { ContenderName } from "../../bench/peers/contender.ts";
import type { ContenderClient } from "../../bench/peers/contender_client.ts";
import { drawTasks } from "../../bench/peers/draw.ts";
import { race } from "../../bench/peers/race.ts";
import { nameOf } from "../../bench/peers/tasks.ts";

/** Of one number, whose softmax is 1. The process ends in the run after `runs`. */
function client(name: ContenderName, runs: number): ContenderClient {
  let left = runs;
  return {
    name,
    ask: async ({ kind }) => {
      if (left < 0) throw new Error("its process has ended");
      if (kind === "prepare") return { result: Float32Array.of(1) };
      if (kind === "release") return {};
      left -= 1;
      if (left < 0) throw new Error("its process ended (SIGSEGV)");
      return { sample: { wallMs: 100, cpuMs: 100 } };
    },
    alive: () => left >= 0,
    close: () => undefined,
  };
}

test("a peer whose process ends in a timed round is out, and the race goes on", async () => {
  const clients = [client("shardbench-tuned", 100), client("jax-js", 4), client("tfjs", 100)];
  const names = clients.map(({ name }) => name);
  const outcomes = await race(
    { op: "softmax", rows: 1, columns: 1 },
    {
      choice: { id: "none", name: "none", software: true, loader: "embedded", ordinal: 0 },
      names,
      rounds: 6,
    },
    new Map(clients.map((one) => [one.name, one])),
  );
  expect(outcomes.get("jax-js")).toEqual({
    state: "failed",
    reason: "its process ended (SIGSEGV)",
  });
  for (const name of ["shardbench-tuned", "tfjs"] as const) {
    expect(outcomes.get(name)).toMatchObject({ state: "raced", samples: { length: 6 } });
  }
});

test("shapes are drawn anew by every seed and alike by the same", () => {
  const names = (seed: number) => drawTasks(seed, 30).map(nameOf);
  expect(names(1)).toEqual(names(1));
  expect(names(1)).not.toEqual(names(2));
});

test("30 shapes of each kind, of few rows and whole sizes", () => {
  const tasks = drawTasks(7, 30);
  expect(tasks).toHaveLength(180);
  for (const task of tasks) {
    const sizes = Object.values(task).filter((size) => typeof size === "number");
    expect(sizes.filter((size) => !Number.isInteger(size) || size < 1)).toEqual([]);
  }
  const rows = tasks.flatMap((task) => (task.op === "matmul" ? [task.m] : []));
  const rowsOfExperts = tasks.flatMap((task) => (task.op === "experts" ? [task.rows] : []));
  expect([rows.length, rowsOfExperts.length]).toEqual([30, 30]);
  expect(Math.max(...rows)).toBeLessThanOrEqual(8);
  expect(Math.max(...rowsOfExperts)).toBeLessThanOrEqual(32);
});
