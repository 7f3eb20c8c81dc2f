// What a collective's bytes cost where nobody exchanges them: processes that only read back, upload or copy,
// all at the same time, as ranks would.

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { AdapterChoice } from "../src/gpu/adapter.ts";

/**
 * Of bytes, but round trips are counted. `copy` is the host's, `keep` the GPU's; `whole` reads and writes all at
 * once instead of in chunks.
 */
export type Action = "readback" | "upload" | "copy" | "keep" | "whole" | "roundTrips";

export interface Taken {
  /** Until the last of the processes is done. */
  readonly ms: number;
  /** CPU time of all of them, over all threads: what other load on the machine does not touch. */
  readonly cpuMs: number;
}

export interface TransfersAlone {
  time(processes: number, action: Action, amount: number): Promise<Taken>;
  close(): void;
}

const program = fileURLToPath(new URL("transfer_rank.js", import.meta.url));

/** @param bytes the most that any of them will be told to move */
export async function openTransfersAlone(
  choice: AdapterChoice,
  processes: number,
  bytes: number,
): Promise<TransfersAlone> {
  const children = Array.from({ length: processes }, () => fork(program, [], { execArgv: [] }));
  const ask = async (child: ChildProcess, message: object): Promise<Taken> =>
    new Promise((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`a process ended with ${code}`)));
      child.once("message", (taken: Taken) => {
        child.removeAllListeners("exit");
        resolve(taken);
      });
      child.send(message);
    });
  await Promise.all(children.map(async (child) => ask(child, { kind: "open", choice, bytes })));
  return {
    async time(count, action, amount) {
      const message = { kind: "act", action, amount };
      const chosen = children.slice(0, count);
      const taken = await Promise.all(chosen.map(async (child) => ask(child, message)));
      return {
        ms: Math.max(...taken.map(({ ms }) => ms)),
        cpuMs: taken.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
      };
    },
    close() {
      for (const child of children) child.disconnect();
    },
  };
}
