// What Dawn writes to standard error of every process although nothing is wrong.

const notices: readonly RegExp[] = [
  // Of limits that no kernel of ours comes near.
  /artificially reduced/,
];

/** A regular expression of them, of the kind that POSIX calls extended. */
export const dawnsNotices = notices.map(({ source }) => source).join("|");

/** The text without the lines that say nothing to anybody. */
export function withoutDawnsNotices(text: string): string {
  return text
    .split("\n")
    .filter((line) => !notices.some((notice) => notice.test(line)))
    .join("\n");
}
