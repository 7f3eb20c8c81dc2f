// Collectives that go on while the rank runs what follows them.

import type { Collective } from "../program/program.ts";
import { hostMs } from "../gpu/timestamps.ts";
import { createSpanRecorder } from "./span_recorder.ts";
import type { Activity, Segment } from "./spans.ts";

export interface Transfers {
  /** Runs up to the first thing that `run` awaits. */
  start(
    transfer: Collective,
    instruction: number,
    run: (tell: (activity: Activity) => void) => Promise<void>,
  ): void;
  /** Throws what the collective threw. */
  done(channel: number): Promise<void>;
  /** Throws where the program ends while a collective is under way. */
  refuseUnfinished(): void;
  /** What the host did for collectives that are over, each from its start to its end. */
  readonly segments: readonly Segment[];
}

interface UnderWay {
  readonly name: string;
  /** Settles, never rejects: what went wrong is thrown where the rank waits for it. */
  readonly outcome: Promise<{ readonly error?: unknown }>;
}

/** @param onTurn called whenever one turns to something else; says how many passes the GPU was given so far */
export function createTransfers(
  onTurn: (instruction: number, activity: Activity) => number,
): Transfers {
  const underWay = new Map<number, UnderWay>();
  const segments: Segment[] = [];

  return {
    segments,
    start({ channel, name }, instruction, run) {
      if (underWay.has(channel)) throw new Error(`"${name}" is started while it is under way`);
      const recorder = createSpanRecorder(hostMs);
      const tell = (activity: Activity): void =>
        recorder.enter(activity, instruction, onTurn(instruction, activity));
      const outcome = async (): Promise<{ readonly error?: unknown }> => {
        try {
          tell("host");
          await run(tell);
          return {};
        } catch (error) {
          return { error };
        } finally {
          segments.push(...recorder.finish());
        }
      };
      underWay.set(channel, { name, outcome: outcome() });
    },
    async done(channel) {
      const transfer = underWay.get(channel);
      if (transfer === undefined) throw new Error(`nothing was started on channel ${channel}`);
      const outcome = await transfer.outcome;
      underWay.delete(channel);
      if ("error" in outcome) throw outcome.error;
    },
    refuseUnfinished() {
      for (const { name } of underWay.values()) {
        throw new Error(`the step ends while "${name}" is under way`);
      }
    },
  };
}
