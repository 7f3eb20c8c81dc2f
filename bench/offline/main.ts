// All figures of one adapter within a given time, unattended: each part a process of its own, each result on
// disk as soon as it is there. Needs the built package with its production dependencies, and nothing else.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { limitOf } from "./budget.ts";
import type { Outcome } from "./part.ts";
import { parts } from "./parts.ts";
import { reportLines } from "./report.ts";
import { printedBy, runPart } from "./run_part.ts";

const begin = performance.now();
const { values } = parseArgs({
  options: {
    adapter: { type: "string", default: "gpu0" },
    out: { type: "string" },
    minutes: { type: "string", default: "8.5" },
  },
});
const minutes = Number(values.minutes);
if (values.out === undefined || !(minutes > 0)) {
  console.error("usage: main.js --out FOLDER [--adapter gpu0] [--minutes 8.5]");
  process.exit(64);
}
const out = resolve(values.out);
mkdirSync(out, { recursive: true });
// What earlier runs kept must not take part.
const cache = mkdtempSync(join(tmpdir(), "shardbench-cache-"));
const environment = { ...process.env, XDG_CACHE_HOME: cache, NO_COLOR: "1" };
const stopped = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => stopped.abort());
}

const head = {
  adapter: values.adapter,
  date: new Date().toISOString(),
  minutes,
  machine:
    `${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? "an unknown CPU"}, ` +
    `${process.platform} ${release()}, Node ${process.version}`,
};
const outcomes: Outcome[] = [];
const printed = new Map<string, string>();
for (const [index, part] of parts.entries()) {
  const weights = parts.slice(index).map(({ weight }) => weight);
  const limitMs = limitOf(60_000 * minutes - (performance.now() - begin), weights);
  const { name, title } = part;
  if (limitMs === undefined || stopped.signal.aborted) {
    const reason = stopped.signal.aborted ? "the run was stopped" : "no time was left";
    outcomes.push({ name, title, state: "not begun", reason, seconds: 0, limitSeconds: 0 });
  } else {
    console.log(`${clock()}  ${title}: up to ${(limitMs / 1000).toFixed(0)} s`);
    const options = { adapter: head.adapter, out, limitMs, environment, signal: stopped.signal };
    outcomes.push(await runPart(part, options));
    printed.set(name, readFileSync(printedBy(part, out), "utf8"));
  }
  const { state, reason, seconds = 0 } = outcomes.at(-1) ?? {};
  console.log(
    `${clock()}  ${title}: ${state} after ${seconds.toFixed(1)} s${reason === undefined ? "" : `: ${reason}`}`,
  );
  writeFileSync(join(out, "outcomes.json"), `${JSON.stringify({ ...head, outcomes }, null, 1)}\n`);
  const report = reportLines(head, parts, outcomes, printed);
  writeFileSync(join(out, "report.md"), `${report.join("\n")}\n`);
}
rmSync(cache, { recursive: true, force: true });
console.log(`${clock()}  ${join(out, "report.md")} has all of it`);
process.exitCode = outcomes.some(({ state }) => state === "failed") ? 2 : 0;

function clock(): string {
  return `${((performance.now() - begin) / 1000).toFixed(0).padStart(4)} s`;
}
