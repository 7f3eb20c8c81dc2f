// Faults around a run, the slow ones too: how long until it ended, its exit code and what was kept. Prints the table.

import { expect, test } from "vitest";
import { plain } from "../src/report/colour.ts";
import { table } from "../src/report/table.ts";
import { allFaults } from "../test/faults/cases.ts";

test("faults", async () => {
  const rows: string[][] = [];
  let left = 0;
  for (const fault of allFaults) {
    const { command, seconds, code, kept, leftBehind, ranksLeft } = await fault.run();
    left += leftBehind.length + ranksLeft;
    const files = Object.entries(kept).map(([file, samples]) => `${file} (${samples} samples)`);
    rows.push([
      fault.name,
      command.replace("--adapter swiftshader --no-tune ", "… "),
      seconds.toFixed(1),
      code === null ? "–" : String(code),
      files.length === 0 ? "–" : files.join(", "),
    ]);
  }
  const lines = table(
    [
      { title: "what happens", align: "left" },
      { title: "command", align: "left" },
      { title: "seconds" },
      { title: "exit" },
      { title: "kept", align: "left" },
    ],
    rows.map((cells) => ({ cells })),
    plain,
  );
  process.stdout.write(`\n${lines.join("\n")}\n`);
  expect(left).toBe(0);
}, 3600_000);
