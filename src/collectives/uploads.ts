// Bytes that were written to buffers and that the GPU has not taken yet: bounded. Dawn keeps them in a ring of
// 4 MiB; whoever writes more before the GPU is done with it makes Dawn get another, fill it with zeros and let go
// of it again, which costs more than to wait.

/** Three chunks: of the ring's four, one may lie across its end. */
const mostBytes = 3 * 2 ** 20;
/** Less than this is not worth a submission of its own. */
const leastBytes = 2 ** 17;

export interface Uploads {
  /** Undefined where so many bytes can be written at once; else resolves when it is worth another look. */
  room(bytes: number): Promise<void> | undefined;
  /** To be called after writing: lets the driver begin with bytes, if they are many, while the host goes on. */
  begin(bytes: number): void;
}

export function createUploads(queue: Pick<GPUQueue, "submit" | "onSubmittedWorkDone">): Uploads {
  let outstanding = 0;
  let underWay: Promise<void>[] = [];
  return {
    room: (bytes) => (outstanding + bytes > mostBytes ? underWay[0] : undefined),
    begin(bytes) {
      if (bytes < leastBytes) return;
      queue.submit([]);
      outstanding += bytes;
      const over = (): void => {
        outstanding -= bytes;
        underWay = underWay.slice(1);
      };
      // In order. A lost device is reported elsewhere.
      underWay.push(queue.onSubmittedWorkDone().then(over, over));
    },
  };
}
