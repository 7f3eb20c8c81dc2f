// The main program of a thread that reads batches ahead: told what to read from, then batch by batch, it answers with what
// the rank's instructions read.

import { parentPort } from "node:worker_threads";
import { EnvironmentError } from "../environment_error.ts";
import { batchesOf } from "./batches.ts";
import type { ThreadData, ThreadReply } from "./read_ahead.ts";

parentPort?.once("message", ({ source, loads }: ThreadData) => {
  const batches = batchesOf(source);
  parentPort?.on("message", (batch: number) => {
    try {
      const inputs = new Map(
        [...loads].map(([index, content]) => [index, batches.ids(content, batch)] as const),
      );
      const moved = [...inputs.values()].map(({ buffer }) => buffer);
      parentPort?.postMessage({ batch, inputs } satisfies ThreadReply, moved);
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      const { message, hint } = error;
      parentPort?.postMessage({ batch, message, hint } satisfies ThreadReply);
    }
  });
});
