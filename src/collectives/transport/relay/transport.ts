// Messages through the coordinator, over the processes' IPC channel: slow, and right anywhere.

import type { Transport } from "../transport.ts";
import { createRelayCommunicator } from "./communicator.ts";
import { createHub } from "./hub.ts";
import { relayMessageOf } from "./message.ts";

export const relay: Transport = {
  isAvailable: () => true,
  coordinate({ ranks, tell }) {
    const handOn = createHub(ranks, tell);
    return { notes: [], hear: (message) => handOn(relayMessageOf(message)), close() {} };
  },
  join({ rank, ranks, mailboxes, tell }) {
    const communicator = createRelayCommunicator({ rank, ranks, mailboxes, send: tell });
    return { communicator, hear: (message) => communicator.deliver(relayMessageOf(message)) };
  },
};
