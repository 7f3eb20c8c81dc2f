// A collective that has two hops uses two mailboxes, so that the second may begin before the first is over.

export const lanesPerChannel = 2;

export const laneOf = (channel: number, hop: 0 | 1): number => lanesPerChannel * channel + hop;
