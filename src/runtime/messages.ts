// What coordinator and ranks send each other over the processes' IPC channel.

import type { RecalledCalibration } from "../gpu/calibration/recall.ts";
import type { ErrorRecord } from "./error_record.ts";
import type { Answer, Asked, Kind } from "./protocol.ts";
import type { Activity } from "./spans.ts";

export interface Request<Of extends Kind = Kind> {
  readonly kind: "ask";
  readonly what: Of;
  readonly asked: Asked<Of>;
}

/** Between the two sides of the transport, which alone know what it is. */
interface TransportMessage {
  readonly kind: "transport";
  readonly message: unknown;
}

export type ToRank = Request | TransportMessage | { readonly kind: "close" };

/** Where a rank is. */
export interface RankPosition {
  readonly activity: Activity | "idle";
  /** Index into the rank's instructions. */
  readonly instruction?: number;
  /** Grows whenever the rank turns to something else. */
  readonly turns: number;
}

export type FromRank =
  /** To what was asked last. */
  | { readonly kind: "answer"; readonly answer: Answer<Kind> }
  | TransportMessage
  /** What is measured so far, of an answer that is still to come. */
  | { readonly kind: "part"; readonly part: RecalledCalibration }
  | { readonly kind: "failed"; readonly error: ErrorRecord; readonly position: RankPosition }
  | ({ readonly kind: "heartbeat" } & RankPosition);

export const activities: readonly RankPosition["activity"][] = [
  "idle",
  "host",
  "readback",
  "move",
  "upload",
  "wait",
  "drain",
];
