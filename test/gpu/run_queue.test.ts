import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { createRunQueueClock } from "../../src/gpu/run_queue.ts";

/** Says that it has begun, and is ready to run ever after. */
const busy = 'process.stdout.write("x"); for (;;);';

// Only Linux counts it, and pins processes with `taskset`.
describe.skipIf(process.platform !== "linux")("what a process waited for a core", () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });
  const startBusy = async (): Promise<ChildProcess> => {
    const child = spawn("taskset", ["-c", "0", process.execPath, "-e", busy]);
    children.push(child);
    await once(child.stdout, "data");
    return child;
  };

  test("grows while another process is on the only core that it may use", async () => {
    const [first] = await Promise.all([startBusy(), startBusy()]);
    const clock = createRunQueueClock(first?.pid);
    expect(clock.queuedMs()).toBe(0);
    let queuedMs = 0;
    while (queuedMs < 50) {
      await setTimeout(10);
      queuedMs += clock.queuedMs();
    }
    clock.reset();
    expect(clock.queuedMs()).toBe(0);
  });

  test("does not grow while it is stopped", async () => {
    const [first] = await Promise.all([startBusy(), startBusy()]);
    first?.kill("SIGSTOP");
    await setTimeout(100);
    const clock = createRunQueueClock(first?.pid);
    clock.queuedMs();
    await setTimeout(300);
    expect(clock.queuedMs()).toBe(0);
  });

  test("is nothing of a process that is gone", () => {
    const clock = createRunQueueClock(undefined);
    expect([clock.queuedMs(), clock.queuedMs()]).toEqual([0, 0]);
  });
});
