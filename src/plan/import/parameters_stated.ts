// Whether a plan may state how many parameters its model has. What an importer did not understand may change the
// architecture: then a count would be that of another model, and none is stated.

import type { PlanNote } from "../plan.ts";
import { modelNotUnderstood, otherModel } from "./note.ts";

/** What `otherModel` says after the names. */
const [, said = ""] = otherModel("\n").split("\n");

/** Why the plan's parameters are not stated; undefined where they are. */
export function whyNotStated(notes: readonly PlanNote[]): string | undefined {
  const names = notes.flatMap(({ code, message }) =>
    code === modelNotUnderstood ? [message.replace(said, "")] : [],
  );
  if (names.length === 0) return undefined;
  const listed = names.slice(0, 6).join(", ");
  const more = names.length > 6 ? ` and ${names.length - 6} more` : "";
  return `a count would not be that of your model, which ${listed}${more} may change`;
}
