// The way out of a GPU: what was copied to the staging buffer becomes visible to the host.

import type { CollectiveContext } from "./context.ts";

/**
 * Submits the batch, waits until the GPU has done it, and lets `use` see the first `bytes` bytes of the
 * staging buffer. The view is gone when `use` ends.
 */
export async function readStaging(
  context: CollectiveContext,
  staging: GPUBuffer,
  bytes: number,
  use: (view: Uint8Array<ArrayBuffer>) => Promise<void> | void,
): Promise<void> {
  context.submit();
  context.enter("readback");
  await staging.mapAsync(GPUMapMode.READ, 0, bytes);
  context.enter("host");
  context.check();
  await use(new Uint8Array(staging.getMappedRange(0, bytes)));
  staging.unmap();
}

/** Writes a message that is already on the host, waiting for a free mailbox. */
export async function postBytes(
  context: CollectiveContext,
  channel: number,
  readers: readonly number[],
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  context.enter("wait");
  const mailbox = await context.communicator.reserve(channel, bytes.length);
  context.enter("move");
  mailbox.set(bytes);
  context.communicator.post(channel, readers);
  context.enter("host");
}
