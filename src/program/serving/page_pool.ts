// Pages of the caches of one replica: requests take them as their tokens need them, and give them back at their end.

export interface PagePool {
  /** Adds pages to a request's own until they hold so many tokens. Throws where none is left. */
  grow(pages: number[], tokens: number): void;
  /** Takes all of a request's pages back. */
  release(pages: number[]): void;
  inUse(): number;
}

export function createPagePool(count: number, pageTokens: number): PagePool {
  const free = Array.from({ length: count }, (_, i) => count - 1 - i);
  return {
    grow(pages, tokens) {
      while (pages.length * pageTokens < tokens) {
        const page = free.pop();
        if (page === undefined) throw new Error(`no page is left of ${count}`);
        pages.push(page);
      }
    },
    release(pages) {
      free.push(...pages.splice(0));
    },
    inUse: () => count - free.length,
  };
}
