// Why the adapters of a run cannot speak for the GPUs of a plan.

import type { RankAdapter } from "../result.ts";

type Sharing = Pick<RankAdapter, "rank" | "id" | "software" | "sharedWith">;

/** Undefined where every rank has a hardware GPU to itself. */
export const describeAdapters = (adapters: readonly Sharing[]): string | undefined => {
  const software = [...new Set(adapters.filter((each) => each.software).map(({ id }) => id))];
  if (software.length > 0) {
    return software.length === 1
      ? `${software.join()} is a software adapter, whose speed says nothing of a GPU's`
      : `${software.join(" and ")} are software adapters, whose speed says nothing of a GPU's`;
  }
  const shared = adapters.find(({ sharedWith }) => sharedWith.length > 0);
  if (shared === undefined) return undefined;
  const ranks = [shared.rank, ...shared.sharedWith].toSorted((a, b) => a - b);
  return `ranks ${ranks.join(", ")} share ${shared.id} and contend for it`;
};

/** The conditions that every figure of a run holds under. */
export const runConditions = (adapters: readonly Sharing[]): readonly string[] => {
  const ids = [...new Set(adapters.map(({ id }) => id))];
  return ids.map((id) => {
    const own = adapters.filter((each) => each.id === id);
    const kind = own[0]?.software === true ? "software adapter" : "hardware adapter";
    const ranks = own.map(({ rank }) => rank).join(", ");
    return own.length === 1
      ? `${kind} ${id}, rank ${ranks} alone on it`
      : `${kind} ${id}, shared by ranks ${ranks}`;
  });
};
