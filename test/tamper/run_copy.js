// Runs plans with the product in one folder, in a process of its own; says for each whether it passed, or why not.
//
// Input, as JSON on standard input: { folder, adapter, runs: [{ plan, check, timed }] }. Output: a line of JSON for
// each run, { caught, by }. Only the gate catches: what stops a run otherwise is told, and is no catch.

import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const { folder, adapter, runs } = JSON.parse(await text(process.stdin));
const { runPlan } = await import(pathToFileURL(`${folder}/dist/index.js`).href);

for (const { plan, check, timed } of runs) {
  const how = timed ? { samples: 3, warmup: 1 } : { numericsOnly: true };
  let outcome;
  try {
    const result = await runPlan(plan, { adapter, check, tune: false, ...how });
    outcome =
      result.outcome.state === "complete"
        ? { caught: false, by: "" }
        : { caught: false, by: `stopped: ${result.outcome.message ?? result.outcome.state}` };
  } catch (error) {
    outcome = { caught: error?.name === "NumericsError", by: `${error?.name}: ${error?.message}` };
  }
  console.log(JSON.stringify(outcome));
}
