// A transport whose ranks all live in this process, and take turns.

import type { MailboxPlan } from "../../../src/collectives/transport/communicator.ts";
import type { RankSide } from "../../../src/collectives/transport/transport.ts";
import { type TransportName, transports } from "../../../src/collectives/transport/transports.ts";
import { defaultWaiting } from "../../../src/collectives/transport/waiting.ts";

export function openTransport(
  name: TransportName,
  ranks: number,
  mailboxes: readonly MailboxPlan[],
) {
  const transport = transports[name];
  const sides: RankSide[] = [];
  const coordinator = transport.coordinate({
    ranks,
    mailboxes,
    tell: (rank, message) => sides[rank]?.hear(message),
  });
  for (let rank = 0; rank < ranks; rank++) {
    sides.push(
      transport.join({
        rank,
        ranks,
        mailboxes,
        waiting: { ...defaultWaiting, sliceMs: 5 },
        file: coordinator.file ?? -1,
        tell: (message) => coordinator.hear(message),
      }),
    );
  }
  return { coordinator, sides, close: () => coordinator.close() };
}
