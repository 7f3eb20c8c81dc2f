import { expect, test } from "vitest";
import { findClockOffset } from "../../src/gpu/clock_offset.ts";

/** A GPU whose clock shows `offset` ms less than the host's; waits before and after a pass vary. */
function gpuBehind(offset: number) {
  const waits = [3, 1, 0.5, 2, 0.25, 4, 1, 1];
  let now = 1000;
  return () => {
    const hostBeforeMs = now;
    const gpuBeginMs = now + (waits[0] ?? 0) - offset;
    const gpuEndMs = gpuBeginMs + 1;
    waits.push(waits.shift() ?? 0);
    now = gpuEndMs + offset + (waits[2] ?? 0);
    return Promise.resolve({ hostBeforeMs, gpuBeginMs, gpuEndMs, hostAfterMs: now });
  };
}

test("a clock that may be the host's own is left alone", async () => {
  expect(await findClockOffset(gpuBehind(0))).toBe(0);
});

test.each([123_456, -987])(
  "an offset of %i ms is found within the shortest wait",
  async (offset) => {
    const found = await findClockOffset(gpuBehind(offset));
    expect(Math.abs(found - offset)).toBeLessThanOrEqual(0.25);
  },
);
