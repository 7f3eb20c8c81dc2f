// The coordinator's part where ranks cannot share memory: it hands their messages on.

import type { RelayMessage } from "./message.ts";

/** Takes what any rank sent, and sends to those whom it concerns. */
export function createHub(
  ranks: number,
  send: (rank: number, message: RelayMessage) => void,
): (message: RelayMessage) => void {
  let arrived = 0;
  return (message) => {
    switch (message.kind) {
      case "post":
        for (const reader of message.readers) send(reader, message);
        return;
      case "release":
        send(message.source, message);
        return;
      case "barrier":
        arrived += 1;
        if (arrived < ranks) return;
        arrived = 0;
        for (let rank = 0; rank < ranks; rank++) send(rank, message);
    }
  };
}
