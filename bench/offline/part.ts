// What the unattended bench is made of, and what becomes of each of its parts.

export interface Context {
  readonly adapter: string;
  /** A part that can stop by itself begins nothing after that. */
  readonly softLimitMs: number;
}

/** A process of its own, so that no crash, hang or lost device reaches the others. */
export interface Part {
  /** `<name>.<ending>` gets what it prints, `<name>.log` what it complains of. */
  readonly name: string;
  readonly title: string;
  /** `jsonl`: a record per line, each as soon as it is measured. */
  readonly ending: "json" | "jsonl";
  /** Seconds that it gets of eight and a half minutes, and its share of what others leave over. */
  readonly weight: number;
  /** Of Node. */
  readonly command: (context: Context) => readonly string[];
  /** Markdown of what it printed, which may end anywhere. */
  readonly sections: (printed: string) => readonly string[];
}

export interface Outcome {
  readonly name: string;
  readonly title: string;
  readonly state: "done" | "failed" | "cut off" | "not begun";
  /** Why it is not done. */
  readonly reason?: string;
  readonly seconds: number;
  readonly limitSeconds: number;
}
