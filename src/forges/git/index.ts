import { KodusError } from '../../lib/errors.ts'
import type { Forge } from '../forge.ts'
import { createGitReader, type GitReaderOptions } from './client.ts'

/** Plain git has no place to post to: the job keeps the review, where the API shows it. */
export function createGitForge(options: GitReaderOptions): Forge {
  return {
    reader: createGitReader(options),
    poster: {
      async post(_request, _review, stillOurs) {
        if (await stillOurs()) return { url: null, adopted: false, unplaced: 0 }
        throw new KodusError(
          'LEASE_LOST',
          'The job was cancelled or taken over before its review was posted.',
          {
            help: "Nothing to do: the job's events say what happened.",
          },
        )
      },
    },
  }
}
