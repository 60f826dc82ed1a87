import { userInfo } from 'node:os'

/** Who sits at the command line, for the history of what is done from there. */
export function operator(): string {
  try {
    return `${userInfo().username} (cli)`
  } catch {
    // A container's account need not have a name.
    return 'cli'
  }
}
