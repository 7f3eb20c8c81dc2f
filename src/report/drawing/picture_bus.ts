// The lines of one communication in a picture: from its givers sideways, and down to its receivers.

/** Columns of one group of the communication. */
export interface Anchor {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/**
 * @param at where the middle of a column is
 * @param columns how many there are
 */
export function busLines(
  groups: readonly Anchor[],
  at: (column: number) => number,
  columns: number,
): { readonly bus: string; readonly arrows: string } {
  const width = at(columns - 1) + 1;
  const bus = Array.from({ length: width }, () => " ");
  const arrows = Array.from({ length: width }, () => " ");
  for (const { from, to } of groups) {
    const members = [...from, ...to];
    if (members.length === 0) continue;
    const first = Math.min(...members);
    const last = Math.max(...members);
    for (let x = at(first); x <= at(last); x++) bus[x] = "─";
    for (let column = first; column <= last; column++) {
      const gives = from.includes(column);
      const gets = to.includes(column);
      if (gets) arrows[at(column)] = "▼";
      if (gives || gets) bus[at(column)] = joint(gives, gets, column > first, column < last);
    }
  }
  return { bus: bus.join("").trimEnd(), arrows: arrows.join("").trimEnd() };
}

/** The corner, branch or crossing that has these four arms. */
function joint(up: boolean, down: boolean, left: boolean, right: boolean): string {
  const key = `${up ? "u" : ""}${down ? "d" : ""}${left ? "l" : ""}${right ? "r" : ""}`;
  return joints[key] ?? "┼";
}

const joints: Readonly<Record<string, string>> = {
  ud: "│",
  u: "│",
  d: "│",
  ur: "╰",
  ul: "╯",
  dr: "╭",
  dl: "╮",
  udr: "├",
  udl: "┤",
  ulr: "┴",
  dlr: "┬",
  udlr: "┼",
};
