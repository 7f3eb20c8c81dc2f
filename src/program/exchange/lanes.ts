// An all-reduce that broadcasts its sums uses two mailboxes, so that the second phase may begin before the first is over.

export type Lane = 0 | 1;

const lanesPerChannel = 2;

export function laneOf(channel: number, lane: Lane): number {
  return lanesPerChannel * channel + lane;
}
