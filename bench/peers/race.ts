// One task, all contenders: checked first, then timed in turns.

import type { AdapterChoice } from "../../src/gpu/adapter.ts";
import { messageOf } from "../../src/gpu/message_of.ts";
import { checkOf, type Verdict } from "./check.ts";
import type { ContenderName } from "./contender.ts";
import { type ContenderClient, type Sample, startContender } from "./contender_client.ts";
import type { Task } from "./tasks.ts";

export type Outcome =
  | { readonly state: "raced"; readonly verdict: Verdict; readonly samples: readonly Sample[] }
  | { readonly state: "wrong"; readonly verdict: Verdict }
  | { readonly state: "failed"; readonly reason: string }
  /** It has no way to compute the task. */
  | { readonly state: "absent" };

export interface RaceOptions {
  readonly choice: AdapterChoice;
  readonly names: readonly ContenderName[];
  /** At most; fewer, but five, where a round takes long. */
  readonly rounds: number;
}

// Long enough for the clock and for what a submission costs.
const sampleMs = 60;
const leastRounds = 5;
const raceMs = 60_000;

interface Racer {
  readonly client: ContenderClient;
  readonly verdict: Verdict;
  readonly samples: Sample[];
  readonly repeats: number;
}

/** Contenders are started where they are not running; `clients` keeps them from task to task. */
export async function race(
  task: Task,
  { choice, names, rounds }: RaceOptions,
  clients: Map<ContenderName, ContenderClient>,
): Promise<Map<ContenderName, Outcome>> {
  const check = checkOf(task);
  const outcomes = new Map<ContenderName, Outcome>();
  const racers: Racer[] = [];
  let roundMs = 0;
  for (const name of names) {
    await orFailed(name, outcomes, async () => {
      let client = clients.get(name);
      if (client?.alive() !== true) {
        client = await startContender(name, choice);
        clients.set(name, client);
      }
      const { result } = await client.ask({ kind: "prepare", task });
      const verdict = result === undefined ? undefined : check(result);
      if (verdict === undefined) {
        outcomes.set(name, { state: "absent" });
      } else if (verdict.wrong !== undefined) {
        outcomes.set(name, { state: "wrong", verdict });
        await client.ask({ kind: "release" });
      } else {
        const repeats = repeatsOf(await timed(client, 1));
        roundMs += (await timed(client, repeats)).wallMs * repeats;
        racers.push({ client, verdict, samples: [], repeats });
      }
    });
  }

  const affordable = Math.min(rounds, Math.max(leastRounds, Math.floor(raceMs / roundMs)));
  for (let round = 0; round < affordable; round += 1) {
    // Everybody goes first in turn.
    const first = round % Math.max(1, racers.length);
    for (const racer of [...racers.slice(first), ...racers.slice(0, first)]) {
      const { client, samples, repeats } = racer;
      await orFailed(client.name, outcomes, async () => {
        samples.push(await timed(client, repeats));
      });
    }
  }
  for (const { client, verdict, samples } of racers) {
    await orFailed(client.name, outcomes, async () => {
      await client.ask({ kind: "release" });
      outcomes.set(client.name, { state: "raced", verdict, samples });
    });
  }
  return new Map(
    names.flatMap((name) => {
      const outcome = outcomes.get(name);
      return outcome === undefined ? [] : [[name, outcome] as const];
    }),
  );
}

/** Where others take the cores, CPU time is a small part of wall time; but its clock may have ticked too rarely to show. */
function repeatsOf({ wallMs, cpuMs }: Sample): number {
  const busyMs = Math.max(cpuMs, wallMs / 4);
  return Math.max(1, Math.ceil(sampleMs / Math.min(wallMs, busyMs)));
}

/** Whoever fails, or whose process ends, is out of the race, which goes on. */
async function orFailed(
  name: ContenderName,
  outcomes: Map<ContenderName, Outcome>,
  act: () => Promise<void>,
): Promise<void> {
  if (outcomes.get(name)?.state === "failed") return;
  try {
    await act();
  } catch (error) {
    outcomes.set(name, { state: "failed", reason: messageOf(error) });
  }
}

async function timed(client: ContenderClient, repeats: number): Promise<Sample> {
  const { sample } = await client.ask({ kind: "run", repeats });
  if (sample === undefined) throw new Error(`${client.name} ran and gave no time`);
  return sample;
}
