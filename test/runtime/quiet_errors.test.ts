// What a process writes to the descriptor of standard error itself, as Dawn does, once it is filtered.

import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const module = resolve("dist/runtime/quiet_errors.js");
const notice = "Warning: maxBuffers artificially reduced from 9 to 8.";

function errorsOf(...script: readonly string[]): string {
  const { stderr } = spawnSync(
    process.execPath,
    ["--input-type=module", "-e", [`import { writeSync } from "node:fs";`, ...script].join("\n")],
    { encoding: "utf8" },
  );
  return stderr;
}

const filtered = [
  `const { filterDawnsNotices } = await import("${module}");`,
  "await filterDawnsNotices();",
];
const written = `writeSync(2, "before\\n${notice}\\nafter\\n");`;

test("control: without a filter the notice is there", () => {
  expect(errorsOf(written)).toBe(`before\n${notice}\nafter\n`);
});

test("the notice is left out, and all else is there", () => {
  expect(errorsOf(...filtered, written)).toBe("before\nafter\n");
});

test("the last words of a process that is killed are there", () => {
  const killed = `process.kill(process.pid, "SIGKILL");`;
  expect(errorsOf(...filtered, written, killed)).toBe("before\nafter\n");
});
