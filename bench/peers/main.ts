// `npm run bench:peers`: races Shardbench's kernels against other libraries' on one adapter.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism, cpus } from "node:os";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { discoverAdapters } from "../../src/gpu/discover.ts";
import { placeRanks } from "../../src/gpu/placement.ts";
import { type ContenderName, contenderNames, timingNotes } from "./contender.ts";
import type { ContenderClient } from "./contender_client.ts";
import { clockOf, figuresOf, type TaskFigures } from "./figures.ts";
import { race } from "./race.ts";
import { summaryTable, taskTable } from "./tables.ts";
import { nameOf, tasks } from "./tasks.ts";

const { values: options } = parseArgs({
  options: {
    adapter: { type: "string" },
    /** Part of a task's name; may be repeated. */
    only: { type: "string", multiple: true },
    contender: { type: "string", multiple: true },
    rounds: { type: "string", default: "9" },
    out: { type: "string" },
  },
});

const { adapters, refused } = await discoverAdapters();
const [adapter] = placeRanks(1, adapters, {
  ...(options.adapter === undefined ? {} : { adapter: options.adapter }),
  refused,
});
if (adapter === undefined) throw new Error("there is no adapter");
const { choice, device, driver } = adapter;
const names: readonly ContenderName[] = contenderNames.filter(
  (name) => name === "shardbench" || (options.contender ?? [name]).includes(name),
);
const wanted = tasks.filter((task) =>
  (options.only ?? [""]).some((part) => nameOf(task).includes(part)),
);

const per = choice.software ? "CPU-s" : "s";
const [cpu] = cpus();
const conditions = {
  adapter: choice.id,
  software: choice.software,
  device,
  driver,
  cpu: cpu?.model ?? "unknown",
  cores: availableParallelism(),
  node: process.version,
  date: new Date().toISOString(),
  versions: await versions(),
  rateClock: choice.software ? "CPU time of all threads of the contender's process" : "wall time",
  ratio: "a peer's time over Shardbench's in the same round; median, 95 % bootstrap interval",
  timing: timingNotes,
};
console.log(`${choice.id}: ${device}, ${driver}; ${conditions.cores} × ${conditions.cpu}`);
console.log(
  Object.entries(conditions.versions)
    .map((pair) => pair.join(" "))
    .join(", "),
);
console.log(
  `Rates by ${conditions.rateClock}; results checked against f64; ratios are ${conditions.ratio}.`,
);
for (const name of names) console.log(`  ${name}: ${timingNotes[name]}`);

const clients = new Map<ContenderName, ContenderClient>();
const figures: TaskFigures[] = [];
const rounds = Number(options.rounds);
for (const task of wanted) {
  const outcomes = await race(task, { choice, names, rounds }, clients);
  const one = figuresOf(task, outcomes, clockOf(choice.software));
  figures.push(one);
  console.log(`\n${taskTable(one, per).join("\n")}`);
}
for (const client of clients.values()) client.close();
console.log(`\n${summaryTable(figures).join("\n")}`);

if (options.out !== undefined) {
  await mkdir(dirname(options.out), { recursive: true });
  await writeFile(
    options.out,
    `${JSON.stringify({ ...conditions, tasks: figures }, undefined, 1)}\n`,
  );
}

async function versions(): Promise<Record<string, string>> {
  const here = createRequire(import.meta.url);
  const own = ["@jax-js/jax", "onnxruntime-node", "@tensorflow/tfjs-backend-webgpu"].map(
    (name) => [name, new URL(`node_modules/${name}/package.json`, import.meta.url)] as const,
  );
  const shared = [
    ["shardbench", new URL("../../package.json", import.meta.url)],
    ["webgpu", here.resolve("webgpu/package.json")],
  ] as const;
  return Object.fromEntries(
    await Promise.all(
      [...shared, ...own].map(async ([name, path]) => {
        const { version }: { version: string } = JSON.parse(await readFile(path, "utf8"));
        return [name, version] as const;
      }),
    ),
  );
}
