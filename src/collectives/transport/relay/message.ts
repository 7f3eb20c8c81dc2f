// What ranks and the hub tell each other.

export type RelayMessage =
  | {
      readonly kind: "post";
      readonly channel: number;
      readonly source: number;
      readonly readers: readonly number[];
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  | {
      readonly kind: "release";
      readonly channel: number;
      readonly source: number;
      readonly reader: number;
    }
  /** To the hub: I have arrived. From it: all have. */
  | { readonly kind: "barrier" };

/** @throws TypeError for what no side of the relay sends */
export function relayMessageOf(message: unknown): RelayMessage {
  if (isRelayMessage(message)) return message;
  throw new TypeError("a message that is not the relay's");
}

function isRelayMessage(message: unknown): message is RelayMessage {
  return (
    typeof message === "object" &&
    message !== null &&
    "kind" in message &&
    (message.kind === "post" || message.kind === "release" || message.kind === "barrier")
  );
}
