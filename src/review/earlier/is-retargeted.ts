/** Whether a change goes to another branch than it did, where both are known: then other lines are the change's. */
export function isRetargeted(then: string | undefined, now: string | null | undefined): boolean {
  return Boolean(then && now && then !== now)
}
