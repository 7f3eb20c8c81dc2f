// What the report says of overlap, beneath the table of each layer's communication.

import { expect, test } from "vitest";
import type { OverlapEffect } from "../../src/measure/overlap_effect.ts";
import { communicationSection } from "../../src/report/sections/communication.ts";
import { measured } from "../support/given.ts";
import { shownBlocks } from "../support/shown.ts";

function effect(changes: Partial<OverlapEffect> = {}): OverlapEffect {
  return {
    rounds: [],
    plainStepMs: measured(20, "ms", [19, 21]),
    stepMs: measured(18, "ms", [17, 19]),
    stepRatio: measured(0.9, "ratio", [0.85, 0.95]),
    communicationMs: measured(6, "ms", [5, 7]),
    hideableMs: measured(3, "ms", [2.5, 3.5]),
    exposedMs: measured(4, "ms", [3, 5]),
    hiddenMs: measured(2, "ms", [1, 3]),
    hiddenShare: measured(0.66, "share", [0.6, 0.7]),
    plainComputeMs: measured(10, "ms", [9, 11]),
    computeRatio: measured(1.01, "ratio", [0.9, 1.1]),
    ...changes,
  };
}

function told(overlapEffect?: OverlapEffect): string {
  const layer = { layer: "a/0.mlp", hiddenMs: measured(2, "ms"), exposedMs: measured(4, "ms") };
  const metrics = { communication: [layer] };
  const result = overlapEffect === undefined ? { metrics } : { metrics, overlapEffect };
  return shownBlocks(communicationSection(result)).join(" ").replaceAll(/\s+/g, " ");
}

test("how much of what could be hidden was, and that the step became faster", () => {
  const text = told(effect());
  expect(text).toContain(
    "6 ms of communication without overlap, of which 3 ms can be hidden: 2 ms were, 66.0 % (95 % within 60.0 … 70.0 %)",
  );
  expect(text).toContain(
    "overlap makes the step faster: 0.9 of the time without overlap (95 % within 0.85 … 0.95; 20 rounds in turn)",
  );
  expect(text).not.toContain("warning");
  expect(text).not.toContain("as long");
});

test("a warning where overlap made the step slower, even at the interval's good end", () => {
  const stepRatio = measured(1.1, "ratio", [1.01, 1.2]);
  expect(told(effect({ stepRatio }))).toContain(
    "warning: overlap made the step slower: 1.1 of the time without overlap (95 % within 1.01 … 1.2",
  );
});

test.each([
  [0.99, 1.01],
  [1, 1.2],
  [0.9, 1],
])("no clear difference where the interval holds 1: %s … %s", (low, high) => {
  const text = told(effect({ stepRatio: measured(1, "ratio", [low, high]) }));
  expect(text).toContain("overlap makes no clear difference: 1");
  expect(text).not.toContain("warning");
});

test("that communication slowed computing down, only where that is beyond doubt", () => {
  const slower = "the communication beside it made computing 1.3 times as long";
  expect(told(effect({ computeRatio: measured(1.3, "ratio", [1.1, 1.5]) }))).toContain(slower);
  expect(told(effect({ computeRatio: measured(1.3, "ratio", [1, 1.5]) }))).not.toContain(slower);
});

test("no share where nothing can be hidden", () => {
  const { hiddenShare: _, ...rest } = effect({ hideableMs: measured(0, "ms") });
  expect(told(rest)).toContain("of which 0 ms can be hidden: 2 ms were overlap makes");
});

test("nothing of overlap where the plan does not ask for it", () => {
  expect(told()).toContain("a/0.mlp");
  expect(told()).not.toContain("overlap");
});
