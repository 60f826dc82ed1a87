import { sourceOf } from '../draft.ts'
import { CONFIG_FILE, parseReviewConfig } from '../review-config.ts'
import { proceed, type Stage, skip } from '../stage.ts'

/** Reads the repository's configuration, from the base: a pull request cannot loosen its own review. */
export const loadConfig: Stage = {
  name: 'load-config',
  async run(draft) {
    const text = await sourceOf(draft).readFile('base', CONFIG_FILE)
    if (text === undefined)
      return skip(`the base has no ${CONFIG_FILE} that is text of at most 1 MiB; defaults apply`)
    const { config, problems } = parseReviewConfig(text)
    draft.config = config
    for (const problem of problems) draft.notes.push({ about: CONFIG_FILE, reason: problem })
    return proceed
  },
}
