// Transports by name, the best first.

import { mpi } from "./mpi/transport.ts";
import { relay } from "./relay/transport.ts";
import { sharedMemory } from "./shared_memory/transport.ts";
import type { Transport } from "./transport.ts";

export const transports = {
  "shared-memory": sharedMemory,
  relay,
  mpi,
} as const satisfies Readonly<Record<string, Transport>>;

export type TransportName = keyof typeof transports;

export const transportNames = Object.keys(transports).filter(
  (name): name is TransportName => name in transports,
);

/** The first that this machine has what it needs for. */
export function defaultTransport(): TransportName {
  const found = transportNames.find((name) => transports[name].isAvailable());
  if (found === undefined) throw new Error("no transport works on this machine");
  return found;
}
