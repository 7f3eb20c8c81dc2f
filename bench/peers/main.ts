// `npm run bench:peers`: races Shardbench's kernels against other libraries' on one adapter.

import { parseArgs } from "node:util";
import { discoverAdapters } from "../../src/gpu/discover.ts";
import { placeRanks } from "../../src/gpu/placement.ts";
import { conditionsOf, writeResults } from "../results.ts";
import { type ContenderName, contenderNames, ownNames } from "./contender.ts";
import type { ContenderClient } from "./contender_client.ts";
import { clockOf, figuresOf, type TaskFigures } from "./figures.ts";
import { drawTasks } from "./draw.ts";
import { race } from "./race.ts";
import { introduction, kindsTable, summaryTable, taskTable } from "./tables.ts";
import { nameOf, type Task, tasks } from "./tasks.ts";

const { values: options } = parseArgs({
  options: {
    /** As `shardbench adapters` lists them. */
    adapter: { type: "string" },
    /** Shapes drawn at random of each kind of task, besides the list. */
    shapes: { type: "string", default: "30" },
    /** Of the draw; the same seed gives the same shapes. */
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    /** Part of a task's name; may be repeated. */
    only: { type: "string", multiple: true },
    /** A peer; may be repeated. */
    contender: { type: "string", multiple: true },
    rounds: { type: "string", default: "9" },
    /** Path of the results without its ending: .md and .json are written. */
    out: { type: "string" },
  },
});

const { adapters, refused } = await discoverAdapters();
const [adapter] = placeRanks(1, adapters, {
  ...(options.adapter === undefined ? {} : { adapter: options.adapter }),
  refused,
});
if (adapter === undefined) throw new Error("there is no adapter");
const { choice } = adapter;
const names: readonly ContenderName[] = contenderNames.filter(
  (name) => ownNames.includes(name) || (options.contender ?? [name]).includes(name),
);
const isWanted = (task: Task): boolean =>
  (options.only ?? [""]).some((part) => nameOf(task).includes(part));
const seed = Number(options.seed);
const drawn = drawTasks(seed, Number(options.shapes)).filter(isWanted);

const packages = ["@jax-js/jax", "onnxruntime-node", "@tensorflow/tfjs-backend-webgpu"];
const conditions = await conditionsOf(
  adapter,
  Object.fromEntries(
    packages.map((name) => [name, new URL(`node_modules/${name}/package.json`, import.meta.url)]),
  ),
);
const rateClock = choice.software
  ? "CPU time of all threads of a contender's process"
  : "wall time";
const lines: string[] = [];
function print(...more: readonly string[]): void {
  lines.push(...more);
  console.log(more.join("\n"));
}
print(...introduction(conditions, names, rateClock), "");
print(`Shapes drawn at random: ${drawn.length}, seed ${seed}.`, "");

const clients = new Map<ContenderName, ContenderClient>();
const figures: TaskFigures[] = [];
for (const task of [...tasks.filter(isWanted), ...drawn]) {
  const outcomes = await race(task, { choice, names, rounds: Number(options.rounds) }, clients);
  const one = figuresOf(task, outcomes, clockOf(choice.software));
  figures.push(one);
  print(...taskTable(one, choice.software ? "CPU-s" : "s"), "");
}
for (const client of clients.values()) client.close();
print(...summaryTable(figures), "");
print(...kindsTable(figures.filter(({ task }) => drawn.includes(task))));

if (options.out !== undefined) {
  const text = lines.join("\n");
  await writeResults(options.out, "peers", conditions, text, { rateClock, seed, tasks: figures });
}
