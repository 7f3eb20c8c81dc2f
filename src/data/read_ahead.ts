// The thread that reads batches ahead, as its rank sees it.

import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { EnvironmentError } from "../environment_error.ts";
import type { TokenSource } from "../program/token_source.ts";
import type { IdsContent } from "../program/content.ts";

/** What instructions read of each batch, by index. */
export type Loads = ReadonlyMap<number, IdsContent>;

export interface ReadAhead {
  begin(batch: number, next: number): void;
  take(index: number): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>;
}

/** The first message. */
export interface ThreadData {
  readonly source: TokenSource & { readonly path: string };
  readonly loads: Loads;
}

/** By index of instruction, or why it cannot be read. */
export type ThreadReply = { readonly batch: number } & (
  | { readonly inputs: ReadonlyMap<number, Uint32Array<ArrayBuffer>> }
  | { readonly message: string; readonly hint: string }
);

type Inputs = Extract<ThreadReply, { readonly inputs: unknown }>["inputs"];

/** A batch that was asked for. */
interface Reading {
  readonly batch: number;
  /** Once it is there: whoever takes it then does not have to give way. */
  inputs?: Inputs;
  readonly read: Promise<Inputs>;
}

/** Found beside the command line's own files: threads start from few files, as ranks do. */
const threadProgram = fileURLToPath(new URL("../../dist/cli/loader.js", import.meta.url));

export function createReadAhead(source: ThreadData["source"], loads: Loads): ReadAhead {
  const worker = new Worker(threadProgram);
  worker.postMessage({ source, loads } satisfies ThreadData);
  // A rank ends when it is told to, whatever its threads do.
  worker.unref();
  const waiting: { resolve(inputs: Inputs): void; reject(error: unknown): void }[] = [];
  worker.on("message", (reply: ThreadReply) => {
    const first = waiting.shift();
    if ("inputs" in reply) first?.resolve(reply.inputs);
    else first?.reject(new EnvironmentError("data-refused", reply.message, reply.hint));
  });
  let failed: { readonly error: unknown } | undefined;
  worker.on("error", (error) => {
    failed = { error };
    for (const each of waiting.splice(0)) each.reject(error);
  });
  const ask = (batch: number): Reading => {
    const read = new Promise<Inputs>((resolve, reject) => {
      // A thread that has ended answers nothing.
      if (failed === undefined) waiting.push({ resolve, reject });
      else reject(failed.error);
    });
    const reading: Reading = { batch, read };
    // Whoever takes it hears of a fault.
    read.then(
      (inputs) => (reading.inputs = inputs),
      () => undefined,
    );
    worker.postMessage(batch);
    return reading;
  };
  let current: Reading | undefined;
  let ahead: Reading | undefined;
  return {
    begin(batch, next) {
      current = ahead?.batch === batch ? ahead : ask(batch);
      ahead = ask(next);
    },
    take(index) {
      if (current === undefined) throw new Error("no step has begun");
      const { inputs, read } = current;
      return inputs === undefined
        ? read.then((found) => bytesOf(found, index))
        : bytesOf(inputs, index);
    },
  };
}

function bytesOf(inputs: Inputs, index: number): Uint8Array<ArrayBuffer> {
  const ids = inputs.get(index);
  if (ids === undefined) throw new Error(`instruction ${index} has no ids in the batch`);
  return new Uint8Array(ids.buffer);
}
