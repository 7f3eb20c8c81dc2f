// When messages were posted, asked for and taken, as ranks noted it for one step: what it takes until a rank that
// waits has what another posted.

/** ms on the axis of the machine. */
export interface ReceivedTimes {
  readonly askedMs: number;
  readonly gotMs: number;
}

/** Of one rank. By `readingOf`, each in the order of the messages. */
export interface Signals {
  /** When posting ended. */
  readonly posted: ReadonlyMap<string, readonly number[]>;
  readonly received: ReadonlyMap<string, readonly ReceivedTimes[]>;
}

/** Names what one reader is given of a mailbox. */
export function readingOf(channel: number, source: number, reader: number): string {
  return `${channel} ${source} ${reader}`;
}

/** The middle one, the upper of two; 0 of none. */
export function upperMedian(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;
}

/** Median, over all messages that were awaited, of ms from the end of posting; 0 where none was. */
export function latencyOf(signals: readonly Signals[]): number {
  const posted = new Map(signals.flatMap((own) => [...own.posted]));
  const late = signals.flatMap(({ received }) =>
    [...received].flatMap(([key, times]) =>
      times.flatMap(({ askedMs, gotMs }, k) => {
        const postedMs = posted.get(key)?.[k];
        return postedMs === undefined || postedMs <= askedMs ? [] : [gotMs - postedMs];
      }),
    ),
  );
  return upperMedian(late);
}
