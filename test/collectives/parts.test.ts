// What a collective's time is charged to.

import { expect, test } from "vitest";
import type { CollectiveContext, HostActivity } from "../../src/collectives/context.ts";
import { createParts } from "../../src/collectives/parts.ts";

function recorded() {
  const activities: HostActivity[] = [];
  const context: Partial<CollectiveContext> = {
    enter: (activity) => activities.push(activity),
    submit: () => 1,
  };
  return { activities, parts: createParts(context as CollectiveContext) };
}

test("a part that awaits a message before it did anything waits for other ranks", () => {
  expect(recorded().activities).toEqual(["wait"]);
});

test("what is done at once is charged to itself, the time after it to waiting", () => {
  const { activities, parts } = recorded();
  expect(parts.during("move", () => 7)).toBe(7);
  expect(parts.submit()).toBe(1);
  expect(activities).toEqual(["wait", "move", "wait", "host", "wait"]);
});

test("what fails is over, too", () => {
  const { activities, parts } = recorded();
  expect(() =>
    parts.during("upload", () => {
      throw new Error("lost");
    }),
  ).toThrow("lost");
  expect(activities.at(-1)).toBe("wait");
});
