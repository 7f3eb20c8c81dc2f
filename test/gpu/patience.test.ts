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

/** How often the event loop turns meanwhile. */
async function turnsDuring(wait: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let over = false;
  const turn = (): void => {
    turns += 1;
    if (!over) setImmediate(turn);
  };
  turn();
  await wait();
  over = true;
  return turns;
}

test("whoever waits leaves the core most of the time: the loop hardly turns", async () => {
  const turning = await turnsDuring(async () => setTimeout(300));
  const napping = await turnsDuring(async () => patiently(setTimeout(300)));
  // A nap takes as long as tens to hundreds of turns.
  expect(turning / napping).toBeGreaterThan(4);
});

test("other work of the thread goes on meanwhile", async () => {
  const order: string[] = [];
  const other = new Promise<void>((resolve) => {
    setImmediate(() => {
      order.push("other");
      resolve();
    });
  });
  await patiently(other);
  order.push("awaited");
  expect(order).toEqual(["other", "awaited"]);
});
