// Bytes that were written to buffers and that the GPU has not taken yet: bounded. Dawn keeps them in a ring of
// 4 MiB; whoever writes more before the GPU is done with it makes Dawn get another, fill it with zeros and let go
// of it again, which costs more than to wait.

import type { Communicator } from "./transport/communicator.ts";

/** Three chunks: of the ring's four, one may lie across its end. */
const mostBytes = 3 * 2 ** 20;
/** Less than this is not worth a submission of its own. */
const leastBytes = 2 ** 17;

export interface Uploads {
  /**
   * Takes room for bytes that are then written before anything else is awaited. Undefined where there is; else
   * resolves when it is worth another try.
   */
  take(bytes: number): Promise<void> | undefined;
  /** To be called when they are written: lets the driver begin with many bytes while the host goes on. */
  wrote(bytes: number): void;
}

/** @param meanwhile as of the rank's communicator */
export function createUploads(
  queue: Pick<GPUQueue, "submit" | "onSubmittedWorkDone">,
  meanwhile: Communicator["meanwhile"],
): Uploads {
  let outstanding = 0;
  let underWay: Promise<void>[] = [];
  return {
    take(bytes) {
      if (bytes < leastBytes) return undefined;
      // Whoever took the rest may be about to write.
      if (outstanding > 0 && outstanding + bytes > mostBytes)
        return underWay[0] ?? Promise.resolve();
      outstanding += bytes;
      return undefined;
    },
    wrote(bytes) {
      if (bytes < leastBytes) return;
      queue.submit([]);
      const over = (): void => {
        outstanding -= bytes;
        underWay = underWay.slice(1);
      };
      // In order. A lost device is reported elsewhere.
      underWay.push(meanwhile(queue.onSubmittedWorkDone()).then(over, over));
    },
  };
}
