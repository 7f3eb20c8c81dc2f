// Faults around a run: it ends, says so by its exit code, keeps what it measured, and leaves nothing behind. Needs a
// process file system and `script`, to give a run a terminal; needs `npm run build` first.

import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as cases from "./cases.ts";
import type { Ended, Fault } from "./fault.ts";

const isPossible = process.platform === "linux" && existsSync("/usr/bin/script");

/** Nothing half-written and no rank stays, whatever happened. */
async function endOf(fault: Fault): Promise<Ended> {
  const ended = await fault.run();
  expect({ leftBehind: ended.leftBehind, ranksLeft: ended.ranksLeft }).toEqual({
    leftBehind: [],
    ranksLeft: 0,
  });
  return ended;
}

function each(faults: readonly Fault[]) {
  return faults.map((fault): [string, Fault] => [fault.name, fault]);
}

describe.skipIf(!isPossible)("a run, when", () => {
  test("nothing happens, ends with 0 and its result", async () => {
    const { code, kept } = await endOf(cases.control);
    expect({ code, kept }).toEqual({ code: 0, kept: { "r.json": 6 } });
  });

  test.each(each([...cases.signals, cases.signalTwice]))("%s: keeps samples", async (_, fault) => {
    const { code, kept, stdout } = await endOf(fault);
    expect(code).toBe(130);
    expect(kept["r.json"]).toBeGreaterThan(0);
    expect(stdout).toContain("Interrupted: ");
    expect(stdout).toContain("Result file: r.json");
  });

  test("collectives is interrupted: prints the sizes it has", async () => {
    const { code, stdout } = await endOf(cases.collectivesInterrupted);
    expect(code).toBe(130);
    expect(stdout).toMatch(/^ +8 .*\r?\n +32 /m);
    expect(stdout).toContain("Interrupted: ");
  });

  test("tune is interrupted: keeps the variants it has, and says so", async () => {
    const { code, stdout } = await endOf(cases.tuneInterrupted);
    expect(code).toBe(130);
    expect(stdout).toMatch(/Interrupted: [1-9]\d* kernel shapes? kept/);
  });

  test("it is interrupted beside a complete result: that stays", async () => {
    const { code, kept } = await endOf(cases.interruptedBesideComplete);
    expect(code).toBe(130);
    expect(kept["r.json"]).toBe(6);
    expect(kept["r.partial.json"]).toBeGreaterThan(0);
  });

  test("its terminal is closed: keeps samples", async () => {
    const { kept } = await endOf(cases.terminalGone);
    expect(kept["r.json"]).toBeGreaterThan(0);
  });

  test.each(each([cases.errorGone, cases.readerGone]))("%s: goes on", async (_, fault) => {
    const { code, kept } = await endOf(fault);
    expect({ code, kept }).toEqual({ code: 0, kept: { "r.json": 6 } });
  });

  test("standard output is full: says it in a line, and keeps its result", async () => {
    const [run] = cases.outputFull;
    const { code, kept, stderr } = await endOf(run ?? cases.control);
    expect({ code, kept }).toEqual({ code: 2, kept: { "r.json": 6 } });
    expect(stderr).toMatch(/^cannot write to standard output: ENOSPC.*\n$/);
  });

  test("its result goes to a full device: prints its report all the same", async () => {
    const { code, kept, stdout, stderr } = await endOf(cases.resultFull);
    expect({ code, kept }).toEqual({ code: 2, kept: {} });
    expect(stdout).toMatch(/^step +[\d.]+ m?s /m);
    expect(stderr).toContain("file-not-writable");
  });

  test.each(each(cases.resultTaken))("%s: is refused before it measures", async (_, fault) => {
    const { code, kept, stdout, stderr } = await endOf(fault);
    expect({ code, kept, stdout }).toEqual({ code: 2, kept: {}, stdout: "" });
    expect(stderr).toContain("file-not-writable");
  });

  test("a rank is killed: names it, and keeps samples", async () => {
    const { code, kept, stdout } = await endOf(cases.rankKilled);
    expect(code).toBe(2);
    expect(stdout.replaceAll(/\s+/g, " ")).toContain("rank 1 (swiftshader) was killed by SIGKILL");
    expect(kept["r.json"]).toBeGreaterThan(0);
  });

  test.each(each([cases.coordinatorKilled, cases.coordinatorKilledWithRankStopped]))(
    "%s: its ranks end",
    async (_, fault) => {
      expect((await endOf(fault)).ranksLeft).toBe(0);
    },
  );
});

describe.skipIf(!isPossible)("a command, when", () => {
  test("standard output is full: ends with 2 and one line", async () => {
    const [, check] = cases.outputFull;
    const { code, stderr } = await endOf(check ?? cases.control);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^cannot write to standard output: ENOSPC.*\n$/);
  });

  test.each(each(cases.badFiles))("it is given %s: names the file", async (_, fault) => {
    const { code, stderr } = await endOf(fault);
    expect(code).toBe(2);
    expect(stderr).toMatch(/given\.txt|\/dev\/zero/);
  });
});
