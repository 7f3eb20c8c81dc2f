import { expect, test } from "vitest";
import { withoutDawnsNotices } from "../../src/gpu/dawn_notices.ts";

const notice =
  "Warning: maxDynamicUniformBuffersPerPipelineLayout artificially reduced from 500000 to 16 to fit dynamic offset allocation limit.";

test("control: what else is written to standard error stays as it is", () => {
  const words = "vk: no memory\n  at vkAllocateMemory\n";
  expect(withoutDawnsNotices(words)).toBe(words);
});

test("a notice that nobody can act upon is left out, its neighbours are not", () => {
  expect(withoutDawnsNotices(`before\n${notice}\n${notice}\nafter`)).toBe("before\nafter");
});
