/** Markdown list items as far as they fit, and how many there are besides. */
export function boundedList(
  items: readonly string[],
  limit: number,
  more: (count: number) => string,
): string[] {
  const shown: string[] = []
  let size = 0
  for (const item of items) {
    size += item.length + 3
    if (size > limit) break
    shown.push(`- ${item}`)
  }
  return shown.length < items.length ? [...shown, `- ${more(items.length - shown.length)}`] : shown
}
