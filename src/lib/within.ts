/**
 * The result of `work`, if it comes in time; what comes later is dropped, and so is its failure.
 *
 * @throws Error saying what did not happen within `deadlineMs`
 */
export async function within<T>(deadlineMs: number, work: Promise<T>, failure: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${failure} within ${deadlineMs} ms`)), deadlineMs)
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    clearTimeout(timer)
  }
}
