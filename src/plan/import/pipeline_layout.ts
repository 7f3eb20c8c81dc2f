// Megatron-LM's layout of a pipeline, such as Et*3|(tt|)*29m|L: chunks between bars, in the order of the model; E is
// the embedding, t a layer, m a layer that predicts further tokens, L the loss; *3 repeats what stands before.

/** Longer than any pipeline. */
const maxCharacters = 100_000;

/** Layers of each chunk; undefined where the text is no layout. */
export function layersOfChunks(written: string): number[] | undefined {
  let text = written.replaceAll(/[\s,]/g, "");
  // A group has no group within, so that each round takes the innermost away.
  for (let round = 0; round < 8 && /[(*]/.test(text); round++) {
    text = text
      .replaceAll(/\(([EtmL|]*)\)\*(\d{1,4})/g, (_whole, group: string, times: string) =>
        repeated(group, Number(times)),
      )
      .replaceAll(/([EtmL|])\*(\d{1,4})/g, (_whole, one: string, times: string) =>
        repeated(one, Number(times)),
      )
      .replaceAll(/\(([EtmL|]*)\)(?!\*)/g, "$1");
    if (text.length > maxCharacters) return undefined;
  }
  if (!/^[EtmL|]+$/.test(text)) return undefined;
  return text.split("|").map((chunk) => chunk.replaceAll(/[^t]/g, "").length);
}

function repeated(text: string, times: number): string {
  return text.length * times > maxCharacters ? " " : text.repeat(times);
}
