// Which adapters are GPUs of their own. Names do not tell: one GPU may have two drivers, and of two equal ones a
// process may have opened the same twice. Two that a driver shows to be of different kinds are two; those that look
// alike are kept busy alone and together.

/** What a driver says of the kind of GPU. */
export interface AdapterKind {
  readonly id: string;
  readonly software: boolean;
  readonly vendor: string;
  /** Empty where it is not known. */
  readonly architecture: string;
  /** Which of several machines it is on. */
  readonly machine?: number;
}

export interface SeparationTest {
  /** ISO 8601. */
  readonly date: string;
  /** Ids of adapters that look alike. */
  readonly adapters: readonly string[];
  /** By adapter, ms of the same work each time that it was at work alone: before, between and after. */
  readonly alone: readonly (readonly number[])[];
  /** Of several at once. */
  readonly together: readonly (readonly BusyTime[])[];
}

/** When an adapter was at work, in ms of the machine's clock. */
export interface BusyTime {
  readonly adapter: string;
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Work on a GPU of its own may take this much more than alone: hosts and power are shared. On one GPU it takes twice
 * as long; where k other programs keep that busy all the time, still (k + 2) / (k + 1).
 */
const mostSlowdown = 1.15;
/** Of the longer of the two works, the least during which both were under way. */
const leastOverlap = 0.8;

/** Whether a driver would show one GPU so: software is never told apart by its looks. */
export function lookAlike(one: AdapterKind, other: AdapterKind): boolean {
  return (
    one.id !== other.id &&
    !one.software &&
    !other.software &&
    one.vendor === other.vendor &&
    (one.architecture === other.architecture ||
      one.architecture === "" ||
      other.architecture === "")
  );
}

/**
 * Whether two adapters were at work at the same time, each about as fast as alone. On one GPU that cannot be: work
 * of `a` and `b` ms takes it at least a + b, and 1.15 (a + b) − 0.8 max(a, b) is less.
 */
export function areSeparate(test: SeparationTest, one: string, other: string): boolean {
  return meetings(test, one, other).some(
    ({ slower, overlap }) => slower <= mostSlowdown && overlap >= leastOverlap,
  );
}

/** How many times as long as alone the slower of two took at best while both were at work; undefined if never. */
export function slowdown(test: SeparationTest, one: string, other: string): number | undefined {
  const found = meetings(test, one, other).filter(({ overlap }) => overlap >= leastOverlap);
  return found.length === 0 ? undefined : Math.min(...found.map(({ slower }) => slower));
}

interface Meeting {
  /** Time taken ÷ time alone, of the one for which that is more. */
  readonly slower: number;
  /** Time during which both were at work ÷ the longer of their times alone. */
  readonly overlap: number;
}

/** Of two adapters, by round in which both were at work. */
function meetings(test: SeparationTest, one: string, other: string): Meeting[] {
  const [oneAlone, otherAlone] = [one, other].map((id) => fastestAlone(test, id));
  if (oneAlone === undefined || otherAlone === undefined) return [];
  return test.together.flatMap((round) => {
    const [a, b] = [one, other].map((id) => round.find(({ adapter }) => adapter === id));
    if (a === undefined || b === undefined) return [];
    const both = Math.min(a.endMs, b.endMs) - Math.max(a.startMs, b.startMs);
    return [
      {
        slower: Math.max((a.endMs - a.startMs) / oneAlone, (b.endMs - b.startMs) / otherAlone),
        overlap: both / Math.max(oneAlone, otherAlone),
      },
    ];
  });
}

function fastestAlone({ adapters, alone }: SeparationTest, id: string): number | undefined {
  const times = alone[adapters.indexOf(id)] ?? [];
  return times.length === 0 ? undefined : Math.min(...times);
}

/** By rank, the other ranks whose GPU may be the same: what is not proven separate is shared. */
export function ranksSharing(
  adapters: readonly AdapterKind[],
  test: SeparationTest | undefined,
): number[][] {
  return adapters.map((own, rank) =>
    adapters.flatMap((other, at) => {
      if (at === rank || own.machine !== other.machine) return [];
      // A test is of ids, and may have met those of different machines.
      const isTested = test !== undefined && own.machine === undefined;
      const mayBeOne =
        own.id === other.id ||
        (lookAlike(own, other) && !(isTested && areSeparate(test, own.id, other.id)));
      return mayBeOne ? [at] : [];
    }),
  );
}
