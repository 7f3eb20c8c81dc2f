// What `shardbench calibrate` leaves behind, of one adapter.

import type { AdapterCalibration, Outcome, RankAdapter, Versions } from "./result.ts";

export interface CalibratedAdapter {
  readonly adapter: Omit<RankAdapter, "rank" | "sharedWith" | "machine">;
  readonly versions: Versions;
  /** Of one that broke off, what was measured before. */
  readonly calibration: AdapterCalibration;
  readonly outcome: Outcome;
}
