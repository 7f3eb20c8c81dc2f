// Of rows that are sorted by expert, those in use have to be written, and no others.

import { expect, test } from "vitest";
import type { KernelInstruction } from "../../../src/program/program.ts";
import { thorough } from "../../../src/runtime/check/effort.ts";
import { checkWritten } from "../../../src/runtime/check/poison.ts";
import { usedBytes } from "../../../src/runtime/check/used_rows.ts";
import type { CheckView } from "../../../src/runtime/check/view.ts";
import { originOf } from "../../collectives/small_programs.ts";

const activate: KernelInstruction = {
  op: "kernel",
  origin: originOf("test/0.moe"),
  dtype: "f32",
  kernel: "activate",
  shape: { rows: 8, columns: 4, activation: "silu", grouped: { experts: 2, expectedRows: 4 } },
  buffers: ["x", "offsets", "y"],
};

/** Whether all is well where so many rows are in use, and so many were written. */
async function isAccepted(used: number, written: number): Promise<boolean> {
  const y = new Uint32Array(8 * 4).fill(0xffff_ffff).fill(0, 0, written * 4);
  const buffers: Record<string, Uint8Array<ArrayBuffer>> = {
    y: new Uint8Array(y.buffer),
    offsets: new Uint8Array(Uint32Array.from([0, 1, used]).buffer),
  };
  const view: CheckView = {
    rank: 0,
    bytesOf: (id) => buffers[id]?.length ?? 0,
    dtypeOf: () => "f32",
    async read(id, ranges) {
      const own = buffers[id] ?? new Uint8Array();
      const [{ offset, bytes } = { offset: 0, bytes: 0 }] = ranges;
      return own.slice(offset, offset + bytes);
    },
    compute: async () => undefined,
    before: () => undefined,
    pause: async () => {},
    random: () => 0,
    effort: { ...thorough, scannedWords: 1000 },
  };
  const { worst } = await checkWritten(view, "y", "f32", await usedBytes(activate, view));
  return worst === 0;
}

test("control: rows that are not in use stay as they were", async () => {
  expect(await isAccepted(5, 5)).toBe(true);
  expect(await isAccepted(0, 0)).toBe(true);
});

test("a row in use that was not written is seen", async () => {
  expect(await isAccepted(5, 4)).toBe(false);
});
