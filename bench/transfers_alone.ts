// What a collective's bytes cost where nobody exchanges them: processes that only read back, upload or copy,
// all at the same time, as ranks would.

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { AdapterChoice } from "../src/gpu/adapter.ts";

/** Bytes, but round trips are counted; `whole` reads and writes all at once instead of in chunks. */
export type Action = "readback" | "upload" | "copy" | "whole" | "roundTrips";

export interface TransfersAlone {
  /** Ms until the last of that many processes is done. */
  time(processes: number, action: Action, amount: number): Promise<number>;
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
  const ask = async (child: ChildProcess, message: object): Promise<number> =>
    new Promise((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`a process ended with ${code}`)));
      child.once("message", ({ ms }: { ms: number }) => {
        child.removeAllListeners("exit");
        resolve(ms);
      });
      child.send(message);
    });
  await Promise.all(children.map(async (child) => ask(child, { kind: "open", choice, bytes })));
  return {
    async time(count, action, amount) {
      const message = { kind: "act", action, amount };
      const chosen = children.slice(0, count);
      return Math.max(...(await Promise.all(chosen.map(async (child) => ask(child, message)))));
    },
    close() {
      for (const child of children) child.disconnect();
    },
  };
}
