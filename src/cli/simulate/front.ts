/** Requests that come in by a load balancer, and what became of them. */
export interface Front {
  arrived: number
  served: number
  refused: number
  /** Those that wait for a task to be free, the oldest first. */
  readonly waiting: { readonly at: number; count: number }[]
}

export function createFront(): Front {
  return { arrived: 0, served: 0, refused: 0, waiting: [] }
}

export function waitingIn({ waiting }: Front): number {
  return waiting.reduce((sum, { count }) => sum + count, 0)
}

/**
 * One second: so many requests come, and so many can be served. Without a task the load balancer refuses at once;
 * otherwise a request waits, until its sender has lost patience.
 *
 * @returns how many were served
 */
export function serve(
  front: Front,
  now: number,
  { arrivals, capacity, patience }: { arrivals: number; capacity: number; patience: number },
): number {
  front.arrived += arrivals
  if (arrivals > 0) front.waiting.push({ at: now, count: arrivals })
  let room = capacity
  for (const group of front.waiting) {
    if (capacity === 0 || now - group.at >= patience) {
      front.refused += group.count
      group.count = 0
    }
    const count = Math.min(group.count, room)
    group.count -= count
    room -= count
  }
  while (front.waiting[0]?.count === 0) front.waiting.shift()
  const served = capacity - room
  front.served += served
  return served
}
