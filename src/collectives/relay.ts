// The coordinator's part where ranks cannot share memory: it hands their messages on.

export type RelayMessage =
  | {
      readonly kind: "relay-post";
      readonly channel: number;
      readonly source: number;
      readonly readers: readonly number[];
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  | {
      readonly kind: "relay-release";
      readonly channel: number;
      readonly source: number;
      readonly reader: number;
    }
  /** To the coordinator: I have arrived. From it: all have. */
  | { readonly kind: "relay-barrier" };

/** Takes what any rank sent, and sends to those whom it concerns. */
export function createRelay(
  ranks: number,
  send: (rank: number, message: RelayMessage) => void,
): (message: RelayMessage) => void {
  let arrived = 0;
  return (message) => {
    switch (message.kind) {
      case "relay-post":
        for (const reader of message.readers) send(reader, message);
        return;
      case "relay-release":
        send(message.source, message);
        return;
      case "relay-barrier":
        arrived += 1;
        if (arrived < ranks) return;
        arrived = 0;
        for (let rank = 0; rank < ranks; rank++) send(rank, message);
    }
  };
}
