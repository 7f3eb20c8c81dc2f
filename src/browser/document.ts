// What the page's script uses of a browser.

/** An element of the page, as far as the script needs it. */
interface PageElement {
  textContent: string | null;
  innerHTML: string;
  hidden: boolean;
  /** Of a link. */
  href: string;
  /** Of a button. */
  disabled: boolean;
  addEventListener(event: "click", listener: () => void): void;
}

declare const document: { getElementById(id: string): PageElement | null };
declare const navigator: { readonly gpu?: GPU; readonly userAgent: string };

/** @throws Error where the page has none of that id */
export function element(id: string): PageElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found;
}

/** Undefined where the browser has no WebGPU. */
export function browserGpu(): GPU | undefined {
  return navigator.gpu;
}

/** The browser and the system, as it names itself. */
export function browserName(): string {
  return navigator.userAgent;
}
