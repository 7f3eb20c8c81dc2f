import { describe, expect, test } from "vitest";
import type { RankPosition } from "../../src/runtime/messages.ts";
import { type BusyRank, findHang } from "../../src/runtime/watchdog.ts";

const patience = { hangMs: 1000, gpuHangMs: 5000 };

function busy(
  rank: number,
  activity: RankPosition["activity"],
  stillMs: number,
  silentMs = 0,
): BusyRank {
  return { rank, position: { activity, turns: 1 }, silentMs, stillMs };
}

describe("a rank hangs", () => {
  test.each<[string, BusyRank[], number]>([
    ["that is not heard", [busy(0, "wait", 0), busy(1, "host", 0, 1001)], 1],
    ["that does not move on", [busy(0, "wait", 2000), busy(1, "host", 1001)], 1],
    ["whose GPU takes longer than any kernel may", [busy(1, "readback", 5001)], 1],
    ["that was asked for something and has not begun", [busy(0, "idle", 5001)], 0],
    ["whose driver does not open", [busy(0, "wait", 9), busy(1, "drain", 5001)], 1],
    ["when all wait for each other", [busy(0, "wait", 1001), busy(2, "wait", 1500)], 0],
  ])("%s", (_, ranks, hung) => {
    expect(findHang(ranks, patience)?.rank).toBe(hung);
  });
});

describe("no rank hangs", () => {
  test.each<[string, BusyRank[]]>([
    ["when nothing was asked", []],
    ["at the limit of patience", [busy(0, "host", 1000, 1000)]],
    ["while another computes for it", [busy(0, "wait", 4000), busy(1, "drain", 4000)]],
    ["while one of those that wait has just begun to", [busy(0, "wait", 4000), busy(1, "wait", 9)]],
    ["that begins late", [busy(0, "idle", 5000)]],
  ])("%s", (_, ranks) => {
    expect(findHang(ranks, patience)).toBeUndefined();
  });
});
