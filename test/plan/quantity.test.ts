import { expect, test } from "vitest";
import { bytesText, parseBandwidth, parseBytes, parseFlops } from "../../src/plan/quantity.ts";

test.each([
  ["16MiB", 16 * 2 ** 20],
  ["16 MiB", 16 * 2 ** 20],
  ["64GB", 64e9],
  ["64GiB", 64 * 2 ** 30],
  ["21.7GB", 21.7e9],
  ["512B", 512],
  ["1.5KiB", 1536],
])("%s is %i bytes", (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});

test.each(["", "16", "16Mi", "16 iB", "MiB", "-1MB", "1e999GB", "16MB/s", "16MiBs"])(
  "%j is no number of bytes",
  (text) => {
    expect(parseBytes(text)).toBeUndefined();
  },
);

test("FLOP/s and bytes per second have their own units", () => {
  expect(parseFlops("67TFLOPS")).toBe(67e12);
  expect(parseFlops("67 TFLOP/s")).toBe(67e12);
  expect(parseFlops("67TB")).toBeUndefined();
  expect(parseBandwidth("50GB/s")).toBe(50e9);
  expect(parseBandwidth("50GB")).toBeUndefined();
});

test("bytes are shown in the larger unit that fits", () => {
  expect(bytesText(999)).toBe("999 B");
  expect(bytesText(16 * 2 ** 20)).toBe("16 MiB");
  expect(bytesText(21.7e9, "decimal")).toBe("21.7 GB");
});
