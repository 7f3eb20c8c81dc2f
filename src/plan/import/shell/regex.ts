// Regular expressions of `[[ text =~ expression ]]`: POSIX ones as JavaScript's, as far as the two agree and
// matching takes no time to speak of.

const classes: Readonly<Record<string, string>> = {
  digit: "0-9",
  alpha: "A-Za-z",
  alnum: "A-Za-z0-9",
  lower: "a-z",
  upper: "A-Z",
  xdigit: "0-9A-Fa-f",
  space: String.raw`\s`,
};

const maxText = 200;
/** Ways that a matcher may try in vain: it goes back over every repeat and every alternative. */
const maxWays = 1e6;

/** The match and its groups, null where there is none, undefined where the expression is not followed. */
export function regexMatch(text: string, expression: string): readonly string[] | null | undefined {
  const source = expression.replaceAll(/\[:(\w+):\]/g, (whole, name: string) =>
    Object.hasOwn(classes, name) ? (classes[name] ?? whole) : whole,
  );
  if (text.length > maxText || source.length > maxText || !isFollowed(source)) return undefined;
  if (waysThrough(source, text.length) > maxWays) return undefined;
  try {
    const found = new RegExp(source).exec(text);
    return found === null ? null : found.map((group) => group ?? "");
  } catch {
    return undefined;
  }
}

/** Escapes of letters, repeated groups and classes of other names mean other things, or take long. */
function isFollowed(source: string): boolean {
  return !/\\[A-Za-z0-9]|\(\?|\)[*+{?]|\[:|\[[.=]|[*+?}][*+?{]/.test(source);
}

/** At most, from all places of a text of that length. */
function waysThrough(source: string, length: number): number {
  const repeats = source.match(/[*+]|\{\d*,/g)?.length ?? 0;
  const choices = source.match(/[|?]/g)?.length ?? 0;
  return (length + 1) ** (repeats + 1) * 2 ** choices;
}

/** What is quoted stands for itself. */
export function quotedRegex(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
}
