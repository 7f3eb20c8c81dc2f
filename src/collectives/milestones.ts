// How far one part of a collective has come, for the parts that must not get ahead of it.

export interface Milestones {
  /** One step further. */
  readonly pass: () => void;
  /** Resolves when that many steps were made. */
  readonly reached: (steps: number) => Promise<void>;
}

export function createMilestones(): Milestones {
  let passed = 0;
  let waiting: { readonly steps: number; readonly resolve: () => void }[] = [];
  return {
    pass() {
      passed += 1;
      const before = waiting;
      waiting = before.filter(({ steps }) => steps > passed);
      for (const { steps, resolve } of before) if (steps <= passed) resolve();
    },
    async reached(steps) {
      if (passed < steps) await new Promise<void>((resolve) => waiting.push({ steps, resolve }));
    },
  };
}
