import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { napUsAfter, patiently } from "../../src/gpu/patience.ts";

test("naps grow with the time waited, between bounds", () => {
  expect([0, 10, 1000, 4000, 1e6].map(napUsAfter)).toEqual([10, 10, 100, 200, 1000]);
});

test("what is awaited comes through, and so does its error", async () => {
  expect(await patiently(Promise.resolve(7))).toBe(7);
  await expect(patiently(Promise.reject(new Error("lost")))).rejects.toThrow("lost");
});

test("whoever waits leaves the core most of the time", async () => {
  const before = process.cpuUsage();
  let over = false;
  const turning = (): void => {
    if (!over) setImmediate(turning);
  };
  turning();
  await patiently(setTimeout(300));
  over = true;
  const { user, system } = process.cpuUsage(before);
  // Of 300 ms, which a loop that turns without a pause takes whole.
  expect((user + system) / 1000).toBeLessThan(150);
});

test("other work of the thread goes on meanwhile", async () => {
  const order: string[] = [];
  const waiting = patiently(setTimeout(20)).then(() => order.push("awaited"));
  await setTimeout(5);
  order.push("other");
  await waiting;
  expect(order).toEqual(["other", "awaited"]);
});
