// Faults around a run, the slow ones too: how long until it ended, its exit code and what was kept. Prints the table.

import { expect, test } from "vitest";
import { allFaults } from "../test/faults/cases.ts";

test("faults", async () => {
  const rows: string[][] = [];
  let left = 0;
  for (const fault of allFaults) {
    const { command, seconds, code, kept, leftBehind, ranksLeft } = await fault.run();
    left += leftBehind.length + ranksLeft;
    const files = Object.entries(kept).map(([file, samples]) => `${file} (${samples} samples)`);
    rows.push([
      seconds.toFixed(1),
      code === null ? "killed" : String(code),
      fault.name,
      files.length === 0 ? "nothing" : files.join(", "),
      command.replace("--adapter swiftshader --no-tune ", ""),
    ]);
  }
  // A row is read as a line, however wide.
  const titles = ["seconds", "exit", "what happens", "kept", "command"];
  for (const cells of [titles, ...rows]) process.stdout.write(`${cells.join(" | ")}\n`);
  expect(left).toBe(0);
}, 3600_000);
