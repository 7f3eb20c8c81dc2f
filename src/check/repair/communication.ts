// Parts of ways out that communications share.

import type { Path } from "../../plan/document.ts";
import { drop, type Faulty, type Fix, type Proposal, put } from "./fix.ts";

export function setCommunication(
  faulty: Faulty,
  path: Path,
  value: unknown,
  description: string,
): Proposal {
  return {
    patch: [put(faulty, path, value)],
    description,
    consequence: "the result reaches the next stage",
  };
}

export const communicationLeftOut: Fix = (_faulty, { path }) => [
  {
    patch: [drop(path.slice(0, 2))],
    description: "the communication is left out",
    consequence: "nothing is moved twice",
  },
];
