/** Most bytes of a header that lists things. Clients and proxies bound all headers together, some at 8 KiB. */
const MAX_LIST_BYTES = 2048;
/** Stands at the end of a list in place of what did not fit. */
const MORE = "...";
/** Text, and an item of a list, that needs no encoding, as nearly all do. */
const PLAIN_TEXT = /^[!-$&-~]*$/;
const PLAIN_ITEM = /^[!-$&-+\--<>-~]*$/;

/** Text as a header can carry it: all but visible ASCII, and `%`, is percent-encoded as UTF-8. */
export function headerText(text: string): string {
  return PLAIN_TEXT.test(text) ? text : encode(text, /[^\x21-\x7e]|%/gu);
}

/** As `headerText`, for an item of a list: a comma and "=" are percent-encoded too. */
export function headerItem(text: string): string {
  return PLAIN_ITEM.test(text) ? text : encode(text, /[^\x21-\x7e]|[%,=]/gu);
}

/** Items with ", " between them; those that would make it longer than 2 KiB are left out, and "..." stands for them. */
export function headerList(items: readonly string[]): string {
  let list = "";
  for (const item of items) {
    const longer = list === "" ? item : `${list}, ${item}`;
    if (longer.length > MAX_LIST_BYTES - MORE.length - 2) return list === "" ? MORE : `${list}, ${MORE}`;
    list = longer;
  }
  return list;
}

function encode(text: string, special: RegExp): string {
  // A lone surrogate has no UTF-8.
  return text.toWellFormed().replaceAll(special, percentEncode);
}

function percentEncode(character: string): string {
  return Buffer.from(character).reduce(
    (text, byte) => `${text}%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    "",
  );
}
