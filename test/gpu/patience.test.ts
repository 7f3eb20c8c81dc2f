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

test("other work of the thread goes on meanwhile", async () => {
  const order: string[] = [];
  const waiting = patiently(setTimeout(20)).then(() => order.push("awaited"));
  await setTimeout(5);
  order.push("other");
  await waiting;
  expect(order).toEqual(["other", "awaited"]);
});
