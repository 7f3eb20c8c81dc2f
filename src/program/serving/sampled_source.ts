// Whole sequences of requests with the tokens that they were given, for the reference.

import type { ContentSource } from "../content_source.ts";
import type { SampledTokens } from "./sampled_tokens.ts";

/** @param sequence tokens of a request, which lie one request after the other */
export function sampledSource(
  source: ContentSource,
  tokens: SampledTokens,
  sequence: number,
): ContentSource {
  return {
    seedOf: (content) => (content.kind === "ids" ? undefined : source.seedOf(content)),
    values(content, first, rows) {
      const values = source.values(content, first, rows);
      if (content.kind !== "ids") return values;
      const start = (content.offset.at(-1) ?? 0) + (content.ahead ?? 0);
      return values.map((id, i) => {
        const at = start + i;
        return tokens.at(Math.floor(at / sequence), at % sequence) ?? id;
      });
    },
  };
}
