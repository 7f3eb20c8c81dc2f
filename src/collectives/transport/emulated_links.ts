// Links slower than the machine's memory, for ranks that will not share a machine: no message is seen before a link
// of given latency and bandwidth would have brought it. Meanwhile the rank is free for other work, as beside a
// network card.

import type { SimulatedLink } from "../../program/simulate/link_cost.ts";
import type { Communicator, MailboxPlan, OutgoingMessage } from "./communicator.ts";

/** When a message was posted, at its end: ms of `nowMs`, which all ranks share. */
const stampBytes = 8;

/** What mailboxes must hold for `emulateLinks`. */
export function stamped(plans: readonly MailboxPlan[]): MailboxPlan[] {
  return plans.map((plan) => ({ ...plan, bytes: plan.bytes + stampBytes }));
}

/** As where steps are simulated: a rank takes in what comes one after the other, and sending is free. */
export function emulateLinks(
  communicator: Communicator,
  { latencyMs, bandwidth }: SimulatedLink,
): Communicator {
  /** The latest stretch of time in which the link carried bytes to this rank without a pause. */
  const busy = { fromMs: 0, untilMs: 0 };
  /** When a message has come, without the latency. One that is asked for late may have come before the stretch. */
  const carry = (postedMs: number, takesMs: number): number => {
    if (postedMs + takesMs <= busy.fromMs) return postedMs + takesMs;
    if (postedMs > busy.untilMs) busy.fromMs = postedMs;
    busy.untilMs = Math.max(busy.untilMs, postedMs) + takesMs;
    return busy.untilMs;
  };
  return {
    ...communicator,
    async reserve(channel, bytes) {
      return stamping(await communicator.reserve(channel, bytes + stampBytes), communicator.nowMs);
    },
    tryReserve(channel, bytes) {
      const message = communicator.tryReserve(channel, bytes + stampBytes);
      return message === undefined ? undefined : stamping(message, communicator.nowMs);
    },
    async receive(channel, source, ownBytes) {
      const { bytes: all, release } = await communicator.receive(channel, source);
      const bytes = all.subarray(0, all.length - stampBytes);
      const postedMs = stampOf(all).getFloat64(0);
      const takesMs = bandwidth === undefined ? 0 : (1000 * (ownBytes ?? bytes.length)) / bandwidth;
      await communicator.pause(carry(postedMs, takesMs) + latencyMs - communicator.nowMs());
      return { bytes, release };
    },
  };
}

function stamping({ bytes, post }: OutgoingMessage, nowMs: Communicator["nowMs"]): OutgoingMessage {
  return {
    bytes: bytes.subarray(0, bytes.length - stampBytes),
    post(readers) {
      stampOf(bytes).setFloat64(0, nowMs());
      post(readers);
    },
  };
}

function stampOf({ buffer, byteOffset, length }: Uint8Array<ArrayBuffer>): DataView {
  return new DataView(buffer, byteOffset + length - stampBytes, stampBytes);
}
