import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import {
  coresIn,
  processIn,
  readCpuTimes,
  timeOfFamily,
  timesOfCores,
} from "../../src/harness/cpu_times.ts";

const stat = `cpu  1110 0 0 8890 0 0 0 0 0 0
cpu0 100 10 20 800 40 5 5 20 90 0
cpu1 10 0 0 990 0 0 0 0 0 0
cpu10 1000 0 0 0 0 0 0 0 0 0
intr 5 6 7
`;

test("all cores together, when no core is named", () => {
  expect(timesOfCores(stat, undefined)).toEqual({ busy: 1150, stolen: 20, total: 3000 });
});

test("only cores that the run may use, and a guest's time once", () => {
  expect(timesOfCores(stat, new Set([0]))).toEqual({ busy: 140, stolen: 20, total: 1000 });
  expect(timesOfCores(stat, new Set([1, 10]))).toEqual({ busy: 1010, stolen: 0, total: 2000 });
});

test("a list of cores has ranges and single ones", () => {
  expect(coresIn("Name:\tnode\nCpus_allowed_list:\t0-2,8\n")).toEqual(new Set([0, 1, 2, 8]));
  expect(coresIn("Name:\tnode\n")).toBeUndefined();
});

test("a process's name may hold brackets and blanks", () => {
  const line = "42 (a) (b c) S 7 42 42 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 11 0 5 6 7";
  expect(processIn(line)).toEqual({ pid: 42, parent: 7, ticks: 127 });
});

test("a family is a process and all that descend from it, in whatever order they are listed", () => {
  const of = (pid: number, parent: number, ticks: number) => ({ pid, parent, ticks });
  const all = [of(3, 9, 1), of(9, 5, 10), of(5, 1, 100), of(1, 0, 1000), of(6, 1, 10_000)];
  expect(timeOfFamily(5, all)).toBe(111);
  expect(timeOfFamily(6, all)).toBe(10_000);
});

test.runIf(process.platform === "linux")(
  "the time of a child counts as ours while it runs and after it ended",
  async () => {
    const before = readCpuTimes();
    const child = spawn(process.execPath, ["-e", "for (let i = 0; i < 3e8; i += 1);"]);
    await once(child, "exit");
    const after = readCpuTimes();
    const own = (after?.own ?? 0) - (before?.own ?? 0);
    expect(own).toBeGreaterThan(0);
    expect(after?.total).toBeGreaterThan(before?.total ?? Infinity);
    expect(after?.busy).toBeGreaterThan(before?.busy ?? Infinity);
  },
);
