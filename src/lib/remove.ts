/** Takes an item out of a list whose order means nothing. */
export function remove<Item>(list: Item[], item: Item): void {
  const at = list.indexOf(item);
  if (at < 0) return;
  const last = list.pop() as Item;
  if (at < list.length) list[at] = last;
}
