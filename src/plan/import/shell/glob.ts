// Matches a text against a shell pattern: `*`, `?` and `[…]`. Time grows with text × pattern, whatever they are.

/** A character of a pattern: one that stands for itself, or one that matches others. */
export type GlobToken =
  | { readonly kind: "character"; readonly character: string }
  | { readonly kind: "star" }
  | { readonly kind: "any" }
  | { readonly kind: "set"; readonly negated: boolean; readonly members: string };

/** @param quoted whether every character stands for itself */
export function globTokens(text: string, quoted: boolean): GlobToken[] {
  const tokens: GlobToken[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    const close = text.indexOf("]", at + 2);
    if (quoted) tokens.push({ kind: "character", character });
    else if (character === "*") tokens.push({ kind: "star" });
    else if (character === "?") tokens.push({ kind: "any" });
    else if (character === "[" && close > 0) {
      const inner = text.slice(at + 1, close);
      const negated = inner.startsWith("!") || inner.startsWith("^");
      tokens.push({ kind: "set", negated, members: negated ? inner.slice(1) : inner });
      at = close;
    } else tokens.push({ kind: "character", character });
  }
  return tokens;
}

export function globMatches(text: string, tokens: readonly GlobToken[]): boolean {
  let [at, token, star, mark] = [0, 0, -1, 0];
  while (at < text.length) {
    const current = tokens[token];
    if (current !== undefined && current.kind !== "star" && accepts(current, text[at] ?? "")) {
      at += 1;
      token += 1;
    } else if (current?.kind === "star") {
      star = token;
      mark = at;
      token += 1;
    } else if (star >= 0) {
      // The last star takes one character more.
      mark += 1;
      at = mark;
      token = star + 1;
    } else return false;
  }
  return tokens.slice(token).every(({ kind }) => kind === "star");
}

function accepts(token: GlobToken, character: string): boolean {
  if (token.kind === "character") return token.character === character;
  if (token.kind === "any") return true;
  return token.kind === "set" && isMember(token.members, character) !== token.negated;
}

function isMember(members: string, character: string): boolean {
  for (let at = 0; at < members.length; at++) {
    const last = members[at + 1] === "-" ? members[at + 2] : undefined;
    if (last !== undefined) {
      if (character >= (members[at] ?? "") && character <= last) return true;
      at += 2;
    } else if (members[at] === character) return true;
  }
  return false;
}
