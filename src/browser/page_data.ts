// What this page was made with.

import { type PageData, pageDataId } from "../result/page_data.ts";
import { element } from "./document.ts";

let read: PageData | undefined;

export function pageData(): PageData {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `browserPage` wrote it from one
  read ??= JSON.parse(element(pageDataId).textContent ?? "") as PageData;
  return read;
}
