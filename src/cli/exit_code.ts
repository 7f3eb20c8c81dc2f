// What a process says by its exit code; `docs` and the help quote this list.

export const exitCodes = {
  fine: 0,
  badPlan: 1,
  /** An environment error, or something broke while running. */
  environment: 2,
  claimRefuted: 3,
  wrongNumerics: 4,
  /** The command line itself is wrong, as in sysexits.h. */
  usage: 64,
  /** A fault of ours, as in sysexits.h. */
  bug: 70,
  /** 128 + SIGINT. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeHelp = `
Exit codes: 0 fine, 1 bad plan, 2 environment or fault, 3 a claim refuted,
4 wrong numerics, 64 wrong usage, 70 our bug, 130 interrupted.`;
